/// `playhead serve`: the collector and the API.
#include <fmt/format.h>
#include <pthread.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <memory>

#include "app/commands.h"
#include "app/config.h"
#include "app/control_plane.h"
#include "app/runtime.h"
#include "app/version.h"
#include "base/log.h"
#include "store/chdb/engine_library.h"

namespace playhead::app {

namespace {

struct Arguments {
    std::string config_file;
    bool print_config = false;
    std::map<std::string, std::string> flags;  ///< by key
    std::map<std::string, CLI::Option*> options;
};

Result<Config> effective_config(const Arguments& arguments) {
    Config config;
    if (!arguments.config_file.empty()) {
        if (auto loaded = config.load_yaml(arguments.config_file); !loaded) {
            return fail(loaded.error());
        }
    }
    if (auto loaded = config.load_environment(); !loaded) return fail(loaded.error());
    for (const Setting& setting : settings()) {
        const auto option = arguments.options.find(setting.key);
        if (option->second->count() == 0) continue;
        const auto done =
            config.set(setting.key, arguments.flags.at(setting.key), "flag " + flag_of(setting));
        if (!done) return fail(done.error());
    }
    return config;
}

/// Blocks the signals that end the server, for this thread and those it starts.
sigset_t block_end_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return signals;
}

int serve(const Arguments& arguments) {
    auto config = effective_config(arguments);
    if (!config) return complain(config.error());
    if (arguments.print_config) {
        fmt::print("{}", config->print());
        return 0;
    }
    if (!log::configure(config->text("log_level"))) {
        log::warn("unknown log_level '{}': using info", config->text("log_level"));
    }
    const sigset_t signals = block_end_signals();
    if (auto prepared = store::chdb::prepare_process(); !prepared) {
        return complain(prepared.error());
    }
    auto runtime = Runtime::start(*config, [](const std::string& line) { log::info("{}", line); });
    if (!runtime) return complain(runtime.error());
    fmt::print("playhead {} ready on {} (data in {})\n", kVersion, (*runtime)->url(),
               config->text("data_dir"));
    std::fflush(stdout);
    int received = 0;
    sigwait(&signals, &received);
    log::info("stopping");
    (*runtime)->stop();
    runtime->reset();
    log::info("stopped");
    return 0;
}

}  // namespace

void add_serve_command(CLI::App& root, Chosen& chosen) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = root.add_subcommand("serve", "Runs the collector and the API");
    command->add_option("--config", arguments->config_file, "YAML file with the keys below");
    command->add_flag("--print-config", arguments->print_config,
                      "prints every key, its value and where it came from, and ends");
    for (const Setting& setting : settings()) {
        std::string help = setting.help;
        if (setting.default_value[0] != '\0') help += fmt::format(" [{}]", setting.default_value);
        arguments->options[setting.key] =
            command->add_option(flag_of(setting), arguments->flags[setting.key], help);
    }
    command->callback([arguments, &chosen] { chosen = [arguments] { return serve(*arguments); }; });
}

}  // namespace playhead::app
