// How far an asset is watched: share of plays that reach each percent, where they begin and stop.
#include <fmt/format.h>

#include "model/event.h"
#include "query/smart/queries.h"

namespace playhead::query::smart {

namespace {

/// In SQL, the percent of the asset's length at which a position is.
std::string percent_sql(const char* position, const char* length) {
    return fmt::format("greatest(0, least(100, 100 * {} / {}))", position, length);
}

/// (percent of the first START, length) of plays whose rows were stored before they told it
/// (migration 0011). Reads nothing where there are none.
Result<std::string> entries_of_events(const QueryRequest& request, SqlParameters& parameters) {
    const std::string some = "(SELECT count() FROM plays WHERE entry = -2) > 0";
    auto sessions = session_rows(request, parameters, "sessionid AS i, duration_s AS d",
                                 " AND plays > 0 AND progress_percent >= 0 AND duration_s > 0 AND "
                                 "entry_s = -2 AND " +
                                     some);
    if (!sessions) return sessions;
    return fmt::format(
        "SELECT {} AS enter FROM {} AS old INNER JOIN (SELECT sessionid AS i, argMin(position_s, "
        "event_time) AS position {} AND kind = {} AND event_time >= {} AND event_time < {} AND {} "
        "GROUP BY i) AS entry ON old.i = entry.i",
        percent_sql("entry.position", "old.d"), *sessions, scope("events", false),
        static_cast<int>(model::EventKind::Start), parameters.time(request.period.start_s),
        parameters.time(request.period.end_s + kSessionLengthMax_s), some);
}

Result<Answer> run_analysis(const SmartRequest& request, const Context& context) {
    QueryRequest one = request.common;
    only(one, context.engine.dictionary(), "assetid", request.text("assetid"));
    SqlParameters parameters(context.customer_id);
    // -1 is no percent, and -2 one that only the events tell. No text is read but the asset's.
    auto plays = session_rows(
        one, parameters,
        fmt::format("if(subscriber != 0, subscriber, viewer) AS u, "
                    "toUnixTimestamp64Milli(start_time) AS s, toFloat64(progress_percent) AS far, "
                    "if(duration_s > 0, {}, -1) AS leave, "
                    "if(duration_s > 0 AND entry_s >= 0, {}, if(duration_s > 0, entry_s, -1)) AS "
                    "entry",
                    percent_sql("position_s", "duration_s"), percent_sql("entry_s", "duration_s")),
        " AND plays > 0 AND progress_percent >= 0");
    if (!plays) return fail(plays.error());
    const auto old = entries_of_events(one, parameters);
    if (!old) return fail(old.error());
    // Counts by percent: how far, first plays of their viewers, where they stop, where they begin.
    const auto counted = fmt::format(
        "SELECT floor(far) AS p, count() AS fars, 0 AS firsts, 0 AS leaves, 0 AS enters FROM plays "
        "GROUP BY p UNION ALL "
        "SELECT floor(first_far) AS p, 0, count(), 0, 0 FROM (SELECT argMin(far, (s, far)) AS "
        "first_far FROM plays GROUP BY u) GROUP BY p UNION ALL "
        "SELECT floor(leave) AS p, 0, 0, count(), 0 FROM plays GROUP BY p UNION ALL "
        "SELECT floor(entry) AS p, 0, 0, 0, count() FROM plays GROUP BY p UNION ALL "
        "SELECT floor(enter) AS p, 0, 0, 0, count() FROM ({}) GROUP BY p UNION ALL "
        "SELECT toFloat64(number) AS p, 0, 0, 0, 0 FROM numbers(101)",
        *old);
    // The plays are read once: they are a table of the statement. Whoever reached a percent reached
    // those before it.
    const auto sql = fmt::format(
        "WITH plays AS MATERIALIZED {} "
        "SELECT percent, sum(fars) OVER beyond AS viewers, if(n = 0, NULL, viewers * 100 / n) AS "
        "share, enters, leaves, sum(fars - firsts) OVER beyond AS again, toUInt64(101) AS total "
        "FROM (SELECT toUInt8(p) AS percent, sum(fars) AS fars, sum(firsts) AS firsts, "
        "sum(enters) AS enters, sum(leaves) AS leaves FROM ({}) WHERE p >= 0 AND p <= 100 "
        "GROUP BY percent) AS counts CROSS JOIN (SELECT count() AS n FROM plays) AS whole "
        "WINDOW beyond AS (ORDER BY percent DESC) ORDER BY percent",
        *plays, counted);
    return answer_of(request, context, sql, parameters,
                     {count_column("percent"), count_column("viewers"), number_column("share"),
                      count_column("entries"), count_column("exits"), count_column("rewatches")},
                     Reach{one.period.start_s, one.period.end_s + kSessionLengthMax_s, true});
}

}  // namespace

SmartQuery content_analysis() {
    SmartQuery out;
    out.name = "contentanalysis";
    out.title = "Content analysis";
    out.description =
        "101 rows, percent 0 to 100 of one asset, over plays whose progress is known. viewers: "
        "plays "
        "whose furthest position is at or beyond the percent; what a seek left out counts as "
        "reached. entries: plays whose START event is at this percent (whole percent, rounded "
        "down); "
        "exits: plays whose last position is. rewatches: of viewers, those who had played the "
        "asset before in the period (subscriber; where there is none, as uniqueviewercount counts). "
        "Live content has no percent and no plays here.";
    out.inputs = {id_input("assetid", "the id of the asset")};
    out.row_schema = row_schema(
        {"percent:integer:0 to 100", "viewers:integer:plays that reached it",
         "share:number?:of the plays, percent; null without plays",
         "entries:integer:plays that began here", "exits:integer:plays that stopped here",
         "rewatches:integer:of viewers, not the first play of their viewer"});
    out.run = run_analysis;
    return out;
}

}  // namespace playhead::query::smart
