#include "http/query_string.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace playhead::http {
namespace {

TEST(QueryString, DecodesPlusAndPercentAndKeepsTheRawForm) {
    const std::string text = "a=1+2%2B3&f=country=[DE,FR]|os&empty=&bare&a=2&&%C3%A9=x";
    const auto query = QueryString::parse(text);
    ASSERT_TRUE(query) << query.error().message;
    ASSERT_EQ(query->all().size(), 6U);
    EXPECT_EQ(query->get("a"), "1 2+3");
    EXPECT_EQ(query->find("a")->raw, "1+2%2B3");
    EXPECT_EQ(query->get("f"), "country=[DE,FR]|os");
    EXPECT_EQ(query->get("empty", "other"), "");
    EXPECT_EQ(query->get("bare", "other"), "");
    EXPECT_EQ(query->get("missing", "other"), "other");
    EXPECT_EQ(query->get("\xC3\xA9"), "x");
    EXPECT_EQ(query->find("missing"), nullptr);
}

TEST(QueryString, NamesTheParameterWhoseEscapeIsMalformed) {
    for (const std::string text : {"ok=1&bad=%", "ok=1&bad=%4", "ok=1&bad=%zz", "ok=1&bad=a%-1"}) {
        const auto query = QueryString::parse(text);
        ASSERT_FALSE(query) << text;
        EXPECT_EQ(query.error().code, ErrorCode::InvalidArgument);
        EXPECT_EQ(query.error().parameter, "bad");
        EXPECT_EQ(query.error().value, text.substr(9));
    }
    EXPECT_EQ(QueryString::parse("%=1").error().parameter, "%");
}

TEST(QueryString, RefusesTooManyParameters) {
    std::string text;
    for (std::size_t index = 0; index <= kQueryParametersMax; ++index) text += "a=1&";
    EXPECT_FALSE(QueryString::parse(text));
}

RC_GTEST_PROP(QueryString, ReadsBackWhatWasEncoded,
              (const std::string& name, const std::string& value)) {
    RC_PRE(!name.empty());
    const std::string text = percent_encode(name) + "=" + percent_encode(value);
    const auto query = QueryString::parse(text);
    RC_ASSERT(query.has_value());
    RC_ASSERT(query->all().size() == 1U);
    RC_ASSERT(query->all().front().name == name);
    RC_ASSERT(query->all().front().value == value);
}

}  // namespace
}  // namespace playhead::http
