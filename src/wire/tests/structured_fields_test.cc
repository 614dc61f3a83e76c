#include "wire/structured_fields.h"

#include <gtest/gtest.h>

#include <deque>
#include <nlohmann/json.hpp>

#include "wire/structured_text.h"
#include "wire/tests/shared_data.h"

namespace playhead::wire::sf {
namespace {

// Keeps the order of parameters and members: the vectors use arrays of pairs.
using Json = nlohmann::json;

std::string base32_decoded(const std::string& text) {
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        if (c == '=') break;
        const int value = c >= 'A' ? c - 'A' : c - '2' + 26;
        bits = (bits << 5U) | static_cast<std::uint32_t>(value);
        count += 5;
        if (count < 8) continue;
        count -= 8;
        bytes.push_back(static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU));
    }
    return bytes;
}

std::string base32_encoded(const std::string& bytes) {
    static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    std::string text;
    std::uint64_t bits = 0;
    int count = 0;
    for (const char c : bytes) {
        bits = (bits << 8U) | static_cast<unsigned char>(c);
        count += 8;
        for (; count >= 5; count -= 5) text += kDigits[(bits >> (count - 5)) & 31U];
    }
    if (count > 0) text += kDigits[(bits << (5 - count)) & 31U];
    while (text.size() % 8 != 0) text += '=';
    return text;
}

Json to_json(const BareItem& item) {
    switch (item.type) {
        case Type::Integer: return item.number;
        case Type::Decimal: return item.as_double();
        case Type::String: return decoded_text(item);
        case Type::Boolean: return item.number != 0;
        case Type::Token: return {{"__type", "token"}, {"value", item.text}};
        case Type::Bytes:
            return {{"__type", "binary"}, {"value", base32_encoded(decoded_text(item))}};
        case Type::Date: return {{"__type", "date"}, {"value", item.number}};
        case Type::DisplayString: break;
    }
    return {{"__type", "displaystring"}, {"value", decoded_text(item)}};
}

Json to_json(const Parameters& parameters) {
    Json result = Json::array();
    for (const auto& parameter : parameters) {
        result.push_back(Json::array({parameter.key, to_json(parameter.value)}));
    }
    return result;
}

Json to_json(const Member& member) {
    if (!member.is_inner_list) {
        return Json::array({to_json(member.value), to_json(member.parameters)});
    }
    Json items = Json::array();
    for (const auto& item : member.items) {
        items.push_back(Json::array({to_json(item.value), to_json(item.parameters)}));
    }
    return Json::array({items, to_json(member.parameters)});
}

/// Builds values from the vectors' JSON; `texts` owns their text.
struct Builder {
    std::deque<std::string> texts;

    std::string_view keep(std::string text) { return texts.emplace_back(std::move(text)); }

    BareItem bare(const Json& json) {
        if (json.is_boolean()) return BareItem::boolean(json.get<bool>());
        if (json.is_number_integer()) return BareItem::integer(json.get<std::int64_t>());
        if (json.is_number()) return BareItem::decimal(json.get<double>());
        if (json.is_string()) return BareItem::string(keep(json.get<std::string>()));
        const std::string type = json.at("__type");
        if (type == "date") return BareItem::date(json.at("value").get<std::int64_t>());
        const std::string value = json.at("value");
        if (type == "token") return BareItem::token(keep(value));
        if (type == "binary") return BareItem::bytes(keep(base32_decoded(value)));
        return BareItem::display_string(keep(value));
    }

    Parameters parameters(const Json& json) {
        Parameters result;
        for (const auto& pair : json) {
            result.push_back({keep(pair.at(0).get<std::string>()), bare(pair.at(1))});
        }
        return result;
    }

    Member member(const Json& json) {
        Member result;
        result.parameters = parameters(json.at(1));
        result.is_inner_list = json.at(0).is_array();
        if (!result.is_inner_list) {
            result.value = bare(json.at(0));
            return result;
        }
        for (const auto& item : json.at(0)) {
            result.items.push_back({bare(item.at(0)), parameters(item.at(1))});
        }
        return result;
    }
};

struct Parsed {
    bool ok = false;
    Json value;
    std::string canonical;
};

