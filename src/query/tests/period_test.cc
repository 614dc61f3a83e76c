#include "query/period.h"

#include <gtest/gtest.h>

namespace playhead::query {
namespace {

constexpr std::int64_t kNow_s = 1'700'000'000;

TEST(Period, ReadsEveryDialect) {
    for (const char* text :
         {"start=1600000000,end=1600003600", " start = 1600000000 , end = 1600003600 ",
          "end=1600003600,start=1600000000", "start=1600000000000,end=1600003600000",
          "start=2020-09-13T12:26:40Z,end=2020-09-13T13:26:40Z",
          "start=2020-09-13T14:26:40+02:00,end=2020-09-13T13:26:40"}) {
        const auto period = parse_period(text, kNow_s, 400);
        ASSERT_TRUE(period) << text;
        EXPECT_EQ(period->start_s, 1'600'000'000) << text;
        EXPECT_EQ(period->end_s, 1'600'003'600) << text;
    }
    EXPECT_EQ(parse_period("last=24h", kNow_s, 400)->start_s, kNow_s - 86400);
    EXPECT_EQ(parse_time("1970-01-02").value(), 86400);
}

TEST(Period, RefusesWhatIsNoPeriod) {
    for (const char* text :
         {"", "start=1", "start=2,end=1", "start=1,end=1", "start=1,end=2,end=3", "last=", "last=h",
          "last=-1h", "last=5y", "start=x,end=2", "start=2020-02-30,end=2020-03-01", "from=1,to=2",
          "start=2020-01-01T25:00,end=2020-03-01", "start=0,end=99999999",
          "last=99999999999999999999d"}) {
        const auto period = parse_period(text, kNow_s, 400);
        ASSERT_FALSE(period) << text;
        EXPECT_EQ(period.error().parameter, "period") << text;
        EXPECT_FALSE(period.error().expected.empty()) << text;
    }
}

TEST(Granularity, AutomaticFollowsTheLengthOfThePeriod) {
    const auto automatic = [](std::int64_t length_s) {
        return std::string(name_of(automatic_granularity({0, length_s})));
    };
    EXPECT_EQ(automatic(3 * 3600), "minute");
    EXPECT_EQ(automatic(3 * 3600 + 1), "5minute");
    EXPECT_EQ(automatic(12 * 3600 + 1), "10minute");
    EXPECT_EQ(automatic(24 * 3600 + 1), "hour");
    EXPECT_EQ(automatic(15 * 86400), "hour");
    EXPECT_EQ(automatic(15 * 86400 + 1), "day");
}

}  // namespace
}  // namespace playhead::query
