/// Rows of single errors: `events` joined with what is known of their sessions. Internal to the
/// planner.
#pragma once

#include <string>
#include <vector>

#include "query/part.h"

namespace playhead::query {

/// The minutes of `slices` with errors (migration 0012).
inline constexpr const char* kFailedSlices = "slices_failed";

/// `FROM (…)` with one row per error inside the part's time: sessionid, event_time, errorcode,
/// errormessage (its fingerprint), errortype, errorphase, the counters of an error, and
/// `session_columns` (columns of `slices`). Dimensions come from the session's minutes with errors,
/// which are few, not from `sessions`: no revisions to look for, and open sessions are there too.
std::string error_rows(SqlParameters& parameters, const TablePart& part,
                       const std::vector<std::string>& session_columns);

}  // namespace playhead::query
