#include "query/filter.h"

#include <gtest/gtest.h>

namespace playhead::query {
namespace {

const Dictionary& dictionary() {
    static const Dictionary loaded = Dictionary::load().value();
    return loaded;
}

TEST(Filter, KeepsValuesAsTheyAre) {
    const auto filter =
        parse_filter("[genre=a\\|b|c\\]d|e\\f][city=~[A-Z]\\]+|x][title=null]", dictionary());
    ASSERT_TRUE(filter) << filter.error().message;
    ASSERT_EQ(filter->size(), 3U);
    EXPECT_EQ((*filter)[0].values, (std::vector<std::string>{"a|b", "c]d", "e\\f"}));
    EXPECT_EQ((*filter)[1].values, std::vector<std::string>{"[A-Z]\\]+|x"});
    EXPECT_EQ((*filter)[2].op, Operator::Null);
}

TEST(Filter, BoundsWhatItReads) {
    std::string many;
    for (std::size_t i = 0; i <= kFilterConditionsMax; ++i) many += "[city=x]";
    EXPECT_FALSE(parse_filter(many, dictionary()));
    EXPECT_FALSE(parse_filter(std::string(kFilterBytesMax + 1, 'x'), dictionary()));
    EXPECT_FALSE(
        parse_filter("[city=" + std::string(kFilterValuesMax + 1, '|') + "]", dictionary()));
    EXPECT_FALSE(
        parse_filter("[city=~" + std::string(kRegexBytesMax + 1, 'a') + "]", dictionary()));
    EXPECT_FALSE(parse_qoe_filter(std::string(4000, '('), dictionary()));
}

TEST(QoeFilter, AndBindsCloserThanOr) {
    const auto node = parse_qoe_filter("latency>3 AND errors>=1 or bufferingratio<2", dictionary());
    ASSERT_TRUE(node) << node.error().message;
    ASSERT_EQ(node->kind, QoeNode::Kind::Or);
    EXPECT_EQ(node->children[0].kind, QoeNode::Kind::And);
    EXPECT_EQ(node->children[1].op, Operator::Less);
}

TEST(QoeFilter, RefusesBrokenText) {
    for (const char* text : {"latency", "latency>", "latency>x", "(latency>3", "latency>3)",
                             "latency>3 AND", "AND", "nope>3", "latency>3 latency>4", "()"}) {
        const auto node = parse_qoe_filter(text, dictionary());
        ASSERT_FALSE(node) << text;
        EXPECT_EQ(node.error().parameter, "qoefilter") << text;
    }
}

}  // namespace
}  // namespace playhead::query
