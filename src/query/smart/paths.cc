// What viewers watch after what: nodes and links of a Sankey diagram.
#include <fmt/format.h>

#include "query/smart/queries.h"

namespace playhead::query::smart {

namespace {

constexpr std::int64_t kDepthMax = 6;
constexpr std::int64_t kVisitGapMax_min = 7 * 24 * 60;

/// Which plays of a visit are drawn.
enum class Anchor : std::uint8_t { VisitStart, From, To };

/// Pairs (step, index of the play) of one subscriber. `asset` is the holder of the bound id.
std::string pairs_sql(Anchor anchor, std::int64_t depth, const std::string& asset) {
    if (anchor == Anchor::VisitStart) {
        return fmt::format(
            "arrayMap(i -> (toInt64(place[i]) - 1, toInt64(i)), "
            "arrayFilter(i -> place[i] <= {}, arrayEnumerate(p)))",
            depth + 1);
    }
    const char* sign = anchor == Anchor::From ? "" : "-";
    return fmt::format(
        "arrayFilter(q -> q.2 >= 1 AND q.2 <= length(p) AND visit[q.2] = visit[q.2 - q.1], "
        "arrayFlatten(arrayMap(j -> arrayMap(k -> ({0}toInt64(k), toInt64(j) + {0}toInt64(k)), "
        "range({1})), arrayFilter(i -> assets[i] = {2}, arrayEnumerate(assets)))))",
        sign, depth + 1, asset);
}

Result<Answer> run_paths(const SmartRequest& request, const Context& context, Anchor anchor) {
    SqlParameters parameters(context.customer_id);
    auto rows =
        session_rows(request.common, parameters,
                     "subscriber AS u, assetid AS a, toUnixTimestamp64Milli(start_time) AS s, "
                     "toUnixTimestamp64Milli(end_time) AS e",
                     " AND plays > 0 AND subscriber != 0 AND assetid != ''");
    if (!rows) return fail(rows.error());
    const auto depth = request.integer("depth");
    const auto gap = parameters.integer(request.integer("visitgap") * 60'000);
    std::string asset, having;
    if (anchor != Anchor::VisitStart) {
        asset = parameters.text(request.text("assetid"));
        having = fmt::format(" HAVING countIf(a = {}) > 0", asset);
    }
    // Arrays of one column each: one of tuples with a text in it takes the engine twice as long.
    const auto visits = fmt::format(
        "SELECT arraySort(arrayZip(groupArray(s), groupArray(e), groupArray(a))) AS p, "
        "arrayMap(x -> x.3, p) AS assets, "
        "arrayMap((x, before) -> greatest(toInt64(0), x.1 - before.2), p, "
        "arrayPushFront(arrayPopBack(p), p[1])) AS gaps, "
        "arrayCumSum(arrayMap(g -> toInt64(g > {}), gaps)) AS visit, "
        "arrayEnumerateUniq(visit) AS place, arrayMap((v, next) -> v != next, visit, "
        "arrayPushBack(arrayPopFront(visit), toInt64(-1))) AS lasts, {} AS pairs "
        "FROM {} GROUP BY u{}",
        gap, pairs_sql(anchor, depth, asset), *rows, having);
    // Each play is a node, and with the play after it a link.
    const auto both = [](const char* of_node, const char* of_link) {
        return fmt::format("arrayConcat(arrayMap(q -> {}, pairs), arrayMap(q -> {}, links))",
                           of_node, of_link);
    };
    // A subscriber counts where a node or link is the first of its kind among theirs: no set of
    // subscribers is kept for each.
    const auto drawn = fmt::format(
        "SELECT arrayJoin(arrayZip({} AS kinds, {} AS steps, {} AS sources, {} AS targets, "
        "arrayMap(n -> n = 1, arrayEnumerateUniq(kinds, steps, sources, targets)), {}, {}, {})) AS "
        "x, x.1 AS link, x.2 AS step, x.3 AS source, x.4 AS target, x.5 AS is_first, x.6 AS gap, "
        "x.7 AS enters, x.8 AS leaves FROM (SELECT *, arrayFilter(q -> lasts[q.2] = 0 AND q.1 < "
        "{}, pairs) AS links FROM ({}))",
        both("toUInt8(0)", "toUInt8(1)"), both("q.1", "q.1"), both("assets[q.2]", "assets[q.2]"),
        both("''", "assets[q.2 + 1]"), both("toInt64(0)", "gaps[q.2 + 1]"),
        both("place[q.2] = 1", "place[q.2] = 1"), both("lasts[q.2]", "lasts[q.2 + 1]"),
        anchor == Anchor::To ? 0 : depth, visits);
    const auto sql = fmt::format(
        "SELECT *, count() OVER () AS total FROM (SELECT if(link = 1, 'link', 'node') AS kind, "
        "step, source, target, count() AS n, countIf(is_first) AS users, "
        "if(link = 1, quantileExactInclusive(0.5)(gap) / 1000, NULL) AS median_gap, "
        "countIf(enters) AS entries, countIf(leaves) AS exits FROM ({}) "
        "GROUP BY link, step, source, target) "
        "ORDER BY n DESC, kind DESC, step, source, target",
        drawn);
    return answer_of(
        request, context, sql, parameters,
        {text_column("kind"), count_column("step"), text_column("from"), text_column("to"),
         count_column("count"), count_column("users"), number_column("mediangap", 3),
         count_column("entries"), count_column("exits")});
}

template <Anchor anchor>
Result<Answer> run_anchored(const SmartRequest& request, const Context& context) {
    return run_paths(request, context, anchor);
}

SmartQuery paths(Anchor anchor, std::string name, std::string title, const char* steps) {
    SmartQuery out;
    out.name = std::move(name);
    out.title = std::move(title);
    out.description = fmt::format(
        "Plays (sessions with a first frame, a subscriber and an asset) of each subscriber in "
        "order "
        "of start; one that begins more than visitgap after the end of the one before begins a new "
        "visit. {}",
        steps);
    if (anchor != Anchor::VisitStart) {
        out.inputs.push_back(id_input("assetid", "the id of the asset"));
    }
    out.inputs.push_back(
        number_input("depth", "3", 1, kDepthMax, "how many transitions to follow"));
    out.inputs.push_back(number_input("visitgap", "30", 1, kVisitGapMax_min,
                                      "minutes without a play that end a visit"));
    out.row_schema = row_schema(
        {"kind:string:node or link; a page has both nodes of every link in it or before it",
         "step:integer:transitions from the anchor, negative before it", "from:string:asset id",
         "to:string:asset id of the next play; empty for a node", "count:integer:how often",
         "users:integer:distinct subscribers",
         ("mediangap:number?:median seconds from the end of a play to the start of the next; null "
          "for a node"),
         "entries:integer:of these, where the play `from` begins a visit",
         "exits:integer:of these, where the visit ends after the last play named"});
    switch (anchor) {
        case Anchor::VisitStart: out.run = run_anchored<Anchor::VisitStart>; break;
        case Anchor::From: out.run = run_anchored<Anchor::From>; break;
        case Anchor::To: out.run = run_anchored<Anchor::To>; break;
    }
    return out;
}

}  // namespace

SmartQuery content_paths() {
    return paths(Anchor::VisitStart, "contentpaths", "Content paths",
                 "Step 0 is the first play of a visit.");
}

SmartQuery content_paths_from() {
    return paths(Anchor::From, "contentpathsfrom", "Content paths from an asset",
                 "Step 0 is every play of the asset; what follows in the visit has steps above.");
}

SmartQuery content_paths_to() {
    return paths(
        Anchor::To, "contentpathsto", "Content paths to an asset",
        "Step 0 is every play of the asset; what came before in the visit has steps below.");
}

}  // namespace playhead::query::smart
