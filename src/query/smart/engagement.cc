// How long viewers stay at which quality: play time by bins of the score and of the buffering.
#include <fmt/format.h>

#include "query/confidence.h"
#include "query/part.h"
#include "query/smart/queries.h"

namespace playhead::query::smart {

namespace {

struct Bins {
    const char* metric;
    std::vector<double> bounds;  ///< from the first bin's lower to the last one's upper
    bool upper_inclusive;        ///< (from, to]; else [from, to), the last [from, to]
};

const std::vector<Bins>& all_bins() {
    static const std::vector<Bins> bins{
        {"qualityofexperience", {0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100}, false},
        // The first bin is exactly 0: the sessions that never waited.
        {"bufferingratio", {0, 0, 0.2, 0.5, 1, 2, 5, 10, 20, 100}, true}};
    return bins;
}

std::string list_of(const std::vector<double>& numbers) {
    return fmt::format("[{}]", fmt::join(numbers, ", "));
}

/// Number of the bin of a value, from 1.
std::string bin_sql(const Bins& bins, const std::string& value) {
    const std::vector<double> inner(bins.bounds.begin() + 1, bins.bounds.end() - 1);
    return fmt::format("toInt64(1 + arrayCount(bound -> {} {} bound, {}))", value,
                       bins.upper_inclusive ? ">" : ">=", list_of(inner));
}

/// A tuple (name, number, from, to) of the session's bin, number 0 where it has no value.
Result<std::string> pair_sql(const Bins& bins, const SmartRequest& request,
                             const Dictionary& dictionary) {
    MetricUse use;
    if (!find_metric(dictionary, bins.metric, use)) {
        return fail(ErrorCode::Internal, std::string("the dictionary has no ") + bins.metric);
    }
    const auto& sample = formula_of(use, Source::Sessions, request.common).sample;
    const auto bin = bin_sql(bins, "toFloat64(" + sample.value.text() + ")");
    return fmt::format("('{0}', if({1}, {2}, 0), {3}[{2}], {3}[{2} + 1])", bins.metric,
                       sample.where.text(), bin, list_of(bins.bounds));
}

Result<Answer> run_engagement(const SmartRequest& request, const Context& context) {
    const auto& dictionary = context.engine.dictionary();
    const auto* play_time = dictionary.metric("playdur");
    if (play_time == nullptr) return fail(ErrorCode::Internal, "the dictionary has no playdur");
    std::string pairs;
    const auto& wanted = request.text("quality");
    for (const auto& bins : all_bins()) {
        if (wanted != "all" && wanted != bins.metric) continue;
        auto pair = pair_sql(bins, request, dictionary);
        if (!pair) return fail(pair.error());
        pairs += (pairs.empty() ? "" : ", ") + *pair;
    }
    SqlParameters parameters(context.customer_id);
    auto rows = session_rows(request.common, parameters,
                             fmt::format("toFloat64({}) AS play, arrayJoin(arrayFilter(pair -> "
                                         "pair.2 > 0, [{}])) AS bin",
                                         play_time->formula.sample.value.text(), pairs),
                             " AND plays > 0");
    if (!rows) return fail(rows.error());
    const double level = static_cast<double>(request.integer("cilevel")) / 100;
    const auto half = fmt::format("{} * sqrt(varSamp(play) / n)",
                                  parameters.number(normal_quantile(0.5 + level / 2)));
    // varSamp of one session is no number.
    const auto sql = fmt::format(
        "SELECT bin.1 AS quality, bin.3 AS lower, bin.4 AS upper, count() AS n, "
        "n * 100 / sum(n) OVER (PARTITION BY quality) AS share, avg(play) AS mean, "
        "if(n < 2, NULL, greatest(mean - {0}, 0)) AS low, if(n < 2, NULL, mean + {0}) AS high, "
        "quantileExactInclusive(0.5)(play) AS median, count() OVER () AS total FROM {1} "
        "GROUP BY quality, bin.2, lower, upper ORDER BY quality DESC, bin.2",
        half, *rows);
    return answer_of(request, context, sql, parameters,
                     {text_column("quality"), number_column("from", 2), number_column("to", 2),
                      count_column("sessions"), number_column("share"), number_column("playdur"),
                      number_column("playdur_lo"), number_column("playdur_hi"),
                      number_column("median_playdur")});
}

}  // namespace

SmartQuery engagement() {
    SmartQuery out;
    out.name = "engagement";
    out.title = "Engagement and quality";
    out.description =
        "Mean minutes of content per play (playdur) by bins of the session's score and of its "
        "buffering ratio, with confidence intervals (normal, sessions taken as independent). It "
        "shows what goes together, not what causes what: a long session also had more time to "
        "wait. "
        "Bins without a session have no row.";
    out.inputs = {
        choice_input("quality", {"all", "qualityofexperience", "bufferingratio"}, "which bins"),
        number_input("cilevel", "95", 50, 99, "level of the intervals, percent")};
    out.row_schema = row_schema(
        {"quality:string:qualityofexperience or bufferingratio (by `definition`)",
         "from:number:lower bound of the bin; inside it for the score, outside for buffering",
         "to:number:upper bound; inside it for buffering, whose first bin is exactly 0",
         "sessions:integer:plays in the bin", "share:number:percent of the plays that have a value",
         "playdur:number:mean minutes per play",
         "playdur_lo:number?:lower bound; null below 2 plays", "playdur_hi:number?:upper bound",
         "median_playdur:number:median minutes per play"});
    out.run = run_engagement;
    return out;
}

}  // namespace playhead::query::smart
