#include "query/period.h"

#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include "query/text.h"

namespace playhead::query {

namespace {

constexpr const char* kExpected =
    "start=<epoch seconds or ISO 8601>,end=<the same>, or last=<n><s|m|h|d|w>";

std::optional<std::int64_t> integer(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return {};
    return value;
}

/// Takes `digits` digits off the front.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
    if (text.size() < digits) return {};
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (text[i] < '0' || text[i] > '9') return {};
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
}

/// Seconds to subtract for the zone at the end of an ISO time.
std::optional<std::int64_t> zone_offset_s(std::string_view text) {
    if (text.empty() || text == "Z" || text == "z") return 0;
    const bool minus = text.front() == '-';
    // A plus sign may have been decoded to a blank by a query string.
    if (!minus && text.front() != '+' && text.front() != ' ') return {};
    text.remove_prefix(1);
    const auto hours = take_digits(text, 2);
    take(text, ':');
    const auto minutes = text.empty() ? std::optional<int>(0) : take_digits(text, 2);
    if (!hours || !minutes || !text.empty() || *hours > 14 || *minutes > 59) return {};
    const std::int64_t offset_s = *hours * 3600 + *minutes * 60;
    return minus ? -offset_s : offset_s;
}

std::optional<std::int64_t> iso_time_s(std::string_view text) {
    const auto year = take_digits(text, 4);
    if (!year || !take(text, '-')) return {};
    const auto month = take_digits(text, 2);
    if (!month || !take(text, '-')) return {};
    const auto day = take_digits(text, 2);
    if (!day) return {};
    const std::chrono::year_month_day date{std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return {};
    std::int64_t seconds = std::chrono::sys_days(date).time_since_epoch().count() * kDay_s;
    if (text.empty()) return seconds;
    if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return {};
    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take(text, ':')) return {};
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59) return {};
    seconds += *hour * 3600 + *minute * 60;
    if (take(text, ':')) {
        const auto second = take_digits(text, 2);
        if (!second || *second > 59) return {};
        seconds += *second;
        if (take(text, '.')) {
            while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
                text.remove_prefix(1);
            }
        }
    }
    const auto offset_s = zone_offset_s(text);
    if (!offset_s) return {};
    return seconds - *offset_s;
}

Result<Period> relative(std::string_view text, std::string_view amount, std::int64_t now_s) {
    static constexpr std::array<std::pair<char, std::int64_t>, 5> kUnits{
        {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', kDay_s}, {'w', 7 * kDay_s}}};
    if (amount.size() >= 2) {
        const auto count = integer(amount.substr(0, amount.size() - 1));
        for (const auto& [letter, seconds] : kUnits) {
            if (amount.back() == letter && count && *count > 0 && *count < 10'000'000) {
                return Period{now_s - *count * seconds, now_s};
            }
        }
    }
    return fail_parameter("period", std::string(text), kExpected,
                          "cannot read the length of the relative period");
}

}  // namespace

Result<std::int64_t> parse_time(std::string_view text) {
    text = trimmed(text);
    if (const auto number = integer(text)) {
        if (*number < 0 || *number > 99'999'999'999'999) {
            return fail_parameter("period", std::string(text), kExpected, "time out of range");
        }
        return *number >= 100'000'000'000 ? *number / 1000 : *number;
    }
    if (const auto seconds = iso_time_s(text)) return *seconds;
    return fail_parameter("period", cut(text), kExpected, "cannot read a time of the period");
}

Result<Period> parse_period(std::string_view text, std::int64_t now_s, std::int64_t days_max) {
    std::string_view rest = trimmed(text);
    std::optional<std::int64_t> start_s, end_s;
    Result<Period> period = Period{};
    if (rest.starts_with("last=")) {
        period = relative(cut(text), trimmed(rest.substr(5)), now_s);
        if (!period) return period;
    } else {
        while (!rest.empty()) {
            const std::size_t comma = rest.find(',');
            const auto piece = trimmed(rest.substr(0, comma));
            rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
            const std::size_t equals = piece.find('=');
            const auto name = trimmed(piece.substr(0, equals));
            auto* target = name == "start" ? &start_s : name == "end" ? &end_s : nullptr;
            if (target == nullptr || equals == std::string_view::npos || target->has_value()) {
                return fail_parameter("period", cut(text), kExpected, "cannot read the period");
            }
            auto seconds = parse_time(piece.substr(equals + 1));
            if (!seconds) return fail(seconds.error());
            *target = *seconds;
        }
        if (!start_s || !end_s) {
            return fail_parameter("period", cut(text), kExpected, "the period is incomplete");
        }
        period = Period{*start_s, *end_s};
    }
    if (period->end_s <= period->start_s) {
        return fail_parameter("period", cut(text), "an end after the start",
                              "the period ends before it starts");
    }
    if (period->length_s() > days_max * kDay_s) {
        return fail_parameter("period", cut(text), "at most " + std::to_string(days_max) + " days",
                              "the period is longer than data are kept");
    }
    return period;
}

const char* name_of(Granularity granularity) noexcept {
    switch (granularity) {
        case Granularity::Minute: return "minute";
        case Granularity::FiveMinutes: return "5minute";
        case Granularity::TenMinutes: return "10minute";
        case Granularity::Hour: return "hour";
        case Granularity::Day: return "day";
    }
    return "day";
}

const char* bucket_function(Granularity granularity) noexcept {
    switch (granularity) {
        case Granularity::Minute: return "toStartOfMinute";
        case Granularity::FiveMinutes: return "toStartOfFiveMinutes";
        case Granularity::TenMinutes: return "toStartOfTenMinutes";
        case Granularity::Hour: return "toStartOfHour";
        case Granularity::Day: return "toStartOfDay";
    }
    return "toStartOfDay";
}

std::int64_t step_s(Granularity granularity) noexcept {
    switch (granularity) {
        case Granularity::Minute: return 60;
        case Granularity::FiveMinutes: return 300;
        case Granularity::TenMinutes: return 600;
        case Granularity::Hour: return 3600;
        case Granularity::Day: return kDay_s;
    }
    return kDay_s;
}

Granularity automatic_granularity(const Period& period) noexcept {
    const std::int64_t length_s = period.length_s();
    if (length_s <= 3 * 3600) return Granularity::Minute;
    if (length_s <= 12 * 3600) return Granularity::FiveMinutes;
    if (length_s <= 24 * 3600) return Granularity::TenMinutes;
    if (length_s <= 15 * kDay_s) return Granularity::Hour;
    return Granularity::Day;
}

Result<Granularity> parse_granularity(std::string_view text, const Period& period) {
    text = trimmed(text);
    if (text.empty() || text == "auto") return automatic_granularity(period);
    for (const auto granularity : {Granularity::Minute, Granularity::FiveMinutes,
                                   Granularity::TenMinutes, Granularity::Hour, Granularity::Day}) {
        if (text == name_of(granularity)) return granularity;
    }
    return fail_parameter("granularity", cut(text), "auto, minute, 5minute, 10minute, hour or day",
                          "unknown granularity");
}

}  // namespace playhead::query
