/// Numbers in the texts of claims.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace playhead::auth {

/// Decimal digits and nothing else; nothing when it does not fit or is negative.
inline std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || stop != text.data() + text.size() || number < 0) {
        return std::nullopt;
    }
    return number;
}

}  // namespace playhead::auth
