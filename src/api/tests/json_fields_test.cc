#include "api/json_fields.h"

#include <gtest/gtest.h>

namespace playhead::api {
namespace {

constexpr Field kFields[] = {{"email", FieldType::Text, true},
                             {"age", FieldType::Integer},
                             {"enabled", FieldType::Boolean},
                             {"names", FieldType::Texts},
                             {"numbers", FieldType::Integers}};

Error refusal(std::string_view body) {
    const auto read = JsonFields::parse(body, kFields);
    EXPECT_FALSE(read) << body;
    return read ? Error{} : read.error();
}

TEST(JsonFields, ReadsEveryType) {
    const auto read = JsonFields::parse(
        R"({"email":"a","age":-3,"enabled":false,"names":["x","y"],"numbers":[1,2]})", kFields);
    ASSERT_TRUE(read);
    EXPECT_EQ(*read->find<std::string>("email"), "a");
    EXPECT_EQ(*read->find<std::int64_t>("age"), -3);
    EXPECT_FALSE(*read->find<bool>("enabled"));
    EXPECT_EQ(*read->find<std::vector<std::string>>("names"), (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(*read->find<std::vector<std::int64_t>>("numbers"), (std::vector<std::int64_t>{1, 2}));
    EXPECT_EQ(read->names(), "age, email, enabled, names, numbers");
}

TEST(JsonFields, KeepsWhatWasNotSent) {
    const auto read = JsonFields::parse(R"({"email":"a"})", kFields);
    ASSERT_TRUE(read);
    std::int64_t age = 7;
    read->take("age", age);
    EXPECT_EQ(age, 7);
    EXPECT_FALSE(read->has("age"));
}

TEST(JsonFields, NamesAnUnknownMemberAndTheNearestOne) {
    const auto error = refusal(R"({"email":"a","enabeld":true})");
    EXPECT_EQ(error.parameter, "enabeld");
    EXPECT_EQ(error.expected, "did you mean \"enabled\"?");
    EXPECT_NE(refusal(R"({"email":"a","zzzzzzzz":1})").expected.find("email, age"),
              std::string::npos);
}

TEST(JsonFields, NamesAMissingOneARepeatedOneAndAWrongType) {
    EXPECT_EQ(refusal("").parameter, "email");
    EXPECT_EQ(refusal("{}").parameter, "email");
    EXPECT_EQ(refusal(R"({"email":"a","email":"b"})").parameter, "email");
    for (const char* body : {R"({"email":"a","age":"3"})", R"({"email":"a","age":1.5})",
                             R"({"email":"a","age":null})"}) {
        EXPECT_EQ(refusal(body).parameter, "age") << body;
    }
    EXPECT_EQ(refusal(R"({"email":7})").value, "7");
    EXPECT_EQ(refusal(R"({"email":"a","names":["x",1]})").parameter, "names");
    EXPECT_EQ(refusal(R"({"email":"a","numbers":{"0":1}})").parameter, "numbers");
}

TEST(JsonFields, RefusesWhatIsNoObjectAndListsWithoutEnd) {
    // The parser takes no number beyond 64 bits, and names no member then.
    EXPECT_EQ(refusal(R"({"email":"a","age":99999999999999999999})").parameter, "body");
    for (const char* body : {"[]", "{", "7", "null", "{} {}", "\xff"}) {
        EXPECT_EQ(refusal(body).parameter, "body") << body;
    }
    std::string list = "[0";
    for (std::size_t i = 0; i < kJsonListEntriesMax; ++i) list += ",0";
    EXPECT_EQ(refusal(R"({"email":"a","numbers":)" + list + "]}").parameter, "numbers");
}

}  // namespace
}  // namespace playhead::api
