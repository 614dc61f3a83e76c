#include "query/change.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "model/rows.h"
#include "query/part.h"
#include "query/series.h"
#include "query/text.h"

namespace playhead::query {

namespace {

/// True when the column is 0 or 1 in every session (the model says so).
bool is_indicator(const std::string& column) {
    if (column == "sessions") return true;
    return std::any_of(
        model::kCounterColumns.begin(), model::kCounterColumns.end(), [&](const auto& each) {
            return column == each.name && std::string_view(each.meaning).starts_with("1:");
        });
}

/// A ratio whose terms are 0 or 1 in every session, so that their squares are known.
bool has_known_squares(const MetricUse& use, const QueryRequest& request) {
    if (use.aggregate != Aggregate::Plain) return false;
    const auto& formula = formula_of(use, Source::Sessions, request);
    const auto numerator = formula.numerator.columns();
    const auto denominator = formula.denominator.columns();
    return denominator.size() == 1 && is_indicator(denominator.front()) &&
           std::all_of(numerator.begin(), numerator.end(), is_indicator);
}

bool is_ratio(const MetricUse& use) {
    return use.aggregate == Aggregate::Average || use.metric->form == Form::Ratio;
}

std::vector<Figure> figures_of(const MetricUse& use, bool confidence) {
    if (!is_ratio(use)) return {Figure::SumX};
    if (!confidence) return {Figure::SumX, Figure::SumY};
    return {Figure::SumX, Figure::SumY, Figure::SumXX, Figure::SumXY, Figure::SumYY};
}

std::string text_of(const store::Cell& cell) {
    if (const auto* text = std::get_if<std::string>(&cell)) return *text;
    if (std::holds_alternative<std::monostate>(cell)) return {};
    const double number = number_of(cell, 0);
    if (number == std::floor(number) && std::fabs(number) < 1e15) {
        return std::to_string(static_cast<std::int64_t>(number));
    }
    return fmt::format("{}", number);
}

/// The request of one period: sums by all dimensions.
QueryRequest cube_request(const ChangeRequest& change, const Period& period,
                          const MetricUse& sessions) {
    QueryRequest out = change.common;
    out.period = period;
    out.metrics = {sessions};
    for (const auto& metric : change.metrics) {
        for (const auto figure : figures_of(metric, change.confidence)) {
            MetricUse use = metric;
            use.figure = figure;
            use.name += "#" + std::to_string(static_cast<int>(figure));
            out.metrics.push_back(std::move(use));
        }
    }
    out.group_by = change.dimensions;
    out.columns.clear();
    out.answer_order.clear();
    out.order = {};
    out.limit = static_cast<std::int64_t>(kCubeCellsMax) + 1;
    out.offset = 0;
    out.confidence = 0;
    return out;
}

Moments moments_of(const std::vector<store::Cell>& row, std::size_t& at, double sessions,
                   const MetricUse& use, const ChangeRequest& change) {
    const auto next = [&] { return number_of(row[at++], 0); };
    Moments out;
    out.n = sessions;
    out.x = next();
    if (!is_ratio(use)) return out;
    out.y = next();
    if (change.confidence) {
        out.xx = next();
        out.xy = next();
        out.yy = next();
    } else if (has_known_squares(use, change.common)) {
        out.xx = out.xy = out.x;
        out.yy = out.y;
    }
    return out;
}

/// `[name=value]` of every element, to be used as `filter`.
std::string filter_text(const ChangeRequest& change, const Cube& cube, const Combination& found) {
    std::string out;
    for (const auto& [dimension, code] : found.elements) {
        const auto& value = cube.values[dimension][code];
        out += "[" + change.dimensions[dimension].name;
        if (value.empty()) {
            out += " null]";
            continue;
        }
        out += "=";
        for (const char c : value) {
            if (std::string_view("[]|\\").find(c) != std::string_view::npos) out += '\\';
            out += c;
        }
        out += "]";
    }
    return out;
}

PlanColumn column(std::string name, ValueType type, int decimals) {
    PlanColumn out;
    out.name = std::move(name);
    out.type = type;
    out.integral = type == ValueType::Number && decimals == 0;
    out.decimals = decimals;
    return out;
}

Answer empty_answer(const ChangeRequest& change) {
    Answer out;
    out.columns = {column("rank", ValueType::Number, 0), column("metric", ValueType::String, 0),
                   column("cause", ValueType::String, 0)};
    for (const auto& use : change.dimensions) {
        out.columns.push_back(column(use.name, ValueType::String, 0));
    }
    for (const auto* name :
         {"explained", "explainednew", "effect", "rateeffect", "mixeffect", "before", "after",
          "weightbefore", "weightafter", "totalbefore", "totalafter"}) {
        out.columns.push_back(column(name, ValueType::Number, 6));
    }
    out.columns.push_back(column("sessionsbefore", ValueType::Number, 0));
    out.columns.push_back(column("sessions", ValueType::Number, 0));
    out.columns.push_back(column("pvalue", ValueType::Number, 8));
    out.columns.push_back(column("direction", ValueType::String, 0));
    for (const auto& each : out.columns) out.field_order.push_back(each.name);
    return out;
}

store::Cell number_cell(double value) {
    return std::isfinite(value) ? store::Cell(value) : store::Cell();
}

/// A combination's rank is the caller's.
std::vector<store::Cell> row_of(const ChangeRequest& change, const MetricUse& use, const Cube& cube,
                                const Contribution& whole, const Combination& found) {
    const auto& formula = formula_of(use, Source::Sessions, change.common);
    const double factor = use.aggregate == Aggregate::Plain ? formula.factor : 1;
    const auto value = [&](const Moments& m) {
        if (!cube.ratio) return number_cell(m.x * factor);
        return m.y > 0 ? number_cell(m.x / m.y * factor) : store::Cell();
    };
    std::vector<store::Cell> row{store::Cell(), use.name, filter_text(change, cube, found)};
    for (std::size_t d = 0; d < change.dimensions.size(); ++d) {
        const auto at = std::find_if(found.elements.begin(), found.elements.end(),
                                     [&](const Element& each) { return each.dimension == d; });
        row.push_back(at == found.elements.end() ? store::Cell()
                                                 : store::Cell(cube.values[d][at->code]));
    }
    row.push_back(number_cell(found.explained * 100));
    row.push_back(number_cell(found.explained_new * 100));
    row.push_back(number_cell(found.effect.total() * factor));
    row.push_back(number_cell(found.effect.rate * factor));
    row.push_back(number_cell(found.effect.mix * factor));
    row.push_back(value(found.before));
    row.push_back(value(found.after));
    row.push_back(number_cell(found.weight_before * 100));
    row.push_back(number_cell(found.weight_after * 100));
    row.push_back(number_cell(whole.before * factor));
    row.push_back(number_cell(whole.after * factor));
    row.emplace_back(static_cast<std::int64_t>(std::llround(found.before.n)));
    row.emplace_back(static_cast<std::int64_t>(std::llround(found.after.n)));
    const bool squares = change.confidence || has_known_squares(use, change.common);
    const double p = cube.ratio && squares ? change_p(found.before, found.after) : -1;
    row.push_back(p < 0 ? store::Cell() : store::Cell(p));
    const bool up = found.effect.total() > 0;
    const auto& good = use.metric->good;
    row.emplace_back(std::string(good == "none"         ? (up ? "up" : "down")
                                 : (good == "up") == up ? "better"
                                                        : "worse"));
    return row;
}

Result<MetricUse> read_metric(const Dictionary& dictionary, std::string_view name) {
    MetricUse use;
    if (!find_metric(dictionary, name, use)) {
        return unknown_name(dictionary, "metrics", name, "the name of a metric");
    }
    const bool summed = use.aggregate == Aggregate::Plain &&
                        (use.metric->form == Form::Ratio || use.metric->form == Form::Count);
    const bool averaged =
        use.aggregate == Aggregate::Average && !use.metric->formula.sample.empty();
    if (use.metric->source != Source::Sessions || (!summed && !averaged)) {
        return fail(Error{ErrorCode::Unprocessable,
                          use.name + " cannot be divided among dimensions: it is no sum over "
                                     "sessions and no ratio of such sums",
                          "metrics", use.name,
                          "a count, a ratio or an average, e.g. attempts, "
                          "bufferingratio, failurerate, avg_latency"});
    }
    return use;
}

/// Numbers the rows and cuts the page.
Answer finished(Answer answer, const ChangeRequest& change) {
    answer.total_records = static_cast<std::int64_t>(answer.rows.size());
    for (std::size_t i = 0; i < answer.rows.size(); ++i) {
        answer.rows[i][0] = static_cast<std::int64_t>(i + 1);
    }
    page_rows(change.common.offset, change.common.limit, answer.rows);
    answer.limit = change.common.limit;
    answer.with_meta = change.common.meta;
    answer.explain = change.common.explain;
    return answer;
}

}  // namespace

Result<ChangeRequest> change_request(const QueryRequest& common, const Dictionary& dictionary,
                                     const std::string& metrics, const std::string& dimensions,
                                     const std::string& baseline, std::int64_t now_s) {
    ChangeRequest out;
    out.common = common;
    for (const auto name : split(metrics, ',')) {
        auto use = read_metric(dictionary, name);
        if (!use) return fail(use.error());
        const bool twice = std::any_of(out.metrics.begin(), out.metrics.end(),
                                       [&](const auto& each) { return each.name == use->name; });
        if (!twice) out.metrics.push_back(std::move(*use));
    }
    if (out.metrics.empty() || out.metrics.size() > kChangeMetricsMax) {
        return fail_parameter("metrics", cut(metrics), "1 to 20 names of metrics",
                              "no metrics, or too many");
    }
    for (const auto name : split(dimensions, ',')) {
        DimensionUse use;
        if (!find_dimension(dictionary, name, use) || use.is("timestamp")) {
            return unknown_name(dictionary, "aggby", name, "the name of a dimension, not of time");
        }
        const bool twice = std::any_of(out.dimensions.begin(), out.dimensions.end(),
                                       [&](const auto& each) { return each.name == use.name; });
        if (!twice) out.dimensions.push_back(std::move(use));
    }
    if (out.dimensions.empty() || out.dimensions.size() > kCubeDimensionsMax) {
        return fail_parameter("aggby", cut(dimensions), "1 to 8 names of dimensions",
                              "no dimensions, or too many");
    }
    const auto& period = common.period;
    out.baseline = {period.start_s - period.length_s(), period.start_s};
    if (!trimmed(baseline).empty()) {
        auto given = parse_period(baseline, now_s, kBaselineDaysMax);
        if (!given) {
            Error error = given.error();
            error.parameter = "baseline";
            return fail(std::move(error));
        }
        out.baseline = *given;
    }
    if (out.baseline.start_s < period.end_s && period.start_s < out.baseline.end_s) {
        return fail_parameter("baseline", cut(baseline), "a period that does not overlap `period`",
                              "the baseline overlaps the period");
    }
    return out;
}

Result<std::vector<Cube>> read_cubes(const Engine& engine, const ChangeRequest& request,
                                     std::uint64_t customer_id, AnswerMeta& meta) {
    MetricUse sessions;
    if (!find_metric(engine.dictionary(), "sessions", sessions)) {
        return fail(ErrorCode::Internal, "the dictionary has no metric sessions");
    }
    std::vector<CubeBuilder> builders(request.metrics.size(),
                                      CubeBuilder(request.dimensions.size()));
    for (const bool after : {false, true}) {
        const auto& period = after ? request.common.period : request.baseline;
        const auto asked = cube_request(request, period, sessions);
        auto answer = engine.run(asked, customer_id);
        if (!answer) return fail(answer.error());
        if (answer->rows.size() > kCubeCellsMax) {
            return fail(Error{ErrorCode::Unprocessable,
                              "the dimensions have too many combinations",
                              "aggby",
                              {},
                              "fewer dimensions, or a filter: at most " +
                                  std::to_string(kCubeCellsMax) + " combinations"});
        }
        const auto before = std::move(meta);
        meta = std::move(answer->meta);
        if (after) add_reading(meta, before);
        const std::size_t width = request.dimensions.size();
        std::vector<std::string> values(width);
        for (const auto& row : answer->rows) {
            for (std::size_t d = 0; d < width; ++d) values[d] = text_of(row[d]);
            const double count = number_of(row[width], 0);
            std::size_t at = width + 1;
            for (std::size_t m = 0; m < request.metrics.size(); ++m) {
                builders[m].add(values, after,
                                moments_of(row, at, count, request.metrics[m], request));
            }
        }
    }
    std::vector<Cube> out;
    out.reserve(builders.size());
    for (std::size_t m = 0; m < builders.size(); ++m) {
        out.push_back(builders[m].finish(is_ratio(request.metrics[m])));
    }
    // What was used, by name of the metric: the sums have no definition of their own.
    meta.definitions.clear();
    for (const auto& use : request.metrics) {
        const auto& formula = formula_of(use, Source::Sessions, request.common);
        const bool variant = use.metric->variants.contains(request.common.definition);
        meta.definitions.push_back({use.name, variant ? request.common.definition : "smartsight",
                                    formula.unit, formula.numerator.text(),
                                    formula.denominator.text(), formula.definition, "sessions"});
    }
    return out;
}

Result<Answer> root_cause(const Engine& engine, const ChangeRequest& request,
                          std::uint64_t customer_id) {
    auto answer = empty_answer(request);
    auto cubes = read_cubes(engine, request, customer_id, answer.meta);
    if (!cubes) return fail(cubes.error());
    for (std::size_t m = 0; m < cubes->size(); ++m) {
        const auto found = find_causes((*cubes)[m], request.search);
        for (const auto& each : found.combinations) {
            answer.rows.push_back(row_of(request, request.metrics[m], (*cubes)[m], found, each));
        }
    }
    return finished(std::move(answer), request);
}

Result<Answer> top_movers(const Engine& engine, const ChangeRequest& request,
                          std::uint64_t customer_id) {
    auto answer = empty_answer(request);
    auto cubes = read_cubes(engine, request, customer_id, answer.meta);
    if (!cubes) return fail(cubes.error());
    struct Ranked {
        double score;
        std::vector<store::Cell> row;
    };
    std::vector<Ranked> all;
    for (std::size_t m = 0; m < cubes->size(); ++m) {
        const auto found = find_movers((*cubes)[m], request.search);
        const double size = std::max(std::fabs(found.before), std::fabs(found.after));
        for (const auto& each : found.combinations) {
            all.push_back({std::isfinite(size) && size > 0 ? each.score / size : 0,
                           row_of(request, request.metrics[m], (*cubes)[m], found, each)});
        }
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
    if (all.size() > request.search.limit) all.resize(request.search.limit);
    for (auto& each : all) answer.rows.push_back(std::move(each.row));
    return finished(std::move(answer), request);
}

}  // namespace playhead::query
