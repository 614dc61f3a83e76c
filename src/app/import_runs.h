/// What `playhead import` does, one function per source. Each prints its summary on stdout and
/// returns the process's exit code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace playhead::app {

/// What the command lines of all sources may say; one struct, since CLI11 binds by address.
struct ImportArguments {
    std::string to, data_dir, remember, config_file;
    std::uint64_t customer_id = 0;
    std::uint64_t errors_max = 100;
    double speed = 0;
    std::vector<std::string> files;
    // cmcd-log
    std::string format = "auto", fields;
    // sessions
    std::string mapping_file;
    bool check = false;
    // smartsight
    std::string from, api_key, user, password, token_url, plan_level, since, until, state_file,
        ca_file;
    std::vector<std::string> tags;
    std::int64_t window_s = 86'400;
    std::uint64_t page_rows = 2000;
};

int import_cmcd_log(const ImportArguments& arguments);
int import_epas(const ImportArguments& arguments);
int import_sessions(const ImportArguments& arguments);
int import_smartsight(const ImportArguments& arguments);

}  // namespace playhead::app
