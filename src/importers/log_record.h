/// What an importer wants of one line of an access log, and the names under which CDNs write it.
/// Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace playhead::importers {

struct LogRecord {
    std::int64_t time_ms = 0;  ///< 0: the line has none that can be read
    std::string address;
    std::string user_agent;
    std::string host;
    std::string path;
    std::string query;
    std::string cmcd;                         ///< the dictionary where the log has it by itself
    std::array<std::string, 4> cmcd_headers;  ///< CMCD-Request, -Object, -Status, -Session
    std::string date;                         ///< until the time of day is known
};

/// Takes a field by its name in the log, in any case and with '-' or '_'. False: a name without a
/// meaning here, which is left out. "-" and "^" are no value.
bool take_field(LogRecord& record, std::string_view name, std::string_view value);

/// Whether a name has a meaning here.
bool is_known_field(std::string_view name);

/// "%20", also written twice over ("%2520"), as blanks; text that is not so encoded stays.
std::string unescape_percent(std::string_view text);

}  // namespace playhead::importers
