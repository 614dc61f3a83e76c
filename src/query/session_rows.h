/// One row per session: no groups, so the statement can stop at its limit and read the columns of
/// the rows it shows only. Internal to the planner.
#pragma once

#include <string>

#include "query/part.h"

namespace playhead::query {

/// True when the rows of the answer are sessions and every metric has a value of a session.
bool rows_are_sessions(const QueryRequest& request);

/// The statement: c0.. as `plan.columns`, then the total and the beacons, which the statement
/// `totals` answers as one tuple. `closed` and `open` are the parts to read. Sessions of equal
/// order stand newest first.
Result<std::string> write_session_rows(const QueryRequest& request, SqlParameters& parameters,
                                       const Plan& plan, const std::string& totals,
                                       const TablePart& closed, const TablePart& open);

}  // namespace playhead::query
