/// `playhead sql`: read-only statements on the store of a data directory that is not in use.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "app/commands.h"
#include "app/control_plane.h"
#include "store/chdb/chdb_store.h"
#include "store/chdb/engine_library.h"

namespace playhead::app {

namespace {

struct Arguments {
    std::string data_dir = "playhead-data";
    std::string format = "PrettyCompact";
    std::string statement;
};

int run_sql(const Arguments& arguments) {
    auto data_dir = prepare_data_dir(arguments.data_dir);
    if (!data_dir) return complain(data_dir.error());
    if (auto prepared = store::chdb::prepare_process(); !prepared) {
        return complain(prepared.error());
    }
    store::chdb::ChdbOptions options;
    options.directory = *data_dir + "/store";
    auto store = store::chdb::open_chdb_store(options);
    if (!store) return complain(store.error());
    const auto done = (*store)->stream(
        {arguments.statement, {}}, arguments.format, {}, [](std::string_view chunk) {
            return std::fwrite(chunk.data(), 1, chunk.size(), stdout) == chunk.size();
        });
    return done ? 0 : complain(done.error());
}

}  // namespace

void add_sql_command(CLI::App& root, Chosen& chosen) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command =
        root.add_subcommand("sql", "Runs a read-only statement on a store that is not in use");
    command->add_option("--data-dir", arguments->data_dir, "where everything is kept")
        ->capture_default_str();
    command->add_option("--format", arguments->format, "a ClickHouse output format")
        ->capture_default_str();
    command->add_option("STATEMENT", arguments->statement, "SELECT …")->required();
    command->callback(
        [arguments, &chosen] { chosen = [arguments] { return run_sql(*arguments); }; });
}

}  // namespace playhead::app
