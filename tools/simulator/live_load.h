/// Traffic that happens now: for the demo and for load tests against a running server.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "simulator/traffic.h"

namespace playhead::simulator {

struct LiveLoadOptions {
    TrafficOptions traffic;                   ///< its times and number of sessions are not used
    std::uint32_t concurrent_sessions = 100;  ///< kept up, on average
    /// Requests per second; 0 = whatever the sessions send. When set, it decides how many sessions
    /// are kept up instead of `concurrent_sessions`.
    double requests_per_second = 0;
    /// Starts with this share of the sessions at once instead of growing slowly.
    double warm_share = 1;
};

/// Hands out the requests that are due. Driven by the clock: with a `ManualClock` deterministic.
/// Not thread safe.
class LiveLoad {
public:
    static constexpr std::uint32_t kConcurrentSessionsMax = 1'000'000;

    LiveLoad(const World& world, LiveLoadOptions options, const Clock& clock);

    void on_truth(std::function<void(const Truth&)> sink) { traffic_.on_truth(std::move(sink)); }
    /// The next request that is due; false when none is due yet (then sleep `wait_ms`).
    bool next(Request& request);
    /// Milliseconds until something is due, 0 to 100.
    std::int64_t wait_ms();
    std::size_t active_sessions() const noexcept { return traffic_.active_sessions(); }
    double requests_per_second() const noexcept { return measured_rps_; }

private:
    void steer();

    LiveLoadOptions options_;
    const Clock& clock_;
    Traffic traffic_;
    std::uint64_t ordinal_ = 0;
    std::int64_t measured_from_ms_ = 0;
    std::uint64_t measured_ = 0;
    double measured_rps_ = 0;
    double target_ = 0;  ///< sessions to keep up
};

}  // namespace playhead::simulator
