#include "query/error_rows.h"

#include <fmt/format.h>

#include "model/event.h"

namespace playhead::query {

namespace {

/// A corrected clock may move an error out of the minute that its slice named.
constexpr std::int64_t kSliceMargin_s = 3600;

}  // namespace

std::string error_rows(SqlParameters& parameters, const TablePart& part,
                       const std::vector<std::string>& session_columns) {
    std::string known;
    std::string taken;
    for (const auto& column : session_columns) {
        known += fmt::format(", anyLast({0}) AS j_{0}", column);
        taken += fmt::format(", j_{0} AS {0}", column);
    }
    const auto from = parameters.time(part.from_s);
    const auto to = parameters.time(part.to_s);
    const auto kind = [](model::EventKind value) { return static_cast<int>(value); };
    const auto severity = [](model::Severity value) { return static_cast<int>(value); };
    const auto errors = fmt::format(
        "SELECT sessionid, event_time, kind, severity, errorcode, errorfingerprint AS "
        "errormessage, phase AS errorphase {} AND event_time >= {} AND event_time < {} AND kind IN "
        "({}, {})",
        scope(part.table, false), from, to, kind(model::EventKind::Error),
        kind(model::EventKind::AdError));
    const auto in_time = fmt::format("minute_time >= {} AND minute_time < {}", from, to);
    const auto sessions = fmt::format(
        "SELECT sessionid, sum(fatal_errors) AS j_fatal, sumIf(startup_failures, {0}) AS "
        "j_failures, sumIf(startup_business_failures, {0}) AS j_business{1} {2} AND minute_time >= "
        "{3} AND minute_time < {4} GROUP BY sessionid",
        in_time, known, scope(kFailedSlices, false), parameters.time(part.from_s - kSliceMargin_s),
        parameters.time(part.to_s + kSliceMargin_s));
    // An error of unknown severity was fatal when the session counts fatal errors.
    const auto type = fmt::format(
        "multiIf(kind != {}, 'warning', severity = {}, 'fatal', severity = {}, 'warning', "
        "j_fatal > 0, 'fatal', 'warning')",
        kind(model::EventKind::Error), severity(model::Severity::Fatal),
        severity(model::Severity::Warning));
    // A session fails once: at its last fatal error.
    return fmt::format(
        "FROM (SELECT sessionid, event_time, errorcode, errormessage, errorphase, {0} AS "
        "errortype, toInt64(errortype = 'fatal') AS fatal_errors, toInt64(kind = {1} AND errortype "
        "= 'warning') AS warnings, toInt64(kind != {1}) AS ad_errors, toInt64(errortype = 'fatal' "
        "AND row_number() OVER (PARTITION BY sessionid, {0} ORDER BY event_time DESC) = 1) AS "
        "is_last, is_last * j_failures AS startup_failures, is_last * j_business AS "
        "startup_business_failures{2} FROM ({3}) AS e LEFT JOIN ({4}) AS s USING (sessionid))",
        type, kind(model::EventKind::Error), taken, errors, sessions);
}

}  // namespace playhead::query
