/// One thing that a player said, as an importer found it: what the collector would have received,
/// with its time. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace playhead::importers {

enum class ReportKind : std::uint8_t {
    CmcdQuery = 1,  ///< body: the query string of a GET /cmcd/{customer}
    Produce = 2,    ///< body: JSON of a POST /produce
    Epas = 3,       ///< body: one EPAS event; EpasTranslator makes a Produce of it
};

struct Report {
    std::int64_t time_ms = 0;
    std::uint64_t id = 0;  ///< of the line it came from: the same line, the same id
    std::uint64_t session_hash = 0;
    ReportKind kind = ReportKind::CmcdQuery;
    std::string address;  ///< of the viewer, as logged; may be empty
    std::string user_agent;
    std::string body;
};

/// Bytes for the spool's files, which only the same process reads.
void append_report(std::string& out, const Report& report);
/// Takes one report off the front of `bytes`; false when it is not whole.
bool take_report(std::string_view& bytes, Report& report);

}  // namespace playhead::importers
