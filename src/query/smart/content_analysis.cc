// How far an asset is watched: share of plays that reach each percent, where they begin and stop.
#include <fmt/format.h>

#include "model/event.h"
#include "query/smart/queries.h"

namespace playhead::query::smart {

namespace {

/// (session, percent of its first START's position) of the plays; no row when that is not known.
std::string entries_sql(const QueryRequest& request, SqlParameters& parameters,
                        const std::string& plays) {
    return fmt::format(
        "(SELECT sessionid AS i, argMin(position_s, event_time) AS position {} AND kind = {} AND "
        "event_time >= {} AND event_time < {} AND sessionid IN (SELECT i FROM {}) GROUP BY i)",
        scope("events", false), static_cast<int>(model::EventKind::Start),
        parameters.time(request.period.start_s),
        parameters.time(request.period.end_s + kSessionLengthMax_s), plays);
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
    // Each play counts once at its entry, once at its exit and at every percent up to the furthest.
    const auto curve = fmt::format(
        "SELECT far, leave, if(entry.i = '' OR d <= 0, -1, greatest(0, least(100, "
        "100 * entry.position / d))) AS enter, again FROM (SELECT *, row_number() OVER "
        "(PARTITION BY u ORDER BY s, i) > 1 AND u != '' AS again FROM {0}) AS play LEFT JOIN {1} "
        "AS entry ON play.i = entry.i",
        *plays, entries_sql(one, parameters, *plays));
    const auto sql = fmt::format(
        "SELECT c.1 AS percent, c.2 AS viewers, if(c.3 = 0, NULL, c.2 * 100 / c.3) AS share, c.4, "
        "c.5, c.6, toUInt64(101) AS total FROM (SELECT arrayJoin(arrayMap(x -> (x, "
        "arraySum(arraySlice(fars, x + 1)), n, enters[x + 1], leaves[x + 1], "
        "arraySum(arraySlice(agains, x + 1))), range(101))) AS c FROM (SELECT count() AS n, "
        "sumForEach(arrayMap(x -> toUInt64(x = floor(far)), range(101))) AS fars, "
        "sumForEach(arrayMap(x -> toUInt64(x = floor(enter)), range(101))) AS enters, "
        "sumForEach(arrayMap(x -> toUInt64(x = floor(leave)), range(101))) AS leaves, "
        "sumForEach(arrayMap(x -> toUInt64(again AND x = floor(far)), range(101))) AS agains "
        "FROM ({}))) ORDER BY percent",
        curve);
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
