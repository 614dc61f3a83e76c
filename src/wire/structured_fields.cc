#include "wire/structured_fields.h"

#include <algorithm>

#include "wire/structured_text.h"

namespace playhead::wire::sf {

bool Reader::take(char c) noexcept {
    if (peek() != c || at_end()) return false;
    ++position_;
    return true;
}

void Reader::skip_spaces() noexcept {
    while (peek() == ' ') ++position_;
}

void Reader::skip_blanks() noexcept {
    while (peek() == ' ' || peek() == '\t') ++position_;
}

bool Reader::read_key(std::string_view& key) {
    const std::size_t start = position_;
    if (!is_lower(peek()) && peek() != '*') return false;
    while (!at_end() && is_key_char(peek())) ++position_;
    key = text_.substr(start, position_ - start);
    return true;
}

bool Reader::read_bare_item(BareItem& item) {
    const char c = peek();
    if (c == '-' || is_digit(c)) return read_number(item);
    if (c == '"') return read_string(item);
    if (c == ':') return read_bytes(item);
    if (c == '?') return read_boolean(item);
    if (c == '@') return read_date(item);
    if (c == '%') return read_display_string(item);
    if (is_alpha(c) || c == '*') return read_token(item);
    return false;
}

bool Reader::read_number(BareItem& item) {
    constexpr int kIntegerDigitsMax = 15;
    constexpr int kWholeDigitsMax = 12;
    constexpr int kFractionDigitsMax = 3;
    const bool negative = take('-');
    std::int64_t value = 0;
    int digits = 0;
    for (; is_digit(peek()); ++position_) {
        if (++digits > kIntegerDigitsMax) return false;
        value = value * 10 + (peek() - '0');
    }
    if (digits == 0) return false;
    item = BareItem::integer(value);
    if (peek() == '.') {
        if (digits > kWholeDigitsMax) return false;
        ++position_;
        int fraction = 0;
        for (; is_digit(peek()); ++position_) {
            if (++fraction > kFractionDigitsMax) return false;
            value = value * 10 + (peek() - '0');
        }
        if (fraction == 0) return false;
        for (; fraction < kFractionDigitsMax; ++fraction) value *= 10;
        item.type = Type::Decimal;
        item.number = value;
    }
    if (negative) item.number = -item.number;
    return true;
}

bool Reader::read_string(BareItem& item) {
    const std::size_t start = ++position_;
    bool escaped = false;
    for (; !at_end(); ++position_) {
        const char c = peek();
        if (c == '"') {
            item = {Type::String, escaped, 0, text_.substr(start, position_ - start)};
            ++position_;
            return true;
        }
        if (c == '\\') {
            escaped = true;
            ++position_;
            if (peek() != '"' && peek() != '\\') return false;
        } else if (c < ' ' || c > '~') {
            return false;
        }
    }
    return false;
}

bool Reader::read_token(BareItem& item) {
    const std::size_t start = position_;
    while (!at_end() && is_token_char(peek())) ++position_;
    item = BareItem::token(text_.substr(start, position_ - start));
    return true;
}

bool Reader::read_bytes(BareItem& item) {
    const std::size_t start = ++position_;
    const std::size_t end = text_.find(':', start);
    if (end == std::string_view::npos) return false;
    item = {Type::Bytes, true, 0, text_.substr(start, end - start)};
    if (!is_base64(item.text)) return false;
    position_ = end + 1;
    return true;
}

bool Reader::read_boolean(BareItem& item) {
    ++position_;
    if (peek() != '0' && peek() != '1') return false;
    item = BareItem::boolean(peek() == '1');
    ++position_;
    return true;
}

bool Reader::read_date(BareItem& item) {
    ++position_;
    if (peek() != '-' && !is_digit(peek())) return false;
    if (!read_number(item) || item.type != Type::Integer) return false;
    item.type = Type::Date;
    return true;
}

bool Reader::read_display_string(BareItem& item) {
    ++position_;
    if (!take('"')) return false;
    const std::size_t start = position_;
    for (; !at_end(); ++position_) {
        const char c = peek();
        if (c == '"') {
            item = {Type::DisplayString, true, 0, text_.substr(start, position_ - start)};
            ++position_;
            return is_utf8(percent_decoded(item.text));
        }
        if (c < ' ' || c > '~') return false;
        if (c != '%') continue;
        if (text_.size() - position_ < 3 || !is_lower_hex(text_[position_ + 1]) ||
            !is_lower_hex(text_[position_ + 2])) {
            return false;
        }
        position_ += 2;
    }
    return false;
}

bool Reader::read_parameters(Parameters& parameters) {
    while (take(';')) {
        skip_spaces();
        Parameter parameter;
        if (!read_key(parameter.key)) return false;
        parameter.value = BareItem::boolean(true);
        if (take('=') && !read_bare_item(parameter.value)) return false;
        const auto same =
            std::find_if(parameters.begin(), parameters.end(),
                         [&](const auto& given) { return given.key == parameter.key; });
        if (same != parameters.end()) {
            same->value = parameter.value;
        } else {
            parameters.push_back(parameter);
        }
    }
    return true;
}

bool Reader::read_item(Item& item) {
    return read_bare_item(item.value) && read_parameters(item.parameters);
}

bool Reader::read_inner_list(Member& member) {
    member.is_inner_list = true;
    if (!take('(')) return false;
    while (!at_end()) {
        skip_spaces();
        if (take(')')) return read_parameters(member.parameters);
        if (!read_item(member.items.emplace_back())) return false;
        if (peek() != ' ' && peek() != ')') return false;
    }
    return false;
}

bool Reader::read_member(Member& member) {
    if (peek() == '(') return read_inner_list(member);
    return read_bare_item(member.value) && read_parameters(member.parameters);
}

namespace {

tl::unexpected<Error> malformed(const Reader& reader, const char* what) {
    return fail_parameter("field", {}, what,
                          std::string("not a structured field ") + what + " at byte " +
                              std::to_string(reader.position()));
}

/// After a member: the end, or a comma with another member behind it.
bool next_member(Reader& reader, bool& more) {
    reader.skip_blanks();
    more = !reader.at_end();
    if (!more) return true;
    if (!reader.take(',')) return false;
    reader.skip_blanks();
    return !reader.at_end();
}

}  // namespace

Result<Item> parse_item(std::string_view text) {
    Reader reader(text);
    Item item;
    reader.skip_spaces();
    if (!reader.read_item(item)) return malformed(reader, "item");
    reader.skip_spaces();
    if (!reader.at_end()) return malformed(reader, "item");
    return item;
}

Result<List> parse_list(std::string_view text) {
    Reader reader(text);
    List list;
    reader.skip_spaces();
    for (bool more = !reader.at_end(); more;) {
        if (!reader.read_member(list.emplace_back())) return malformed(reader, "list");
        if (!next_member(reader, more)) return malformed(reader, "list");
    }
    return list;
}

Result<Dictionary> parse_dictionary(std::string_view text) {
    Reader reader(text);
    Dictionary dictionary;
    reader.skip_spaces();
    for (bool more = !reader.at_end(); more;) {
        std::string_view key;
        Member member;
        if (!reader.read_key(key)) return malformed(reader, "dictionary");
        if (reader.take('=')) {
            if (!reader.read_member(member)) return malformed(reader, "dictionary");
        } else {
            member.value = BareItem::boolean(true);
            if (!reader.read_parameters(member.parameters)) return malformed(reader, "dictionary");
        }
        const auto same = std::find_if(dictionary.begin(), dictionary.end(),
                                       [&](const auto& given) { return given.first == key; });
        if (same != dictionary.end()) {
            same->second = std::move(member);
        } else {
            dictionary.emplace_back(key, std::move(member));
        }
        if (!next_member(reader, more)) return malformed(reader, "dictionary");
    }
    return dictionary;
}

}  // namespace playhead::wire::sf
