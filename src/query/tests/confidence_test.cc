#include "query/confidence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace playhead::query {
namespace {

/// A session's terms added to the sums.
void take(Moments& sums, double x, double y) {
    sums += Moments{1, x, y, x * x, x * y, y * y};
}

TEST(Confidence, QuantilesOfTheNormalAreThoseOfTheTables) {
    EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-12);
    EXPECT_NEAR(normal_quantile(0.995), 2.5758293035489004, 1e-12);
    EXPECT_NEAR(normal_quantile(0.5), 0, 1e-12);
    EXPECT_NEAR(two_sided_p(1.959963984540054), 0.05, 1e-12);
}

TEST(Confidence, WilsonOfTenInAHundred) {
    Moments sums;
    for (int i = 0; i < 100; ++i) take(sums, i < 10 ? 1 : 0, 1);
    ASSERT_TRUE(is_proportion(sums));
    const auto interval = ratio_interval(sums, 1.959963984540054);
    // (0.1 + 1.92073/100 -+ 1.95996 sqrt(0.0009 + 3.84146/40000)) / 1.0384146
    EXPECT_NEAR(interval.low, 0.05522914, 1e-7);
    EXPECT_NEAR(interval.high, 0.17436566, 1e-7);
}

TEST(Confidence, MeanHasItsStandardError) {
    Moments sums;
    for (const double x : {2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0}) take(sums, x, 1);
    // Mean 5, sum of squared deviations 32, s^2/n = 32/7/8.
    EXPECT_NEAR(ratio_variance(sums), 32.0 / 7 / 8, 1e-12);
    const auto interval = ratio_interval(sums, 2);
    EXPECT_NEAR(interval.low, 5 - 2 * std::sqrt(32.0 / 56), 1e-12);
    EXPECT_NEAR(interval.high, 5 + 2 * std::sqrt(32.0 / 56), 1e-12);
}

TEST(Confidence, IsUnknownWithoutSamples) {
    EXPECT_FALSE(ratio_interval({}, 2).known);
    Moments one;
    take(one, 3, 10);
    EXPECT_FALSE(ratio_interval(one, 2).known);
    EXPECT_LT(change_p({}, one), 0);
}

/// Share of 2000 drawn samples whose 95 % interval has the true ratio.
template <class Draw>
double coverage(double truth, int sessions, Draw draw) {
    std::mt19937_64 random(20'26);
    int covered = 0;
    constexpr int kSamples = 2000;
    for (int sample = 0; sample < kSamples; ++sample) {
        Moments sums;
        for (int i = 0; i < sessions; ++i) {
            const auto [x, y] = draw(random);
            take(sums, x, y);
        }
        const auto interval = ratio_interval(sums, normal_quantile(0.975));
        if (interval.known && interval.low <= truth && truth <= interval.high) ++covered;
    }
    return static_cast<double>(covered) / kSamples;
}

// Of 2000 samples the share covered has a standard error of 0.5 %: 1.5 % is three of those.
TEST(Confidence, WilsonCoversTheTruthAsOftenAsItSays) {
    const double share = coverage(0.03, 500, [](auto& random) {
        return std::pair{std::bernoulli_distribution(0.03)(random) ? 1.0 : 0.0, 1.0};
    });
    EXPECT_NEAR(share, 0.95, 0.015);
}

TEST(Confidence, DeltaMethodCoversARatioOfDependentSums) {
    // Playing time exponential, mean 600 s; stalls a uniform share of it up to 4 %: ratio 0.02.
    const double share = coverage(0.02, 400, [](auto& random) {
        const double y = std::exponential_distribution<double>(1.0 / 600)(random);
        return std::pair{y * std::uniform_real_distribution<double>(0, 0.04)(random), y};
    });
    EXPECT_NEAR(share, 0.95, 0.015);
}

TEST(Confidence, DeltaMethodCoversAMean) {
    const double share = coverage(2.0, 300, [](auto& random) {
        return std::pair{std::gamma_distribution<double>(2.0, 1.0)(random), 1.0};
    });
    EXPECT_NEAR(share, 0.95, 0.015);
}

TEST(Confidence, EqualRatiosAreRejectedAsOftenAsTheLevelSays) {
    std::mt19937_64 random(7);
    int rejected = 0;
    for (int sample = 0; sample < 2000; ++sample) {
        Moments before, after;
        for (auto* sums : {&before, &after}) {
            for (int i = 0; i < 300; ++i) {
                const double y = std::exponential_distribution<double>(1.0 / 600)(random);
                take(*sums, y * std::uniform_real_distribution<double>(0, 0.04)(random), y);
            }
        }
        const double p = change_p(before, after);
        if (p >= 0 && p < 0.05) ++rejected;
    }
    EXPECT_NEAR(rejected / 2000.0, 0.05, 0.015);
}

}  // namespace
}  // namespace playhead::query
