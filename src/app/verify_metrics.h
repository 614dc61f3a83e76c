/// `playhead verify`, second half: answers of the query engine against sums over the expected
/// sessions, by formulas written in C++ (verify_formulas.h) and not taken from the dictionary.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "app/verify_formulas.h"
#include "app/verify_sessions.h"
#include "base/result.h"
#include "query/engine.h"

namespace playhead::app {

/// What is asked for: one way of grouping, and everything compared in it.
struct Grouping {
    std::string name;
    query::Parameters parameters;  ///< beside metrics and period
    std::vector<MetricFormula> formulas;
    /// The group of a portion, as the answer's columns state it.
    std::function<std::string(const Portion&, std::int64_t hour_ms)> key;
    bool by_hour_part = false;  ///< portions are the hours of sessions (slices)
};

struct GroupingSummary {
    std::string name;
    std::size_t metrics = 0, groups = 0;
    double largest = 0;  ///< relative difference
    std::string tables;
};

/// Single-threaded. References must outlive it.
class MetricVerifier {
public:
    MetricVerifier(const query::Engine& engine, const std::vector<ExpectedSession>& sessions,
                   std::uint64_t customer_id);

    /// Asks for every metric in every grouping. Errors are the engine's; differences are none.
    Result<void> compare();
    /// One line per grouping to stdout, and which metrics of the dictionary are not compared.
    void print() const;

    std::size_t metric_count() const noexcept { return compared_.size(); }
    std::uint64_t group_count() const noexcept { return groups_; }
    const Differences& differences() const noexcept { return differences_; }

private:
    struct Sums;
    using Groups = std::map<std::string, std::vector<Sums>>;
    Groups sum_up(const Grouping& grouping) const;
    Result<void> check(const Grouping& grouping);
    Result<void> check_percentiles();
    Result<void> check_concurrency();
    void compare_value(const Grouping& grouping, const std::string& group,
                       const MetricFormula& formula, const Sums& sums, const store::Cell& cell,
                       GroupingSummary& summary);
    Result<query::Answer> ask(const query::Parameters& parameters,
                              const std::string& metrics) const;

    const query::Engine& engine_;
    const std::vector<ExpectedSession>& sessions_;
    const std::uint64_t customer_id_;
    std::int64_t from_s_ = 0, until_s_ = 0;
    std::set<std::string> compared_;
    std::uint64_t groups_ = 0;
    std::vector<GroupingSummary> summaries_;
    Differences differences_;
};

}  // namespace playhead::app
