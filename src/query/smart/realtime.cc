// The last five minutes in steps of five seconds.
#include <fmt/format.h>

#include "model/event.h"
#include "query/smart/queries.h"

namespace playhead::query::smart {

namespace {

constexpr std::int64_t kStep_s = 5;
constexpr std::int64_t kWindow_s = 300;

/// Rows (at, active, attempts, plays, ended) of sessions that overlap the window.
Result<std::string> session_steps(const QueryRequest& request, SqlParameters& parameters,
                                  const std::string& first, const std::string& steps) {
    // A session that ended before the window cannot matter; one that is open lasts until now.
    QueryRequest sessions = request;
    sessions.period.start_s = request.period.start_s - kSessionLengthMax_s;
    SqlParameters& bound = parameters;
    const auto from = bound.time(request.period.start_s);
    const auto until = bound.integer(request.period.end_s * 1000);
    auto rows = session_rows(
        sessions, bound,
        "toUnixTimestamp64Milli(start_time) AS s, toUnixTimestamp64Milli(end_time) AS e, "
        "toUnixTimestamp64Milli(first_frame_time) AS f, viewstatus IN ('LOADED', 'RUNNING') AS "
        "open",
        fmt::format(" AND (end_time >= {} OR viewstatus IN ('LOADED', 'RUNNING'))", from));
    if (!rows) return rows;
    return fmt::format(
        "SELECT {0} + {2} * arrayJoin(range({1})) AS at, s < at + {2} AND (e >= at OR open) AND "
        "s < {3} AS active, s >= at AND s < at + {2} AS attempt, f >= at AND f < at + {2} AS play, "
        "NOT open AND e >= at AND e < at + {2} AS ended, 0 AS errors, 0 AS stalls FROM {4}",
        first, steps, kStep_s * 1000, until, *rows);
}

Result<std::string> event_steps(const QueryRequest& request, SqlParameters& parameters) {
    QueryRequest sessions = request;
    sessions.period.start_s = request.period.start_s - kSessionLengthMax_s;
    auto ids =
        session_rows(sessions, parameters, "sessionid",
                     fmt::format(" AND (end_time >= {} OR viewstatus IN ('LOADED', 'RUNNING'))",
                                 parameters.time(request.period.start_s)));
    if (!ids) return ids;
    return fmt::format(
        "SELECT intDiv(toUnixTimestamp64Milli(event_time), {0}) * {0} AS at, 0, 0, 0, 0, kind = "
        "{1} "
        "AS errors, kind = {2} AS stalls {3} AND event_time >= {4} AND event_time < {5} AND kind "
        "IN "
        "({1}, {2}) AND sessionid IN {6}",
        kStep_s * 1000, static_cast<int>(model::EventKind::Error),
        static_cast<int>(model::EventKind::BufferStart), scope("events", false),
        parameters.time(request.period.start_s), parameters.time(request.period.end_s), *ids);
}

Result<Answer> run_realtime(const SmartRequest& request, const Context& context) {
    QueryRequest window = request.common;
    window.period.end_s = window.period.end_s / kStep_s * kStep_s;
    window.period.start_s = window.period.end_s - kWindow_s;
    SqlParameters parameters(context.customer_id);
    const auto first = parameters.integer(window.period.start_s * 1000);
    const auto steps = std::to_string(kWindow_s / kStep_s);
    auto sessions = session_steps(window, parameters, first, steps);
    if (!sessions) return fail(sessions.error());
    auto events = event_steps(window, parameters);
    if (!events) return fail(events.error());
    // The last branch gives every step a row.
    const auto sql = fmt::format(
        "SELECT intDiv(at, 1000) AS t, sum(active), sum(attempt), sum(play), sum(ended), "
        "sum(errors), sum(stalls), {3} AS total FROM ({0} UNION ALL {1} UNION ALL SELECT {2} + {4} "
        "* number, 0, 0, 0, 0, 0, 0 FROM numbers({3})) GROUP BY at ORDER BY at",
        *sessions, *events, first, steps, kStep_s * 1000);
    auto answer =
        answer_of(request, context, sql, parameters,
                  {count_column("timestamp"), count_column("active"), count_column("attempts"),
                   count_column("viewercount"), count_column("ended"), count_column("errors"),
                   count_column("stalls")},
                  Reach{window.period.start_s - kSessionLengthMax_s, window.period.end_s, true});
    if (answer) answer->meta.tables.emplace_back("events");
    return answer;
}

}  // namespace

SmartQuery realtime() {
    SmartQuery out;
    out.name = "realtime";
    out.title = "The last five minutes";
    out.description =
        "60 rows of 5 s up to the end of the period (default: now), cut to a whole step. A session "
        "is active in every step that it overlaps, an open one until now; errors (of any severity) "
        "and stalls (beginnings) are events of those sessions.";
    out.period_default = "last=5m";
    out.row_schema =
        row_schema({"timestamp:integer:start of the step, epoch s",
                    "active:integer:sessions going on", "attempts:integer:sessions begun",
                    "viewercount:integer:first frames", "ended:integer:sessions ended",
                    "errors:integer:errors reported", "stalls:integer:bufferings begun"});
    out.run = run_realtime;
    return out;
}

}  // namespace playhead::query::smart
