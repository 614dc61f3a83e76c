/// Times as logs and exports write them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace playhead::importers {

/// Epoch seconds (with or without a fraction), milliseconds or microseconds, told apart by size.
std::optional<std::int64_t> parse_epoch_ms(std::string_view text);

/// "2026-10-24T13:55:36.123+02:00" with 'T' or a blank, fraction and offset optional; "Z", "+0200".
/// Without an offset `zone_ms` counts, which is subtracted (+1 h: 3 600 000).
std::optional<std::int64_t> parse_iso_ms(std::string_view text, std::int64_t zone_ms = 0);

/// "24/Oct/2026:13:55:36 +0200", as the common log format has it.
std::optional<std::int64_t> parse_clf_ms(std::string_view text);

/// Any of the above.
std::optional<std::int64_t> parse_any_ms(std::string_view text);

/// "+01:00", "-0530" or "Z"; milliseconds east of UTC.
std::optional<std::int64_t> parse_offset_ms(std::string_view text);

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
std::int64_t days_of(int year, int month, int day);

/// "2026-11-26T13:55:36Z".
std::string iso_text(std::int64_t epoch_ms);

}  // namespace playhead::importers
