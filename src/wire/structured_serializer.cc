#include <cmath>

#include "wire/structured_fields.h"
#include "wire/structured_text.h"

namespace playhead::wire::sf {
namespace {

constexpr std::int64_t kIntegerMax = 999'999'999'999'999;

/// Appends canonical text; false as soon as a value has none.
class Writer {
public:
    bool key(std::string_view name) {
        if (name.empty() || (!is_lower(name[0]) && name[0] != '*')) return false;
        for (const char c : name) {
            if (!is_key_char(c)) return false;
        }
        text += name;
        return true;
    }

    bool bare_item(const BareItem& item) {
        switch (item.type) {
            case Type::Integer: return integer(item.number);
            case Type::Decimal: return decimal(item.number);
            case Type::String: return string(item);
            case Type::Token: return token(item.text);
            case Type::Bytes:
                text += ':';
                text += base64_encoded(decoded_text(item));
                text += ':';
                return true;
            case Type::Boolean: text += item.number != 0 ? "?1" : "?0"; return true;
            case Type::Date: text += '@'; return integer(item.number);
            case Type::DisplayString: break;
        }
        return display_string(decoded_text(item));
    }

    bool parameters(const Parameters& list) {
        for (const Parameter& parameter : list) {
            text += ';';
            if (!key(parameter.key)) return false;
            if (parameter.value.type == Type::Boolean && parameter.value.number != 0) continue;
            text += '=';
            if (!bare_item(parameter.value)) return false;
        }
        return true;
    }

    bool member(const Member& given) {
        if (!given.is_inner_list) return bare_item(given.value) && parameters(given.parameters);
        text += '(';
        bool first = true;
        for (const Item& item : given.items) {
            if (!first) text += ' ';
            first = false;
            if (!bare_item(item.value) || !parameters(item.parameters)) return false;
        }
        text += ')';
        return parameters(given.parameters);
    }

    std::string text;

private:
    bool integer(std::int64_t value) {
        if (value > kIntegerMax || value < -kIntegerMax) return false;
        text += std::to_string(value);
        return true;
    }

    bool decimal(std::int64_t thousandths) {
        if (thousandths > kIntegerMax || thousandths < -kIntegerMax) return false;
        const std::int64_t size = thousandths < 0 ? -thousandths : thousandths;
        if (thousandths < 0) text += '-';
        text += std::to_string(size / 1000) + '.';
        std::string fraction = std::to_string(1000 + size % 1000).substr(1);
        while (fraction.size() > 1 && fraction.back() == '0') fraction.pop_back();
        text += fraction;
        return true;
    }

    bool string(const BareItem& item) {
        text += '"';
        for (const char c : decoded_text(item)) {
            if (c < ' ' || c > '~') return false;
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        text += '"';
        return true;
    }

    bool token(std::string_view name) {
        if (name.empty() || (!is_alpha(name[0]) && name[0] != '*')) return false;
        for (const char c : name) {
            if (!is_token_char(c)) return false;
        }
        text += name;
        return true;
    }

    bool display_string(const std::string& utf8) {
        constexpr std::string_view kHex = "0123456789abcdef";
        if (!is_utf8(utf8)) return false;
        text += "%\"";
        for (const char c : utf8) {
            if (c >= ' ' && c <= '~' && c != '%' && c != '"') {
                text += c;
                continue;
            }
            const auto byte = static_cast<unsigned char>(c);
            text += '%';
            text += kHex[byte >> 4U];
            text += kHex[byte & 15U];
        }
        text += '"';
        return true;
    }
};

tl::unexpected<Error> no_text() {
    return fail_parameter("field", {}, "values of RFC 9651",
                          "a value that no structured field can hold");
}

}  // namespace

BareItem BareItem::decimal(double value) {
    const double thousandths = std::nearbyint(value * 1000);
    const bool fits = std::abs(thousandths) <= 1e17;
    return {Type::Decimal, false, fits ? static_cast<std::int64_t>(thousandths) : INT64_MAX, {}};
}

std::string decoded_text(const BareItem& item) {
    if (!item.encoded) return std::string(item.text);
    if (item.type == Type::Bytes) return base64_decoded(item.text);
    if (item.type == Type::DisplayString) return percent_decoded(item.text);
    std::string plain;
    plain.reserve(item.text.size());
    for (std::size_t at = 0; at < item.text.size(); ++at) {
        if (item.text[at] == '\\' && at + 1 < item.text.size()) ++at;
        plain.push_back(item.text[at]);
    }
    return plain;
}

Result<std::string> serialize(const Item& item) {
    Writer writer;
    if (!writer.bare_item(item.value) || !writer.parameters(item.parameters)) return no_text();
    return std::move(writer.text);
}

Result<std::string> serialize(const List& list) {
    Writer writer;
    for (const Member& member : list) {
        if (!writer.text.empty()) writer.text += ", ";
        if (!writer.member(member)) return no_text();
    }
    return std::move(writer.text);
}

Result<std::string> serialize(const Dictionary& dictionary) {
    Writer writer;
    for (const auto& [key, member] : dictionary) {
        if (!writer.text.empty()) writer.text += ", ";
        if (!writer.key(key)) return no_text();
        const bool is_true =
            !member.is_inner_list && member.value.type == Type::Boolean && member.value.number != 0;
        if (!is_true) writer.text += '=';
        if (is_true ? !writer.parameters(member.parameters) : !writer.member(member)) {
            return no_text();
        }
    }
    return std::move(writer.text);
}

}  // namespace playhead::wire::sf
