// How far an asset is watched: share of plays that reach each percent, where they begin and stop.
#include <fmt/format.h>

#include "model/event.h"
#include "query/smart/queries.h"

namespace playhead::query::smart {

namespace {

/// (session, its first START's position) of the plays; no row when that is not known.
std::string entries_sql(const QueryRequest& request, SqlParameters& parameters) {
    return fmt::format(
        "(SELECT sessionid AS i, argMin(position_s, event_time) AS position {} AND kind = {} AND "
        "event_time >= {} AND event_time < {} AND sessionid IN (SELECT i FROM plays) GROUP BY i)",
        scope("events", false), static_cast<int>(model::EventKind::Start),
        parameters.time(request.period.start_s),
        parameters.time(request.period.end_s + kSessionLengthMax_s));
}

Result<Answer> run_analysis(const SmartRequest& request, const Context& context) {
    QueryRequest one = request.common;
    only(one, context.engine.dictionary(), "assetid", request.text("assetid"));
    SqlParameters parameters(context.customer_id);
    auto plays = session_rows(
        one, parameters,
        "sessionid AS i, if(subscriberid != '', subscriberid, deviceid) AS u, duration_s AS d, "
        "toFloat64(progress_percent) AS far, if(duration_s > 0, greatest(0, least(100, "
        "100 * position_s / duration_s)), -1) AS leave, toUnixTimestamp64Milli(start_time) AS s",
        " AND plays > 0 AND progress_percent >= 0");
    if (!plays) return fail(plays.error());
    // Counts by percent: how far, of whom is known who watches, first plays of these, where they
    // stop, where they begin. What is no percent (-1, beyond 100) is dropped afterwards.
    const auto counted = fmt::format(
        "SELECT floor(far) AS p, count() AS fars, countIf(u != '') AS known, 0 AS firsts, "
        "0 AS leaves, 0 AS enters FROM plays GROUP BY p UNION ALL "
        "SELECT floor(first_far) AS p, 0, 0, count(), 0, 0 FROM (SELECT argMin(far, (s, i)) AS "
        "first_far FROM plays WHERE u != '' GROUP BY u) GROUP BY p UNION ALL "
        "SELECT floor(leave) AS p, 0, 0, 0, count(), 0 FROM plays GROUP BY p UNION ALL "
        "SELECT floor(greatest(0, least(100, 100 * entry.position / play.d))) AS p, 0, 0, 0, 0, "
        "count() FROM plays AS play INNER JOIN {} AS entry ON play.i = entry.i WHERE play.d > 0 "
        "GROUP BY p UNION ALL SELECT toFloat64(number) AS p, 0, 0, 0, 0, 0 FROM numbers(101)",
        entries_sql(one, parameters));
    // The plays are read once: they are a table of the statement. Whoever reached a percent reached
    // those before it.
    const auto sql = fmt::format(
        "WITH plays AS MATERIALIZED {} "
        "SELECT percent, sum(fars) OVER beyond AS viewers, if(n = 0, NULL, viewers * 100 / n) AS "
        "share, enters, leaves, sum(known - firsts) OVER beyond AS again, toUInt64(101) AS total "
        "FROM (SELECT toUInt8(p) AS percent, sum(fars) AS fars, sum(known) AS known, "
        "sum(firsts) AS firsts, sum(enters) AS enters, sum(leaves) AS leaves FROM ({}) WHERE p >= "
        "0 AND p <= 100 "
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
        "asset "
        "before in the period (subscriber, or device where there is none). Live content has no "
        "percent and no plays here.";
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
