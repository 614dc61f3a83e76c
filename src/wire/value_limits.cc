#include "wire/value_limits.h"

#include <charconv>

namespace playhead::wire {

std::string_view cut_text(std::string_view text, std::size_t bytes_max) noexcept {
    if (text.size() <= bytes_max) return text;
    std::size_t size = bytes_max;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
    return text.substr(0, size);
}

std::optional<double> number_of(std::string_view text) noexcept {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data(), end, value);
    if (code != std::errc() || stop != end || !(std::abs(value) <= kMeasureMax)) return {};
    return value;
}

std::optional<double> number_of(const Scalar& scalar) noexcept {
    if (scalar.type == Scalar::Type::String) return number_of(scalar.text);
    if (scalar.type != Scalar::Type::Number || !(std::abs(scalar.number) <= kMeasureMax)) return {};
    return scalar.number;
}

std::optional<std::int64_t> time_of(const Scalar& scalar) noexcept {
    const std::optional<double> value = number_of(scalar);
    if (!value || *value < 1 || *value > static_cast<double>(kTimeMsMax)) return {};
    return static_cast<std::int64_t>(*value);
}

std::optional<bool> truth_of(const Scalar& scalar) noexcept {
    if (scalar.text == "true" || scalar.text == "1") return true;
    if (scalar.text == "false" || scalar.text == "0") return false;
    return {};
}

}  // namespace playhead::wire
