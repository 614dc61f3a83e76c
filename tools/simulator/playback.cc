#include "simulator/playback.h"

#include <algorithm>

namespace playhead::simulator {

const char* name_of(Wire wire) noexcept {
    switch (wire) {
        case Wire::Compact: return "compact";
        case Wire::Long: return "long";
        case Wire::CmcdEvent: return "cmcd_event";
        case Wire::CmcdQuery: return "cmcd_query";
    }
    return "compact";
}

const char* name_of(Phase phase) noexcept {
    switch (phase) {
        case Phase::Startup: return "startup";
        case Phase::Playing: return "playing";
        case Phase::Stalled: return "stalled";
        case Phase::SeekStalled: return "seek_stalled";
        case Phase::Paused: return "paused";
        case Phase::AdBreak: return "ad_break";
        case Phase::Ad: return "ad";
    }
    return "startup";
}

std::int64_t Playback::position_at(std::int64_t at_ms) const noexcept {
    const auto after = std::upper_bound(
        intervals.begin(), intervals.end(), at_ms,
        [](std::int64_t time, const Interval& interval) { return time < interval.start_ms; });
    if (after == intervals.begin()) return 0;
    const Interval& interval = *std::prev(after);
    if (interval.phase != Phase::Playing) return interval.position_ms;
    return interval.position_ms + std::min(at_ms, interval.end_ms) - interval.start_ms;
}

void Playback::cut(std::int64_t at_ms) {
    position_ms = position_at(at_ms);
    while (!intervals.empty() && intervals.back().start_ms >= at_ms) intervals.pop_back();
    if (!intervals.empty()) intervals.back().end_ms = std::min(intervals.back().end_ms, at_ms);
    std::erase_if(shifts, [&](const Shift& shift) { return shift.at_ms > at_ms; });
    std::erase_if(downloads, [&](const Download& download) {
        return download.start_ms + download.total_ms > at_ms;
    });
    std::erase_if(breaks, [&](const AdBreak& pod) { return pod.start_ms > at_ms; });
    std::erase_if(faults, [&](const Fault& fault) { return fault.at_ms > at_ms; });
    end_ms = at_ms;
}

}  // namespace playhead::simulator
