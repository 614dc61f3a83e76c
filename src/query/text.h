/// Small text operations of the request parser.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::query {

/// Without blanks at both ends.
constexpr std::string_view trimmed(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// At most 100 bytes of a client's text, for error messages.
inline std::string cut(std::string_view text) {
    constexpr std::size_t kShownBytesMax = 100;
    return text.size() <= kShownBytesMax ? std::string(text)
                                         : std::string(text.substr(0, kShownBytesMax)) + "…";
}

inline std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

/// The trimmed pieces between `separator`; empty pieces are left out.
inline std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const auto end = text.find(separator);
        const auto piece = trimmed(text.substr(0, end));
        if (!piece.empty()) out.push_back(piece);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return out;
}

/// A finite decimal number that is the whole text.
inline std::optional<double> number(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || text.empty() || end != text.data() + text.size()) return {};
    if (!(value > -1e300 && value < 1e300)) return {};
    return value;
}

}  // namespace playhead::query
