/// `playhead`: parses the command line and runs one subcommand.
#include <sodium.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "app/commands.h"
#include "app/version.h"

int main(int argc, char** argv) {
    using namespace playhead::app;
    CLI::App root{"Playhead measures what viewers of streaming video really get.", "playhead"};
    root.set_version_flag("--version", std::string("playhead ") + kVersion);
    root.require_subcommand(1);
    root.footer(
        "Documentation: docs/ of the source tree; every key of the configuration: "
        "playhead serve --print-config");
    Chosen chosen;
    add_serve_command(root, chosen);
    add_tenant_command(root, chosen);
    add_user_command(root, chosen);
    add_apikey_command(root, chosen);
    add_replay_command(root, chosen);
    add_import_command(root, chosen);
    add_simulate_command(root, chosen);
    add_verify_command(root, chosen);
    add_sql_command(root, chosen);
    CLI11_PARSE(root, argc, argv);
    if (sodium_init() < 0) {
        std::fputs("playhead: libsodium cannot start\n", stderr);
        return 1;
    }
    try {
        return chosen();
    } catch (const std::exception& error) {
        // Nothing of ours throws across modules: this is memory running out or the like.
        std::fprintf(stderr, "playhead: %s\n", error.what());
        return 1;
    }
}
