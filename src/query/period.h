/// Periods and the buckets of a time series.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace playhead::query {

inline constexpr std::int64_t kDay_s = 86400;

/// Half-open [start, end), epoch seconds UTC.
struct Period {
    std::int64_t start_s = 0;
    std::int64_t end_s = 0;
    std::int64_t length_s() const noexcept { return end_s - start_s; }
    /// The UTC days that lie in it whole, as days since the epoch: [first, last).
    std::int64_t first_day() const noexcept { return (start_s + kDay_s - 1) / kDay_s; }
    std::int64_t last_day() const noexcept { return end_s / kDay_s; }
};

/// Reads `start=<t>,end=<t>` (blanks allowed) or `last=<n><s|m|h|d|w>`; <t> is epoch seconds (ms
/// when it has 13 digits) or ISO 8601 (`2026-01-31`, `2026-01-31T10:00[:00][Z|+hh:mm]`; UTC without
/// a zone). `now_s` ends a relative period. InvalidArgument when it cannot be read, is empty or
/// reversed, or is longer than `days_max` days.
Result<Period> parse_period(std::string_view text, std::int64_t now_s, std::int64_t days_max);

/// One time of a period, epoch seconds.
Result<std::int64_t> parse_time(std::string_view text);

enum class Granularity : std::uint8_t { Minute, FiveMinutes, TenMinutes, Hour, Day };

const char* name_of(Granularity granularity) noexcept;
/// The engine's function that cuts a DateTime to the start of its bucket.
const char* bucket_function(Granularity granularity) noexcept;
/// Shortest step between the starts of two buckets, seconds (a day may have 23 to 25 hours).
std::int64_t step_s(Granularity granularity) noexcept;

/// `auto`: up to 3 h minute, 12 h 5minute, 24 h 10minute, 15 d hour, else day.
Granularity automatic_granularity(const Period& period) noexcept;
Result<Granularity> parse_granularity(std::string_view text, const Period& period);

}  // namespace playhead::query
