/// What an operator may choose about sessions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

namespace playhead::timeline {

/// Durations are milliseconds. Plain values.
struct Options {
    std::int64_t stats_interval_ms = 10'000;  ///< until the session's own records state another
    std::int64_t cmcd_interval_ms = 30'000;   ///< CMCD's default heartbeat
    std::int64_t linger_ms = 5'000;           ///< from the last record of a clean end to closing
    std::int64_t drop_grace_ms = 60'000;     ///< beside 3 intervals, before a silent session closes
    std::int64_t reopen_ms = 2 * 3'600'000;  ///< how long a closed session may be revised
    std::size_t closed_max = 200'000;        ///< closed sessions kept for that, per partition
    std::size_t sessions_max = 2'000'000;    ///< open and closed, per partition; more are refused
    std::int64_t live_row_ms = 5'000;        ///< least time between live rows without a new state
    std::int64_t slice_ms = 10'000;          ///< least time between slices of one open session
    /// Up to so many open sessions in a partition rows are that fresh. With more the two times
    /// above grow with their number (live rows to four times, slices to twice as long): rows are
    /// then the price, and totals that only count on are what a viewer of the newest second misses
    /// least.
    std::size_t fresh_sessions = 512;
    /// When no more sessions of a partition than this had records since the last cut, all of them
    /// get their live row: the block is the price then, and a few rows more cost nothing.
    std::size_t fresh_rows = 16;
    std::int64_t future_tolerance_ms = 300'000;
    std::int64_t retention_ms = 400LL * 86'400'000;
    std::int64_t late_ms = 60'000;     ///< received later than this after its time: late
    bool unknown_errors_fatal = true;  ///< an error of unknown severity with no play after it
    std::set<std::string, std::less<>> business_errors;  ///< codes that are not technical failures
};

}  // namespace playhead::timeline
