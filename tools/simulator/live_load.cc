#include "simulator/live_load.h"

#include <algorithm>

namespace playhead::simulator {
namespace {

constexpr std::int64_t kMeasureMs = 1000;
constexpr std::int64_t kWaitMsMax = 100;
/// Requests per second that one session sends on average with the default mix; only the first
/// guess, the measured rate steers from then on.
constexpr double kRequestsPerSessionSecond = 0.15;

TrafficOptions without_arrivals(TrafficOptions options) {
    options.sessions = 0;
    options.until_ms = options.from_ms;
    return options;
}

}  // namespace

LiveLoad::LiveLoad(const World& world, LiveLoadOptions options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      traffic_(world, without_arrivals(options_.traffic)),
      measured_from_ms_(clock.now_ms()) {
    target_ = options_.requests_per_second > 0
                  ? options_.requests_per_second / kRequestsPerSessionSecond
                  : options_.concurrent_sessions;
    target_ = std::clamp<double>(target_, 1, kConcurrentSessionsMax);
    const auto warm =
        static_cast<std::uint64_t>(target_ * std::clamp(options_.warm_share, 0.0, 1.0));
    // Spread over ten seconds, so that their reports do not come in step.
    for (std::uint64_t index = 0; index < warm; ++index) {
        const auto at = static_cast<std::int64_t>(mix64(index) % 10'000);
        traffic_.start_session(ordinal_++, measured_from_ms_ + at);
    }
}

/// Starts what is missing, at most a tenth of the target per second.
void LiveLoad::steer() {
    const std::int64_t now = clock_.now_ms();
    const std::int64_t passed = now - measured_from_ms_;
    if (passed < kMeasureMs) return;
    measured_rps_ = static_cast<double>(measured_) * 1000 / static_cast<double>(passed);
    measured_ = 0;
    measured_from_ms_ = now;
    if (options_.requests_per_second > 0 && measured_rps_ > 0) {
        const double wanted = target_ * options_.requests_per_second / measured_rps_;
        target_ += 0.1 * (std::clamp(wanted, target_ * 0.5, target_ * 2) - target_);
        target_ = std::clamp<double>(target_, 1, kConcurrentSessionsMax);
    }
    const double missing = target_ - static_cast<double>(traffic_.active_sessions());
    if (missing < 1) return;
    const auto count = static_cast<std::uint64_t>(std::min(missing, target_ * 0.1 + 1));
    for (std::uint64_t index = 0; index < count; ++index) {
        const auto at = static_cast<std::int64_t>(mix64(ordinal_) % kMeasureMs);
        traffic_.start_session(ordinal_++, now + at);
    }
}

bool LiveLoad::next(Request& request) {
    steer();
    if (traffic_.peek_ms() > clock_.now_ms()) return false;
    if (!traffic_.next(request)) return false;
    measured_ += request.records;
    return true;
}

std::int64_t LiveLoad::wait_ms() {
    return std::clamp<std::int64_t>(traffic_.peek_ms() - clock_.now_ms(), 0, kWaitMsMax);
}

}  // namespace playhead::simulator
