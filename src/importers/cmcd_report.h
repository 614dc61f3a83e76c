/// A line of an access log as the report that its player made: CMCD of the request, with the time
/// of the log, as a collector would have got it mirrored. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "importers/log_record.h"
#include "importers/report.h"

namespace playhead::importers {

struct CmcdTranslation {
    std::optional<Report> report;
    std::string_view left_out;  ///< why there is none, for lines without a fault
};

/// `line_id` becomes part of the report's identity. Of headers, a field of its own and the query
/// the first that there is counts. InvalidArgument where CMCD is there and cannot be read.
Result<CmcdTranslation> translate_cmcd(const LogRecord& record, std::uint64_t customer_id,
                                       std::uint64_t line_id);

}  // namespace playhead::importers
