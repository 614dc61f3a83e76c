/// `playhead verify`, second half: answers of the query engine against sums over the expected
/// sessions, by formulas written here in C++ and not taken from the dictionary.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "app/verify_sessions.h"
#include "base/result.h"
#include "query/engine.h"

namespace playhead::app {

/// Single-threaded. References must outlive it.
class MetricVerifier {
public:
    MetricVerifier(const query::Engine& engine, const std::vector<ExpectedSession>& sessions,
                   std::uint64_t customer_id);

    /// Asks for every metric in every grouping. Errors are the engine's; differences are none.
    Result<void> compare();
    /// One line per grouping and per metric to stdout.
    void print() const;

    std::size_t metric_count() const noexcept { return compared_.size(); }
    std::uint64_t group_count() const noexcept { return groups_; }
    const Differences& differences() const noexcept { return differences_; }

private:
    const query::Engine& engine_;
    const std::vector<ExpectedSession>& sessions_;
    const std::uint64_t customer_id_;
    std::set<std::string> compared_;
    std::uint64_t groups_ = 0;
    Differences differences_;
};

}  // namespace playhead::app
