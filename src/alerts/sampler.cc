#include "alerts/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "query/change.h"
#include "query/envelope.h"
#include "query/names.h"
#include "query/series.h"
#include "query/text.h"

namespace playhead::alerts {

namespace {

/// Figures of a sample beside the rule's metric, in the order of Sample's members. Devices stand
/// for users: viewers count those only who saw a picture.
constexpr const char* kFigures = "attempts,unique_devices,affectedsessions,affectedusers";

/// What is said of a cause.
constexpr std::array kCauseFields{"cause", "explained",      "effect",   "before",
                                  "after", "sessionsbefore", "sessions", "direction"};
constexpr std::int64_t kSteadyBaseline_s = 3600;

std::string joined(const std::vector<std::string>& list) {
    std::string out;
    for (const auto& item : list) out += (out.empty() ? "" : ",") + item;
    return out;
}

/// The parameters are ours, so errors name the field of the rule that they came from.
Error in_terms_of_rule(Error error) {
    if (error.parameter == "metrics") error.parameter = "metric";
    if (error.parameter == "aggby") error.parameter = "dimensions";
    return error;
}

/// A number of the answer's row by the name of its column; none for null.
std::optional<double> figure(const query::Answer& answer, const std::vector<store::Cell>& row,
                             std::string_view name) {
    for (std::size_t i = 0; i < answer.columns.size(); ++i) {
        if (answer.columns[i].name != name) continue;
        if (std::holds_alternative<std::monostate>(row[i])) return std::nullopt;
        return query::number_of(row[i], 0);
    }
    return std::nullopt;
}

std::string text_of(const query::PlanColumn& column, const store::Cell& cell) {
    if (const auto* text = std::get_if<std::string>(&cell)) {
        // Combinations are kept as JSON, where bytes that are no UTF-8 would come back changed.
        std::string quoted;
        append_json_string(quoted, *text);
        return nlohmann::json::parse(quoted).get<std::string>();
    }
    std::string out;
    query::append_cell(out, column, cell);
    return out;
}

/// `[name=value]`, with what ends a value escaped; nothing is `null`.
std::string equals(const std::string& name, const std::string& value) {
    if (value.empty()) return fmt::format("[{}=null]", name);
    std::string escaped;
    for (const char c : value) {
        if (c == '[' || c == ']' || c == '|' || c == '\\') escaped.push_back('\\');
        escaped.push_back(c);
    }
    return fmt::format("[{}={}]", name, escaped);
}

}  // namespace

query::Parameters QuerySampler::parameters(const Rule& rule, std::int64_t from_s,
                                           std::int64_t to_s) const {
    query::MetricUse use;
    const bool known = query::find_metric(engine_.dictionary(), rule.metric, use);
    const bool slices =
        known && use.metric->concurrency && use.aggregate == query::Aggregate::Plain;
    return {{"period", fmt::format("start={},end={}", from_s, to_s)},
            {"concurrency", slices ? "1" : "0"},
            {"filter", rule.filter},
            {"meta", "0"}};
}

Result<query::Answer> QuerySampler::ask(const Rule& rule,
                                        const query::Parameters& parameters) const {
    const auto request = engine_.parse(parameters, query::Endpoint::QbrData);
    if (!request) return fail(in_terms_of_rule(request.error()));
    auto answer = engine_.run(named(*request, rule.customer_id), rule.customer_id);
    if (!answer) return fail(in_terms_of_rule(answer.error()));
    return answer;
}

Result<std::optional<double>> QuerySampler::reference(const Rule& rule, std::int64_t time_s) const {
    const auto end_s = time_s - rule.calculation_period_s;
    auto asked = parameters(rule, end_s - rule.reference_window_s, end_s);
    asked.emplace_back("metrics", rule.metric);
    const auto answer = ask(rule, asked);
    if (!answer) return fail(answer.error());
    if (answer->rows.empty()) return std::optional<double>{};
    return figure(*answer, answer->rows.front(), answer->columns.front().name);
}

Result<Tick> QuerySampler::tick(const Rule& rule, std::int64_t time_s) const {
    query::MetricUse use;
    if (!query::find_metric(engine_.dictionary(), rule.metric, use)) {
        return query::unknown_name(engine_.dictionary(), "metric", rule.metric,
                                   "the name of a metric");
    }
    auto asked = parameters(rule, time_s - rule.calculation_period_s, time_s);
    asked.emplace_back("metrics", rule.metric + "," + kFigures);
    asked.emplace_back("orderby", "attempts");
    asked.emplace_back("limit", std::to_string(kCombinationsMax));
    if (!rule.dimensions.empty()) asked.emplace_back("aggby", joined(rule.dimensions));
    const auto answer = ask(rule, asked);
    if (!answer) return fail(answer.error());
    Tick tick;
    tick.time_s = time_s;
    tick.threshold = rule.threshold;
    if (!rule.threshold) {
        const auto average = reference(rule, time_s);
        if (!average) return fail(average.error());
        tick.baseline = *average;
        if (tick.baseline) tick.threshold = *tick.baseline * rule.factor;
    }
    const auto groups = rule.dimensions.size();
    for (const auto& row : answer->rows) {
        Sample sample;
        for (std::size_t i = 0; i < groups; ++i) {
            sample.combination.push_back(text_of(answer->columns[i], row[i]));
        }
        sample.value = figure(*answer, row, answer->columns[groups].name);
        sample.attempts = figure(*answer, row, "attempts").value_or(0);
        sample.users = figure(*answer, row, "unique_devices").value_or(0);
        sample.affected_sessions = figure(*answer, row, "affectedsessions").value_or(0);
        sample.affected_users = figure(*answer, row, "affectedusers").value_or(0);
        tick.samples.push_back(std::move(sample));
    }
    return tick;
}

std::vector<std::string> QuerySampler::worst_sessions(const Rule& rule, const Episode& episode,
                                                      std::int64_t until_s) const {
    std::string combination;
    for (std::size_t i = 0; i < rule.dimensions.size() && i < episode.combination.size(); ++i) {
        combination += equals(rule.dimensions[i], episode.combination[i]);
    }
    // Sessions whose last activity is in the episode.
    const query::Parameters asked{
        {"period", fmt::format("start={},end={}", episode.start_s, until_s)},
        {"metrics", "sessionid," + rule.metric},
        {"filter", rule.filter},
        {"orderby", rule.metric},
        {"order", rule.above ? "desc" : "asc"},
        {"limit", std::to_string(kSampleSessionsMax)},
        {"allstatus", "1"},
        {"meta", "0"}};
    std::vector<std::string> out;
    auto request = engine_.parse(asked, query::Endpoint::ListSessions);
    const auto narrower = query::parse_filter(combination, engine_.dictionary());
    if (!request || !narrower) return out;
    request->filter.insert(request->filter.end(), narrower->begin(), narrower->end());
    const auto answer = engine_.run(named(*request, rule.customer_id), rule.customer_id);
    if (!answer) return out;  // the metric has no value of a session: an alert without samples
    for (const auto& row : answer->rows) {
        const auto metric = figure(*answer, row, answer->columns.back().name);
        // Where too few are bad, the rest are no examples of it.
        if (metric && !(rule.above && *metric <= 0))
            out.push_back(text_of(answer->columns.front(), row.front()));
    }
    return out;
}

std::string QuerySampler::root_cause(const Rule& rule, const Episode& episode,
                                     std::int64_t until_s) const {
    query::MetricUse use;
    if (!query::find_metric(engine_.dictionary(), rule.metric, use)) return "[]";
    const auto length_s = std::max(until_s - episode.start_s, rule.calculation_period_s);
    const auto from_s = until_s - length_s;
    // A ratio may be compared with more than an equal time, which makes it steadier.
    const bool ratio = use.metric->form == query::Form::Ratio;
    const auto before_s = ratio ? std::max(length_s, kSteadyBaseline_s) : length_s;
    std::string others, combination;
    for (const auto name : query::split(query::kChangeDimensions, ',')) {
        const auto& own = rule.dimensions;
        if (std::find(own.begin(), own.end(), name) != own.end()) continue;
        others += (others.empty() ? "" : ",") + std::string(name);
    }
    for (std::size_t i = 0; i < rule.dimensions.size() && i < episode.combination.size(); ++i) {
        combination += equals(rule.dimensions[i], episode.combination[i]);
    }
    const query::Parameters asked{{"period", fmt::format("start={},end={}", from_s, until_s)},
                                  {"metrics", rule.metric},
                                  {"filter", rule.filter},
                                  {"meta", "0"}};
    auto request = engine_.parse(asked, query::Endpoint::QbrData);
    const auto narrower = query::parse_filter(combination, engine_.dictionary());
    if (!request || !narrower) return "[]";
    request->filter.insert(request->filter.end(), narrower->begin(), narrower->end());
    auto change = query::change_request(
        named(*request, rule.customer_id), engine_.dictionary(), rule.metric, others,
        fmt::format("start={},end={}", from_s - before_s, from_s), engine_.now_ms() / 1000);
    if (!change) return "[]";  // neither a sum nor a ratio of sums
    change->search.limit = kCausesMax;
    const auto answer = query::root_cause(engine_, *change, rule.customer_id);
    if (!answer) return "[]";
    std::string out = "[";
    for (const auto& row : answer->rows) {
        out += out.size() > 1 ? ",{" : "{";
        std::string members;
        for (const auto* name : kCauseFields) {
            for (std::size_t i = 0; i < answer->columns.size(); ++i) {
                if (answer->columns[i].name != name) continue;
                members += fmt::format("{}\"{}\":", members.empty() ? "" : ",", name);
                query::append_cell(members, answer->columns[i], row[i]);
            }
        }
        out += members + "}";
    }
    return out + "]";
}

query::QueryRequest QuerySampler::named(const query::QueryRequest& request,
                                        std::uint64_t customer_id) const {
    query::QueryRequest out = request;
    if (!query_id_.empty()) {
        out.query_id = query_id_;
        asking_ = customer_id;
    }
    return out;
}

void QuerySampler::cancel() const {
    if (!query_id_.empty()) engine_.cancel(query_id_, asking_);
}

}  // namespace playhead::alerts
