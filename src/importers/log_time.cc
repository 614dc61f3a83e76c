#include "importers/log_time.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace playhead::importers {

namespace {

constexpr std::int64_t kDayMs = 86'400'000;
/// Sizes that tell epoch seconds (until the year 5138), milliseconds and microseconds apart.
constexpr double kMillisecondsFrom = 1e11;
constexpr double kMicrosecondsFrom = 1e14;
constexpr double kEpochMax = 1e17;

/// Reads forward; `ok` turns false at the first thing that is not there.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    int digits(std::size_t count) {
        int value = 0;
        if (text_.size() - at_ < count) return missing();
        for (std::size_t index = 0; index < count; ++index) {
            const char c = text_[at_ + index];
            if (c < '0' || c > '9') return missing();
            value = value * 10 + (c - '0');
        }
        at_ += count;
        return value;
    }
    void expect(char c) {
        if (!take(c)) missing();
    }
    bool take(char c) {
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    /// ".123…" in ms; 0 when there is none.
    int fraction_ms() {
        if (!take('.') && !take(',')) return 0;
        int value = 0;
        int scale = 100;
        if (at_ >= text_.size() || text_[at_] < '0' || text_[at_] > '9') return missing();
        while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
            value += (text_[at_++] - '0') * scale;
            scale /= 10;
        }
        return value;
    }
    std::string_view rest() const { return text_.substr(at_); }
    void drop(std::size_t count) { at_ += count; }
    bool ok() const { return ok_; }

private:
    int missing() {
        ok_ = false;
        return 0;
    }
    std::string_view text_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

bool is_time(int month, int day, int hour, int minute, int second) {
    return month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59 &&
           second <= 60;
}

std::int64_t ms_of(int hour, int minute, int second) {
    return ((hour * 60LL + minute) * 60 + second) * 1000;
}

}  // namespace

std::int64_t days_of(int year, int month, int day) {
    // March is the first month: the leap day is the last of the year.
    const std::int64_t y = month <= 2 ? year - 1 : year;
    const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
    const std::int64_t year_of_era = y - era * 400;
    const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const std::int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146'097 + day_of_era - 719'468;
}

std::optional<std::int64_t> parse_epoch_ms(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return {};
    if (!(value > 0) || value > kEpochMax) return {};
    if (value >= kMicrosecondsFrom) return static_cast<std::int64_t>(value / 1000);
    if (value >= kMillisecondsFrom) return static_cast<std::int64_t>(value);
    return std::llround(value * 1000);
}

std::optional<std::int64_t> parse_offset_ms(std::string_view text) {
    if (text == "Z" || text == "z" || text == "UTC") return 0;
    Scanner scan(text);
    const bool west = scan.take('-');
    if (!west) scan.expect('+');
    const int hours = scan.digits(2);
    scan.take(':');
    const int minutes = scan.rest().empty() ? 0 : scan.digits(2);
    if (!scan.ok() || !scan.rest().empty() || hours > 14 || minutes > 59) return {};
    const std::int64_t offset = ms_of(hours, minutes, 0);
    return west ? -offset : offset;
}

std::optional<std::int64_t> parse_iso_ms(std::string_view text, std::int64_t zone_ms) {
    Scanner scan(text);
    const int year = scan.digits(4);
    scan.expect('-');
    const int month = scan.digits(2);
    scan.expect('-');
    const int day = scan.digits(2);
    if (!scan.take('T')) scan.expect(' ');
    const int hour = scan.digits(2);
    scan.expect(':');
    const int minute = scan.digits(2);
    int second = 0;
    if (scan.take(':')) second = scan.digits(2);
    const int fraction = scan.fraction_ms();
    scan.take(' ');
    if (!scan.ok() || !is_time(month, day, hour, minute, second)) return {};
    if (!scan.rest().empty()) {
        const auto offset = parse_offset_ms(scan.rest());
        if (!offset) return {};
        zone_ms = *offset;
    }
    return days_of(year, month, day) * kDayMs + ms_of(hour, minute, second) + fraction - zone_ms;
}

std::optional<std::int64_t> parse_clf_ms(std::string_view text) {
    static constexpr std::array<std::string_view, 12> kMonths{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    Scanner scan(text);
    const int day = scan.digits(2);
    scan.expect('/');
    int month = 0;
    for (std::size_t index = 0; index < kMonths.size(); ++index) {
        if (scan.rest().starts_with(kMonths[index])) month = static_cast<int>(index) + 1;
    }
    if (!scan.ok() || month == 0) return {};
    scan.drop(3);
    scan.expect('/');
    const int year = scan.digits(4);
    scan.expect(':');
    const int hour = scan.digits(2);
    scan.expect(':');
    const int minute = scan.digits(2);
    scan.expect(':');
    const int second = scan.digits(2);
    scan.expect(' ');
    if (!scan.ok() || !is_time(month, day, hour, minute, second)) return {};
    const auto offset = parse_offset_ms(scan.rest());
    if (!offset) return {};
    return days_of(year, month, day) * kDayMs + ms_of(hour, minute, second) - *offset;
}

std::optional<std::int64_t> parse_any_ms(std::string_view text) {
    if (auto time = parse_epoch_ms(text)) return time;
    if (auto time = parse_iso_ms(text)) return time;
    return parse_clf_ms(text);
}

std::string iso_text(std::int64_t epoch_ms) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z",
                       fmt::gmtime(static_cast<std::time_t>(epoch_ms / 1000)));
}

}  // namespace playhead::importers
