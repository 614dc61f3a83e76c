#include "wire/structured_text.h"

#include <simdjson.h>

#include <cstdint>

namespace playhead::wire::sf {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_value(char c) noexcept {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string_view without_padding(std::string_view text) noexcept {
    for (int pad = 0; pad < 2 && text.ends_with('='); ++pad) text.remove_suffix(1);
    return text;
}

}  // namespace

bool is_base64(std::string_view text) noexcept {
    const std::string_view body = without_padding(text);
    if (body.size() != text.size() && text.size() % 4 != 0) return false;
    return body.size() % 4 != 1 && body.find_first_not_of(kBase64) == std::string_view::npos;
}

std::string base64_decoded(std::string_view text) {
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : without_padding(text)) {
        bits = (bits << 6U) | static_cast<std::uint32_t>(kBase64.find(c) & 63U);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes.push_back(static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU));
    }
    return bytes;
}

std::string base64_encoded(std::string_view bytes) {
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const std::size_t left = bytes.size() - at;
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            bits = (bits << 8U) | (i < left ? static_cast<unsigned char>(bytes[at + i]) : 0U);
        }
        text.push_back(kBase64[(bits >> 18U) & 63U]);
        text.push_back(kBase64[(bits >> 12U) & 63U]);
        text.push_back(left > 1 ? kBase64[(bits >> 6U) & 63U] : '=');
        text.push_back(left > 2 ? kBase64[bits & 63U] : '=');
    }
    return text;
}

std::string percent_decoded(std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '%' && text.size() - at > 2) {
            const int high = hex_value(text[at + 1]);
            const int low = hex_value(text[at + 2]);
            if (high >= 0 && low >= 0) {
                bytes.push_back(static_cast<char>(high * 16 + low));
                at += 2;
                continue;
            }
        }
        bytes.push_back(text[at]);
    }
    return bytes;
}

bool is_utf8(std::string_view bytes) noexcept {
    return simdjson::validate_utf8(bytes.data(), bytes.size());
}

}  // namespace playhead::wire::sf
