/// A rule tried on history: the same machine over the same values as the live evaluator.
#pragma once

#include <cstdint>
#include <vector>

#include "alerts/machine.h"
#include "alerts/sampler.h"

namespace playhead::alerts {

/// Most intervals of one back-test; each is a query (a day at five minutes is 288).
inline constexpr std::int64_t kBacktestIntervalsMax = 300;

struct Backtest {
    std::vector<Tick> ticks;
    std::vector<Episode> episodes;  ///< in the order of opening; `end_s` 0 = open at the end
};

/// Evaluates every interval that ends in (start_s, end_s]. InvalidArgument for a period with too
/// many intervals.
Result<Backtest> backtest(const Rule& rule, const Sampler& sampler, std::int64_t start_s,
                          std::int64_t end_s);

}  // namespace playhead::alerts
