#include "app/verify_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <unordered_set>

namespace playhead::app {

namespace {

using model::Dimension;

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kMinuteMs = 60'000;
/// Sums are of doubles in another order.
constexpr double kRelativeMax = 1e-9;
/// Scores are stored with 24 bits.
constexpr double kRelativeScoreMax = 1e-6;
/// Above a day uniques are sketched (dictionary: standard error 0.4 %).
constexpr double kRelativeUniqueMax = 0.02;
constexpr std::int64_t kExactUniqueS = 86'400;
/// Of a percentile: share of the sessions between the answer and the exact one.
constexpr double kRankErrorMax = 0.02;

std::string hour_text(std::int64_t ms) {
    return std::to_string(ms / kHourMs * 3600);
}

std::string cell_text(const store::Cell& cell) {
    if (const auto* text = std::get_if<std::string>(&cell)) return *text;
    if (const auto* value = std::get_if<std::int64_t>(&cell)) return std::to_string(*value);
    if (const auto* value = std::get_if<std::uint64_t>(&cell)) return std::to_string(*value);
    if (const auto* value = std::get_if<double>(&cell)) return fmt::format("{}", *value);
    return "null";
}

std::optional<double> cell_number(const store::Cell& cell) {
    if (const auto* value = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*value);
    if (const auto* value = std::get_if<std::uint64_t>(&cell)) return static_cast<double>(*value);
    if (const auto* value = std::get_if<double>(&cell)) return *value;
    return std::nullopt;
}

auto by_dimension(Dimension dimension) {
    return [dimension](const Portion& portion, std::int64_t) {
        return portion.session.dimensions[model::index_of(dimension)];
    };
}

std::vector<MetricFormula> every_formula() {
    const auto all = session_formulas();
    return {all.begin(), all.end()};
}

std::vector<MetricFormula> sums_only() {
    std::vector<MetricFormula> out;
    for (const MetricFormula& formula : session_formulas()) {
        if (formula.distinct == nullptr) out.push_back(formula);
    }
    return out;
}

/// What the hourly rollups can answer.
std::vector<MetricFormula> of_rollups() {
    std::vector<MetricFormula> out = sums_only();
    std::erase_if(out, [](const MetricFormula& formula) {
        return formula.key == "totalduration" || formula.key == "progressmark" ||
               formula.key == "adstartup" || formula.key.starts_with("score_lost");
    });
    return out;
}

std::vector<MetricFormula> of_slices() {
    std::vector<MetricFormula> out;
    for (const MetricFormula& formula : session_formulas()) {
        if (formula.slices) out.push_back(formula);
    }
    return out;
}

std::vector<Grouping> groupings() {
    const query::Parameters started{{"sessiontype", "started"}, {"allstatus", "1"}};
    const query::Parameters ended{{"sessiontype", "ended"}, {"allstatus", "1"}};
    const auto with = [](query::Parameters parameters, std::string name, std::string value) {
        parameters.emplace_back(std::move(name), std::move(value));
        return parameters;
    };
    const auto total = [](const Portion&, std::int64_t) { return std::string(); };
    const auto start_hour = [](const Portion& portion, std::int64_t) {
        return hour_text(portion.session.start_ms);
    };
    const auto end_hour = [](const Portion& portion, std::int64_t) {
        return hour_text(portion.session.end_ms);
    };
    const auto hourly = with(with(started, "aggby", "timestamp"), "granularity", "hour");
    const auto hourly_ended = with(with(ended, "aggby", "timestamp"), "granularity", "hour");
    std::vector<Grouping> out{
        {"total, by start", started, every_formula(), total},
        {"total, by end", ended, every_formula(), total},
        {"total, rollup", started, of_rollups(), total},
        {"by cdn", with(started, "aggby", "cdn"), every_formula(), by_dimension(Dimension::Cdn)},
        {"by cdn, rollup", with(started, "aggby", "cdn"), of_rollups(),
         by_dimension(Dimension::Cdn)},
        {"by player", with(ended, "aggby", "player"), every_formula(),
         by_dimension(Dimension::Player)},
        {"by asset", with(with(started, "aggby", "assetid"), "limit", "100000"), sums_only(),
         by_dimension(Dimension::AssetId)},
        {"by view status, rollup", with(ended, "aggby", "viewstatus"), of_rollups(),
         [](const Portion& portion, std::int64_t) { return portion.session.view_status; }},
        {"by hour of start", hourly, every_formula(), start_hour},
        {"by hour of start, rollup", hourly, of_rollups(), start_hour},
        {"by hour of end, rollup", hourly_ended, of_rollups(), end_hour},
    };
    const query::Parameters inside{{"concurrency", "1"}, {"allstatus", "1"}};
    out.push_back({"slices, total", inside, of_slices(), total, true});
    out.push_back({"slices, by hour",
                   with(with(inside, "aggby", "timestamp"), "granularity", "hour"), of_slices(),
                   [](const Portion&, std::int64_t hour) { return hour_text(hour); }, true});
    for (const char* definition : {"cta2066", "mux", "conviva"}) {
        Grouping variant{fmt::format("definition={}, by cdn", definition),
                         with(with(started, "definition", definition), "aggby", "cdn"),
                         {},
                         by_dimension(Dimension::Cdn)};
        for (const VariantFormula& each : variant_formulas()) {
            if (each.definition == definition) variant.formulas.push_back(each.formula);
        }
        out.push_back(std::move(variant));
    }
    return out;
}

}  // namespace

struct MetricVerifier::Sums {
    double numerator = 0, denominator = 0;
    std::unordered_set<std::string> values;
};

MetricVerifier::MetricVerifier(const query::Engine& engine,
                               const std::vector<ExpectedSession>& sessions,
                               std::uint64_t customer_id)
    : engine_(engine), sessions_(sessions), customer_id_(customer_id) {
    std::int64_t first = INT64_MAX, last = 0;
    for (const ExpectedSession& session : sessions_) {
        first = std::min(first, session.start_ms);
        last = std::max(last, session.end_ms);
    }
    from_s_ = first / kHourMs * 3600;
    until_s_ = (last / kHourMs + 1) * 3600;
}

Result<query::Answer> MetricVerifier::ask(const query::Parameters& parameters,
                                          const std::string& metrics) const {
    query::Parameters all = parameters;
    all.emplace_back("metrics", metrics);
    all.emplace_back("period", fmt::format("start={},end={}", from_s_, until_s_));
    auto request = engine_.parse(all, query::Endpoint::MetricQuery);
    if (!request) return fail(request.error());
    return engine_.run(*request, customer_id_);
}

MetricVerifier::Groups MetricVerifier::sum_up(const Grouping& grouping) const {
    Groups groups;
    const auto add = [&](const Portion& portion, std::int64_t hour) {
        auto& sums = groups[grouping.key(portion, hour)];
        sums.resize(grouping.formulas.size());
        for (std::size_t at = 0; at < grouping.formulas.size(); ++at) {
            const MetricFormula& formula = grouping.formulas[at];
            if (formula.numerator != nullptr) sums[at].numerator += formula.numerator(portion);
            if (formula.denominator != nullptr) {
                sums[at].denominator += formula.denominator(portion);
            }
            if (formula.distinct == nullptr) continue;
            if (auto value = formula.distinct(portion); !value.empty()) {
                sums[at].values.insert(std::move(value));
            }
        }
    };
    for (const ExpectedSession& session : sessions_) {
        if (!grouping.by_hour_part) {
            add({session, session.counters, 0}, 0);
            continue;
        }
        for (const auto& [hour, part] : session.hours) {
            if (part.present > 0) add({session, part.counters, part.active_ms}, hour);
        }
    }
    return groups;
}

void MetricVerifier::compare_value(const Grouping& grouping, const std::string& group,
                                   const MetricFormula& formula, const Sums& sums,
                                   const store::Cell& cell, GroupingSummary& summary) {
    std::optional<double> expected = sums.numerator * formula.factor;
    if (formula.distinct != nullptr && formula.numerator == nullptr) {
        expected = static_cast<double>(sums.values.size());
    } else if (formula.distinct != nullptr || formula.denominator != nullptr) {
        const double below = formula.distinct != nullptr ? static_cast<double>(sums.values.size())
                                                         : sums.denominator;
        expected = below == 0 ? std::nullopt : std::optional(*expected / below);
    }
    const std::optional<double> answered = cell_number(cell);
    double relative = 0;
    if (expected.has_value() != answered.has_value()) {
        relative = 1;
    } else if (expected) {
        const double size = std::max({std::abs(*expected), std::abs(*answered), 1e-12});
        relative = std::abs(*expected - *answered) / size;
    }
    const bool sketched = formula.distinct != nullptr && until_s_ - from_s_ > kExactUniqueS;
    const bool score = formula.key == "qualityofexperience" || formula.key.starts_with("score_");
    const double allowed = sketched ? kRelativeUniqueMax : score ? kRelativeScoreMax : kRelativeMax;
    summary.largest = std::max(summary.largest, relative);
    if (relative <= allowed) return;
    differences_.add(
        fmt::format("{} {}", grouping.name, formula.key),
        fmt::format("{} [{}] {}: answered {}, truth {}", grouping.name, group, formula.key,
                    cell_text(cell), expected ? fmt::format("{}", *expected) : "null"));
}

Result<void> MetricVerifier::check(const Grouping& grouping) {
    std::string names;
    for (const MetricFormula& formula : grouping.formulas) {
        names += (names.empty() ? "" : ",") + std::string(formula.key);
        compared_.emplace(formula.key);
    }
    auto answer = ask(grouping.parameters, names);
    if (!answer) return fail(answer.error());
    const Groups groups = sum_up(grouping);
    GroupingSummary summary{grouping.name, grouping.formulas.size(), groups.size(), 0, {}};
    for (const std::string& table : answer->meta.tables) {
        summary.tables += (summary.tables.empty() ? "" : ", ") + table;
    }
    const std::vector<Sums> nothing(grouping.formulas.size());
    std::set<std::string> seen;
    for (const auto& row : answer->rows) {
        std::string group;
        std::size_t metric = 0;
        const std::vector<Sums>* sums = &nothing;
        for (std::size_t at = 0; at < row.size(); ++at) {
            if (!answer->columns[at].is_metric) {
                group = cell_text(row[at]);
                continue;
            }
            if (metric == 0) {
                const auto found = groups.find(group);
                if (found != groups.end()) sums = &found->second;
                seen.insert(group);
            }
            compare_value(grouping, group, grouping.formulas[metric], (*sums)[metric], row[at],
                          summary);
            ++metric;
        }
    }
    for (const auto& [group, sums] : groups) {
        if (seen.contains(group)) continue;
        summary.largest = 1;
        differences_.add(grouping.name, fmt::format("{} [{}] is missing", grouping.name, group));
    }
    groups_ += groups.size();
    summaries_.push_back(std::move(summary));
    return {};
}

Result<void> MetricVerifier::check_percentiles() {
    std::vector<double> startups;
    for (const ExpectedSession& session : sessions_) {
        if (session.startup_ms >= 0) startups.push_back(static_cast<double>(session.startup_ms));
    }
    std::sort(startups.begin(), startups.end());
    GroupingSummary summary{"percentiles of latency (difference in rank)", 4, 4, 0, {}};
    const std::pair<const char*, double> asked[] = {{"median_latency", 0.5},
                                                    {"p75_latency", 0.75},
                                                    {"p95_latency", 0.95},
                                                    {"p99_latency", 0.99}};
    for (const auto& [name, level] : asked) {
        auto answer = ask({{"sessiontype", "started"}, {"allstatus", "1"}}, name);
        if (!answer) return fail(answer.error());
        const auto value =
            answer->rows.empty() ? std::nullopt : cell_number(answer->rows[0].back());
        ++groups_;
        if (startups.empty() && !value) continue;
        const double ms = value.value_or(-1) * 1000;
        // Anywhere between the sessions below and those not above is right.
        const auto count = static_cast<double>(startups.size());
        const auto low = static_cast<double>(
            std::lower_bound(startups.begin(), startups.end(), ms - 0.001) - startups.begin());
        const auto high = static_cast<double>(
            std::upper_bound(startups.begin(), startups.end(), ms + 0.001) - startups.begin());
        const double wanted = level * count;
        const double off = std::max({0.0, low - wanted - 1, wanted - high - 1}) / count;
        summary.largest = std::max(summary.largest, off);
        compared_.insert(name);
        if (value && off <= kRankErrorMax) continue;
        differences_.add(name, fmt::format("{}: answered {} s, which is rank {} to {} of {}", name,
                                           value.value_or(-1), low, high, count));
    }
    summaries_.push_back(std::move(summary));
    return {};
}

/// Concurrency and what else is counted over slices and not summed.
Result<void> MetricVerifier::check_concurrency() {
    std::map<std::int64_t, std::int64_t> minutes;
    double active = 0, views = 0;
    std::set<std::string> played;
    for (const ExpectedSession& session : sessions_) {
        const std::int64_t last = std::max(session.end_ms - 1, session.start_ms) / kMinuteMs;
        for (std::int64_t at = session.start_ms / kMinuteMs; at <= last; ++at) ++minutes[at];
        for (const auto& [hour, part] : session.hours) {
            active += static_cast<double>(part.active_ms);
            if (part.counters.playing_ms > 0 || part.counters.plays > 0) {
                played.insert(session.session_id);
            }
        }
    }
    views = static_cast<double>(played.size());
    std::int64_t peak = 0;
    for (const auto& [minute, count] : minutes) peak = std::max(peak, count);
    auto answer =
        ask({{"concurrency", "1"}, {"allstatus", "1"}}, "concurviewmax,concurviewavg,views");
    if (!answer) return fail(answer.error());
    const double expected[] = {static_cast<double>(peak),
                               active / (static_cast<double>(until_s_ - from_s_) * 1000), views};
    GroupingSummary summary{"slices, concurrency", 3, 1, 0, {}};
    ++groups_;
    for (std::size_t at = 0; at < 3; ++at) {
        const std::string& name = answer->columns[at].name;
        compared_.insert(name);
        const double value =
            answer->rows.empty() ? 0 : cell_number(answer->rows[0][at]).value_or(0);
        const double relative =
            std::abs(value - expected[at]) / std::max(1e-12, std::abs(expected[at]));
        summary.largest = std::max(summary.largest, relative);
        if (relative <= kRelativeMax) continue;
        differences_.add(name, fmt::format("{}: answered {}, truth {}", name, value, expected[at]));
    }
    summaries_.push_back(std::move(summary));
    return {};
}

Result<void> MetricVerifier::compare() {
    if (sessions_.empty()) return {};
    for (const Grouping& grouping : groupings()) {
        if (auto checked = check(grouping); !checked) return checked;
    }
    if (auto checked = check_percentiles(); !checked) return checked;
    return check_concurrency();
}

void MetricVerifier::print() const {
    fmt::print("\n{:<46} {:>8} {:>7} {:>12}  {}\n", "metrics: grouping", "metrics", "groups",
               "largest", "read from");
    for (const GroupingSummary& summary : summaries_) {
        fmt::print("{:<46} {:>8} {:>7} {:>12.3g}  {}\n", summary.name, summary.metrics,
                   summary.groups, summary.largest, summary.tables);
    }
    std::string rest;
    for (const query::Metric& metric : engine_.dictionary().metrics()) {
        if (!compared_.contains(metric.key)) rest += (rest.empty() ? "" : ", ") + metric.key;
    }
    if (!rest.empty()) fmt::print("not compared: {}\n", rest);
}

}  // namespace playhead::app
