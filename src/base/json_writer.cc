#include "base/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

namespace playhead {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Sequence {
    std::size_t bytes;
    bool valid;
};

bool within(unsigned char byte, unsigned low, unsigned high) {
    return byte >= low && byte <= high;
}

/// The UTF-8 sequence that starts at `at` (a byte >= 0x80): its length, or the length of the
/// maximal part that could have begun one (Unicode 3.9, table 3-7).
Sequence sequence_at(std::string_view text, std::size_t at) {
    const auto lead = static_cast<unsigned char>(text[at]);
    std::size_t more = 0;
    unsigned low = 0x80;
    unsigned high = 0xBF;
    if (within(lead, 0xC2, 0xDF)) {
        more = 1;
    } else if (within(lead, 0xE0, 0xEF)) {
        more = 2;
        if (lead == 0xE0) low = 0xA0;
        if (lead == 0xED) high = 0x9F;
    } else if (within(lead, 0xF0, 0xF4)) {
        more = 3;
        if (lead == 0xF0) low = 0x90;
        if (lead == 0xF4) high = 0x8F;
    } else {
        return {1, false};
    }
    for (std::size_t index = 1; index <= more; ++index) {
        if (at + index >= text.size()) return {index, false};
        if (!within(static_cast<unsigned char>(text[at + index]), low, high)) return {index, false};
        low = 0x80;
        high = 0xBF;
    }
    return {more + 1, true};
}

bool plain(char letter) {
    const auto byte = static_cast<unsigned char>(letter);
    return byte >= 0x20 && byte < 0x80 && letter != '"' && letter != '\\';
}

void append_escaped(std::string& out, char letter) {
    switch (letter) {
        case '"': out += "\\\""; return;
        case '\\': out += "\\\\"; return;
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\t': out += "\\t"; return;
        case '\b': out += "\\b"; return;
        case '\f': out += "\\f"; return;
        default: break;
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(letter);
    out += "\\u00";
    out.push_back(kHex[byte >> 4U]);
    out.push_back(kHex[byte & 15U]);
}

template <class Number>
void append_chars(std::string& out, Number number) {
    std::array<char, 40> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    out.append(text.data(), static_cast<std::size_t>(end - text.data()));
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out.push_back('"');
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t end = at;
        while (end < text.size() && plain(text[end])) ++end;
        out.append(text.substr(at, end - at));
        if (end == text.size()) break;
        at = end;
        if (static_cast<unsigned char>(text[at]) < 0x80) {
            append_escaped(out, text[at]);
            ++at;
            continue;
        }
        const Sequence sequence = sequence_at(text, at);
        out.append(sequence.valid ? text.substr(at, sequence.bytes) : kReplacement);
        at += sequence.bytes;
    }
    out.push_back('"');
}

void append_json_number(std::string& out, double value) {
    if (!std::isfinite(value)) {
        out += "null";
        return;
    }
    append_chars(out, value);
}

void JsonWriter::integer(std::int64_t number) {
    separate();
    append_chars(out_, number);
    comma_ = true;
}

void JsonWriter::integer(std::uint64_t number) {
    separate();
    append_chars(out_, number);
    comma_ = true;
}

}  // namespace playhead
