// How far an asset is watched: share of plays that reach each percent, where they begin and stop.
#include <fmt/format.h>

#include <map>

#include "model/event.h"
#include "model/rows.h"
#include "query/series.h"
#include "query/smart/queries.h"

namespace playhead::query::smart {

namespace {

/// Plays whose progress is known.
constexpr const char* kPlays = " AND plays > 0 AND progress_percent >= 0";

/// In SQL, the percent of the asset's length at which a position is.
std::string percent_sql(const char* position, const char* length) {
    return fmt::format("greatest(0, least(100, 100 * {} / {}))", position, length);
}

/// Adds the entries of plays whose rows were stored before they told them (migration 0011): from
/// the START events, as long as these are kept. Rows are (percent, viewers, share, entries, …).
Result<void> add_old_entries(const QueryRequest& one, const Context& context, Answer& answer) {
    SqlParameters parameters(context.customer_id);
    const auto sessions = session_rows(
        one, parameters, "sessionid AS i, duration_s AS d",
        fmt::format("{} AND duration_s > 0 AND entry_s = {}", kPlays, model::kEntryNotNoted));
    if (!sessions) return fail(sessions.error());
    store::Statement statement;
    statement.sql = fmt::format(
        "WITH old AS {} SELECT floor({}) AS p, count() FROM old INNER JOIN (SELECT sessionid AS i, "
        "argMin(position_s, event_time) AS position {} AND kind = {} AND event_time >= {} AND "
        "event_time < {} AND i IN (SELECT i FROM old) GROUP BY i) AS entry ON old.i = entry.i "
        "GROUP BY p",
        *sessions, percent_sql("entry.position", "old.d"), scope("events", false),
        static_cast<int>(model::EventKind::Start), parameters.time(one.period.start_s),
        parameters.time(one.period.end_s + kSessionLengthMax_s));
    statement.parameters = parameters.take();
    const auto found =
        context.engine.table(statement, one, context.customer_id,
                             {one.period.start_s, one.period.end_s + kSessionLengthMax_s, true});
    if (!found) return fail(found.error());
    add_reading(answer.meta, *found);
    answer.meta.tables.emplace_back("events");
    std::map<double, double> entries;
    for (const auto& row : found->table->rows) {
        entries[number_of(row[0], -1)] = number_of(row[1], 0);
    }
    for (auto& row : answer.rows) {
        const double count = number_of(row[3], 0) + entries[number_of(row[0], 0)];
        row[3] = store::Cell(static_cast<std::int64_t>(count));
    }
    return {};
}

Result<Answer> run_analysis(const SmartRequest& request, const Context& context) {
    QueryRequest one = request.common;
    only(one, context.engine.dictionary(), "assetid", request.text("assetid"));
    SqlParameters parameters(context.customer_id);
    // Below 0 is no percent: of an entry, `kEntryNotNoted` is one that only the events tell. No
    // text is read but the asset's.
    auto plays = session_rows(
        one, parameters,
        fmt::format("if(subscriber != 0, subscriber, viewer) AS u, "
                    "toUnixTimestamp64Milli(start_time) AS s, toFloat64(progress_percent) AS far, "
                    "if(duration_s > 0, {}, -1) AS leave, "
                    "multiIf(duration_s <= 0, -1, entry_s < 0, entry_s, {}) AS entry",
                    percent_sql("position_s", "duration_s"), percent_sql("entry_s", "duration_s")),
        kPlays);
    if (!plays) return fail(plays.error());
    // By viewer first, then each play in the counts of its percents: how far, first plays of their
    // viewers, where they begin, where they stop. As a table of the statement that several parts
    // read, the plays would be read by one thread. Whoever reached a percent reached those before.
    const auto counted = fmt::format(
        "SELECT arrayJoin(arrayConcat(arrayMap(x -> (floor(x), 1, 0, 0, 0), fars), "
        "[(floor(first_far), 0, 1, 0, 0)], arrayMap(x -> (floor(x), 0, 0, 1, 0), entries), "
        "arrayMap(x -> (floor(x), 0, 0, 0, 1), leaves))) AS x FROM (SELECT argMin(far, (s, far)) "
        "AS first_far, groupArray(far) AS fars, groupArray(entry) AS entries, groupArray(leave) AS "
        "leaves FROM {} GROUP BY u) UNION ALL SELECT (toFloat64(number), 0, 0, 0, 0) FROM "
        "numbers(101)",
        *plays);
    const auto sql = fmt::format(
        "SELECT toInt64(p) AS percent, sum(fars) OVER beyond AS viewers, "
        "if(n = 0, NULL, viewers * 100 / n) AS share, enters, leaves, "
        "sum(fars - firsts) OVER beyond AS again, old, toUInt64(101) AS total FROM ("
        "SELECT x.1 AS p, sum(x.2) AS fars, sum(x.3) AS firsts, sum(x.4) AS enters, "
        "sum(x.5) AS leaves, sum(fars) OVER () AS n, sum(if(p = {}, enters, 0)) OVER () AS old "
        "FROM ({}) GROUP BY p) WHERE p >= 0 AND p <= 100 "
        "WINDOW beyond AS (ORDER BY p DESC) ORDER BY percent",
        model::kEntryNotNoted, counted);
    auto answer = answer_of(request, context, sql, parameters,
                            {count_column("percent"), count_column("viewers"),
                             number_column("share"), count_column("entries"), count_column("exits"),
                             count_column("rewatches"), count_column("old")});
    if (!answer) return answer;
    const bool old = !answer->rows.empty() && number_of(answer->rows[0].back(), 0) > 0;
    answer->columns.pop_back();
    answer->field_order.pop_back();
    for (auto& row : answer->rows) row.pop_back();
    if (!old) return answer;
    if (auto added = add_old_entries(one, context, *answer); !added) return fail(added.error());
    return answer;
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
        "asset before in the period (subscriber; where there is none, as uniqueviewercount "
        "counts). "
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
