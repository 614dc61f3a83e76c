#include "wire/cmcd_record.h"

#include <fmt/format.h>

#include <algorithm>

#include "wire/cmcd.h"
#include "wire/value_limits.h"

namespace playhead::wire {
namespace {

/// Where a quoted string that starts at `at` ends (behind the quote); npos when it does not.
std::size_t string_end(std::string_view text, std::size_t at) {
    for (++at; at < text.size(); ++at) {
        if (text[at] == '\\') {
            ++at;
        } else if (text[at] == '"') {
            return at + 1;
        }
    }
    return std::string_view::npos;
}

/// Where the value at `at` ends: the next comma outside quotes and parentheses. An unclosed quote
/// or parenthesis counts as an ordinary character, so that it costs one member only.
std::size_t value_end(std::string_view text, std::size_t at) {
    bool inside = false;
    for (const std::size_t start = at; at < text.size();) {
        const char c = text[at];
        if (c == ',' && !inside) return at;
        if (c == '"') {
            const std::size_t end = string_end(text, at);
            if (end == std::string_view::npos) return std::min(text.find(',', start), text.size());
            at = end;
            continue;
        }
        if (c == '(' && text.find(')', at) != std::string_view::npos) inside = true;
        if (c == ')') inside = false;
        ++at;
    }
    return text.size();
}

std::string_view trimmed(std::string_view text) {
    const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

/// Reads a value strictly, else as what it was probably meant to be.
bool read_value(std::string_view text, sf::Member& member) {
    sf::Reader reader(text);
    if (reader.read_member(member) && reader.at_end()) return true;
    member = {};
    if (text.empty()) return false;
    if (std::any_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; }))
        return false;
    if (text.size() >= 2 && text.front() == '"' && string_end(text, 0) == text.size()) {
        // Text outside ASCII or with other escapes.
        const std::string_view inner = text.substr(1, text.size() - 2);
        member.value = sf::BareItem::string(inner);
        member.value.encoded = inner.find('\\') != std::string_view::npos;
        return true;
    }
    if (text.find_first_of("\"(); =") != std::string_view::npos) return false;
    // An identifier without quotes, or a number with more digits than RFC 9651 allows.
    member.value = sf::BareItem::token(text);
    return true;
}

const sf::BareItem* scalar_of(const sf::Member& member) {
    if (!member.is_inner_list) return &member.value;
    return member.items.empty() ? nullptr : &member.items.front().value;
}

std::optional<double> number_of_item(const sf::BareItem& item) {
    if (item.type == sf::Type::Integer || item.type == sf::Type::Decimal) return item.as_double();
    if (item.type == sf::Type::Token || item.type == sf::Type::String) return number_of(item.text);
    return {};
}

}  // namespace

void CmcdRecord::read(std::string_view text, std::uint32_t& dropped) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = value_end(text, at);
        const std::string_view part = trimmed(text.substr(at, end - at));
        at = end + 1;
        if (part.empty()) continue;
        const std::size_t equals = part.find('=');
        const std::string_view key = trimmed(part.substr(0, equals));
        sf::Member member;
        member.value = sf::BareItem::boolean(true);
        if (key.empty() || key.find_first_of("\"(); \t") != std::string_view::npos ||
            (equals != std::string_view::npos &&
             !read_value(trimmed(part.substr(equals + 1)), member))) {
            ++dropped;
            continue;
        }
        const auto same = std::find_if(members_.begin(), members_.end(),
                                       [&](const auto& given) { return given.first == key; });
        if (same != members_.end()) {
            same->second = std::move(member);
        } else if (members_.size() < kCmcdKeysMax) {
            members_.emplace_back(key, std::move(member));
        } else {
            ++dropped;
        }
    }
}

const sf::Member* CmcdRecord::find(std::string_view key) const noexcept {
    for (const auto& [name, member] : members_) {
        if (name == key) return &member;
    }
    return nullptr;
}

std::optional<std::string_view> cmcd_text(const sf::BareItem& item, std::size_t bytes_max,
                                          model::Arena& arena) {
    switch (item.type) {
        case sf::Type::String:
        case sf::Type::Token: {
            if (item.text.empty()) return {};
            if (!item.encoded && item.text.size() > bytes_max) return {};
            if (!item.encoded) return item.text;
            const std::string plain = sf::decoded_text(item);
            if (plain.empty() || plain.size() > bytes_max) return {};
            return arena.copy(plain);
        }
        case sf::Type::Integer: return arena.copy(std::to_string(item.number));
        case sf::Type::Decimal: return arena.copy(fmt::format("{}", item.as_double()));
        default: return {};
    }
}

std::optional<std::string_view> cmcd_text(const sf::Member& member, std::size_t bytes_max,
                                          model::Arena& arena) {
    const sf::BareItem* item = scalar_of(member);
    if (item == nullptr) return {};
    return cmcd_text(*item, bytes_max, arena);
}

std::optional<double> cmcd_number(const sf::Member& member) {
    const sf::BareItem* item = scalar_of(member);
    if (item == nullptr) return {};
    return number_of_item(*item);
}

std::vector<CmcdNumber> cmcd_numbers(const sf::Member& member) {
    std::vector<CmcdNumber> numbers;
    const auto add = [&](const sf::BareItem& item, const sf::Parameters& parameters) {
        const auto value = number_of_item(item);
        if (!value || *value < 0) return;
        char object_type = 0;
        for (const auto& parameter : parameters) {
            if (const char type = cmcd_object_type(parameter.key)) object_type = type;
        }
        numbers.push_back({*value, object_type});
    };
    if (!member.is_inner_list) {
        add(member.value, member.parameters);
    } else {
        for (const sf::Item& item : member.items) add(item.value, item.parameters);
    }
    return numbers;
}

bool cmcd_flag(const sf::Member& member) {
    const sf::BareItem* item = scalar_of(member);
    if (item == nullptr) return false;
    if (item->type == sf::Type::Boolean) return item->number != 0;
    return item->text == "true";
}

char cmcd_object_type(std::string_view token) noexcept {
    if (token == "av") return 'b';
    if (token == "tt") return 't';
    if (token.size() == 1 && std::string_view("mavicko").find(token[0]) != std::string_view::npos) {
        return token[0];
    }
    return 0;
}

}  // namespace playhead::wire