Parsed parse(const std::string& type, const std::string& raw) {
    Parsed result;
    const auto take = [&](const Result<std::string>& text) {
        result.ok = true;
        EXPECT_TRUE(text.has_value()) << raw;
        if (text) result.canonical = *text;
    };
    if (type == "item") {
        const auto item = parse_item(raw);
        if (!item) return result;
        result.value = Json::array({to_json(item->value), to_json(item->parameters)});
        take(serialize(*item));
    } else if (type == "list") {
        const auto list = parse_list(raw);
        if (!list) return result;
        result.value = Json::array();
        for (const auto& member : *list) result.value.push_back(to_json(member));
        take(serialize(*list));
    } else {
        const auto dictionary = parse_dictionary(raw);
        if (!dictionary) return result;
        result.value = Json::array();
        for (const auto& [key, member] : *dictionary) {
            result.value.push_back(Json::array({key, to_json(member)}));
        }
        take(serialize(*dictionary));
    }
    return result;
}

std::string joined(const Json& lines) {
    std::string text;
    for (std::size_t index = 0; index < lines.size(); ++index) {
        if (index > 0) text += ", ";
        text += lines[index].get<std::string>();
    }
    return text;
}

void check_parse(const Json& test, const std::string& where) {
    const std::string raw = joined(test.at("raw"));
    const Parsed parsed = parse(test.at("header_type"), raw);
    if (test.value("must_fail", false)) {
        EXPECT_FALSE(parsed.ok) << where << " must fail: " << raw;
        return;
    }
    if (!parsed.ok && test.value("can_fail", false)) return;
    ASSERT_TRUE(parsed.ok) << where << ": " << raw;
    EXPECT_EQ(parsed.value, test.at("expected")) << where;
    EXPECT_EQ(parsed.canonical,
              joined(test.contains("canonical") ? test["canonical"] : test["raw"]))
        << where;
}

void check_serialize(const Json& test, const std::string& where) {
    Builder builder;
    const std::string type = test.at("header_type");
    const Json& expected = test.at("expected");
    Result<std::string> text;
    if (type == "item") {
        const Member member = builder.member(expected);
        text = serialize(Item{member.value, member.parameters});
    } else if (type == "list") {
        List list;
        for (const auto& member : expected) list.push_back(builder.member(member));
        text = serialize(list);
    } else {
        Dictionary dictionary;
        for (const auto& pair : expected) {
            dictionary.emplace_back(builder.keep(pair.at(0).get<std::string>()),
                                    builder.member(pair.at(1)));
        }
        text = serialize(dictionary);
    }
    if (test.value("must_fail", false)) {
        EXPECT_FALSE(text.has_value()) << where;
        return;
    }
    ASSERT_TRUE(text.has_value()) << where;
    if (test.contains("canonical")) {
        EXPECT_EQ(*text, joined(test["canonical"])) << where;
    } else {
        EXPECT_EQ(*text, joined(test["raw"])) << where;
    }
}

TEST(StructuredFields, AgreeWithEveryPublishedVector) {
    const auto folder = shared_data() / "structured-field-tests";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no vectors in " << folder;
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.path().extension() != ".json") continue;
        std::ifstream file(entry.path());
        for (const auto& test : Json::parse(file)) {
            const std::string where =
                entry.path().filename().string() + ": " + test.at("name").get<std::string>();
            ++count;
            if (test.contains("raw")) check_parse(test, where);
            // Every valid value must serialize from scratch too.
            if (test.contains("expected")) check_serialize(test, where);
        }
    }
    EXPECT_EQ(count, 2135U);
}

TEST(StructuredFields, NameTheByteAtFault) {
    const auto bad = parse_dictionary("a=1, b=\"x\x01\"");
    ASSERT_FALSE(bad.has_value());
    EXPECT_NE(bad.error().message.find("byte 9"), std::string::npos) << bad.error().message;
}

TEST(StructuredFields, RoundDecimalsHalfToEven) {
    EXPECT_EQ(serialize(Item{BareItem::decimal(0.0025), {}}).value(), "0.002");
    EXPECT_EQ(serialize(Item{BareItem::decimal(0.0035), {}}).value(), "0.004");
    EXPECT_EQ(serialize(Item{BareItem::decimal(-2), {}}).value(), "-2.0");
}

}  // namespace
}  // namespace playhead::wire::sf
