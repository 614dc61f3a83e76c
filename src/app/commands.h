/// The subcommands of `playhead`. Each adds itself to the command line and, when chosen, leaves
/// what to run in `chosen`; it returns the process's exit code.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace playhead::app {

using Chosen = std::function<int()>;

void add_tenant_command(CLI::App& root, Chosen& chosen);
void add_user_command(CLI::App& root, Chosen& chosen);
void add_apikey_command(CLI::App& root, Chosen& chosen);
void add_serve_command(CLI::App& root, Chosen& chosen);
void add_replay_command(CLI::App& root, Chosen& chosen);
void add_import_command(CLI::App& root, Chosen& chosen);
void add_simulate_command(CLI::App& root, Chosen& chosen);
void add_verify_command(CLI::App& root, Chosen& chosen);
void add_sql_command(CLI::App& root, Chosen& chosen);

}  // namespace playhead::app
