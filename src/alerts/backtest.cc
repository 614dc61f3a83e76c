#include "alerts/backtest.h"

#include <algorithm>

namespace playhead::alerts {

Result<Backtest> backtest(const Rule& rule, const Sampler& sampler, std::int64_t start_s,
                          std::int64_t end_s) {
    const std::int64_t step_s = rule.detection_interval_s;
    const std::int64_t first_s = (start_s / step_s + 1) * step_s;
    const std::int64_t intervals = end_s < first_s ? 0 : (end_s - first_s) / step_s + 1;
    if (intervals == 0 || intervals > kBacktestIntervalsMax) {
        return fail_parameter(
            "period", std::to_string(start_s) + " to " + std::to_string(end_s),
            "1 to " + std::to_string(kBacktestIntervalsMax) + " detection intervals",
            "the period has " + std::to_string(intervals) + " intervals");
    }
    Backtest out;
    RuleState state;
    for (std::int64_t time_s = first_s; time_s <= end_s; time_s += step_s) {
        auto tick = sampler.tick(rule, time_s);
        if (!tick) return fail(tick.error());
        for (auto& change : step(rule, *tick, state)) {
            const Episode& now = change.episode;
            const auto known =
                std::find_if(out.episodes.begin(), out.episodes.end(), [&](const Episode& other) {
                    return other.start_s == now.start_s && other.combination == now.combination;
                });
            if (known == out.episodes.end()) {
                out.episodes.push_back(now);
            } else {
                *known = now;
            }
        }
        out.ticks.push_back(std::move(*tick));
    }
    return out;
}

}  // namespace playhead::alerts
