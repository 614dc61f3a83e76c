/// Character classes and text codings of RFC 9651. Internal to wire.
#pragma once

#include <string>
#include <string_view>

namespace playhead::wire::sf {

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
constexpr bool is_lower(char c) noexcept {
    return c >= 'a' && c <= 'z';
}
constexpr bool is_alpha(char c) noexcept {
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}
constexpr bool is_lower_hex(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'f');
}
constexpr bool is_key_char(char c) noexcept {
    return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*';
}
constexpr bool is_token_char(char c) noexcept {
    return is_alpha(c) || is_digit(c) ||
           (c != '\0' && std::string_view("!#$%&'*+-.^_`|~:/").find(c) != std::string_view::npos);
}

/// Base64 as RFC 9651 reads it: padding may be missing, pad bits need not be zero.
bool is_base64(std::string_view text) noexcept;
std::string base64_decoded(std::string_view text);
std::string base64_encoded(std::string_view bytes);

/// Replaces each %xx; other bytes stay. A % without two hex digits stays too.
std::string percent_decoded(std::string_view text);

bool is_utf8(std::string_view bytes) noexcept;

}  // namespace playhead::wire::sf
