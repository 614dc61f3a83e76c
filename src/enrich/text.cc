#include "enrich/text.h"

#include <cstdint>

namespace playhead::enrich {
namespace {

struct Sequence {
    std::size_t bytes;
    std::uint32_t code_min;
};

/// By lead byte (RFC 3629); 0 bytes for one that leads nothing.
Sequence sequence_of(unsigned char lead) noexcept {
    if (lead < 0x80) return {1, 0};
    if (lead >= 0xC2 && lead <= 0xDF) return {2, 0x80};
    if (lead >= 0xE0 && lead <= 0xEF) return {3, 0x800};
    if (lead >= 0xF0 && lead <= 0xF4) return {4, 0x10000};
    return {0, 0};
}

/// Bytes of the character at the front, 0 when it is not valid.
std::size_t character_bytes(std::string_view text) noexcept {
    const auto lead = static_cast<unsigned char>(text[0]);
    const auto [bytes, code_min] = sequence_of(lead);
    if (bytes < 2) return bytes;
    if (text.size() < bytes) return 0;
    std::uint32_t code = lead & (0x7FU >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xC0U) != 0x80U) return 0;
        code = (code << 6U) | (next & 0x3FU);
    }
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code < code_min || code > 0x10FFFF || surrogate ? 0 : bytes;
}

/// The longest prefix of whole characters within `bytes_max`; all of them valid, or `valid` is
/// false.
std::string_view whole_characters(std::string_view text, std::size_t bytes_max,
                                  bool& valid) noexcept {
    std::size_t end = 0;
    valid = true;
    while (end < text.size()) {
        const std::size_t bytes = character_bytes(text.substr(end));
        if (bytes == 0) {
            valid = false;
            return text.substr(0, bytes_max);
        }
        if (end + bytes > bytes_max) break;
        end += bytes;
    }
    return text.substr(0, end);
}

}  // namespace

std::string clean_text(std::string_view text, std::size_t bytes_max) {
    bool valid = true;
    std::string clean(whole_characters(text, bytes_max, valid));
    for (char& c : clean) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) c = ' ';
        if (byte >= 0x80 && !valid) c = '?';
    }
    return clean;
}

}  // namespace playhead::enrich
