#include "base/json_writer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace playhead {
namespace {

std::string json_text(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

std::string number(double value) {
    std::string out;
    append_json_number(out, value);
    return out;
}

TEST(JsonWriter, WritesNestedValuesWithCommasWhereTheyBelong) {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.member("name", "a\"b");
    json.key("list");
    json.begin_array();
    json.value(1);
    json.value(true);
    json.null();
    json.begin_object();
    json.end_object();
    json.end_array();
    json.member("max", std::numeric_limits<std::uint64_t>::max());
    json.member("min", std::numeric_limits<std::int64_t>::min());
    json.end_object();
    EXPECT_EQ(out, R"({"name":"a\"b","list":[1,true,null,{}],"max":18446744073709551615,)"
                   R"("min":-9223372036854775808})");
}

TEST(JsonWriter, ReplacesEachMaximalIllFormedPartWithOneReplacementCharacter) {
    const std::string replacement = "\xEF\xBF\xBD";
    EXPECT_EQ(json_text("a\xFF"
                        "b"),
              "\"a" + replacement + "b\"");
    EXPECT_EQ(json_text("\xE2\x82"), "\"" + replacement + "\"");
    EXPECT_EQ(json_text("\xE2\x82z"), "\"" + replacement + "z\"");
    EXPECT_EQ(json_text("\xC0\x80"), "\"" + replacement + replacement + "\"");
    EXPECT_EQ(json_text("\xED\xA0\x80"), "\"" + replacement + replacement + replacement + "\"");
    EXPECT_EQ(json_text("\xF0\x9F\x98\x80"), "\"\xF0\x9F\x98\x80\"");
    EXPECT_EQ(json_text(std::string("\0\x1f", 2)), R"("\u0000\u001f")");
}

TEST(JsonWriter, WritesNullForWhatJsonCannotSay) {
    EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), "null");
    EXPECT_EQ(number(-std::numeric_limits<double>::infinity()), "null");
    EXPECT_EQ(number(0.1), "0.1");
    EXPECT_EQ(number(1e300), "1e+300");
}

RC_GTEST_PROP(JsonWriter, WritesStringsThatParseWhateverTheBytes,
              (const std::vector<std::uint8_t>& bytes)) {
    const std::string text(bytes.begin(), bytes.end());
    const auto parsed = nlohmann::json::parse(json_text(text), nullptr, false);
    RC_ASSERT(parsed.is_string());
    const auto again = nlohmann::json::parse(json_text(parsed.get<std::string>()), nullptr, false);
    RC_ASSERT(again == parsed);
}

RC_GTEST_PROP(JsonWriter, WritesDoublesThatReadBackTheSame, (std::uint64_t bits)) {
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    RC_PRE(std::isfinite(value));
    RC_ASSERT(nlohmann::json::parse(number(value)).get<double>() == value);
}

RC_GTEST_PROP(JsonWriter, WritesIntegersThatReadBackTheSame, (std::int64_t a, std::uint64_t b)) {
    std::string out;
    JsonWriter json(out);
    json.begin_array();
    json.value(a);
    json.value(b);
    json.end_array();
    const auto parsed = nlohmann::json::parse(out);
    RC_ASSERT(parsed[0].get<std::int64_t>() == a);
    RC_ASSERT(parsed[1].get<std::uint64_t>() == b);
}

}  // namespace
}  // namespace playhead
