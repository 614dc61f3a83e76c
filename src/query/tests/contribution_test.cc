#include "query/contribution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace playhead::query {
namespace {

struct Row {
    std::vector<std::string> values;
    bool is_after;
    Moments moments;
};

Moments sums(double n, double x, double y) {
    return {n, x, y, 0, 0, 0};
}

Cube cube_of(const std::vector<Row>& rows, bool ratio = true) {
    CubeBuilder builder(rows.front().values.size());
    for (const auto& row : rows) builder.add(row.values, row.is_after, row.moments);
    return builder.finish(ratio);
}

std::string name_of(const Cube& cube, const Combination& combination) {
    std::string out;
    for (const auto& [dimension, code] : combination.elements) {
        out += (out.empty() ? "" : "+") + cube.values[dimension][code];
    }
    return out;
}

/// Traffic over cdn, country, device and live flag with noise; `bad` makes a ratio worse after.
template <class Bad>
std::vector<Row> traffic(unsigned seed, Bad bad) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> unit(0, 1);
    std::vector<Row> out;
    for (const bool after : {false, true}) {
        for (int cdn = 0; cdn < 4; ++cdn) {
            for (int country = 0; country < 8; ++country) {
                for (int device = 0; device < 4; ++device) {
                    for (int live = 0; live < 2; ++live) {
                        const double n =
                            std::floor(200 / (1 + country) / (1 + device) * (live == 0 ? 1 : 0.3) *
                                           (0.8 + 0.4 * unit(random)) +
                                       3);
                        const double y = n * 600 * (0.9 + 0.2 * unit(random));
                        const std::vector<std::string> values{
                            "cdn" + std::to_string(cdn), "country" + std::to_string(country),
                            "device" + std::to_string(device), live == 0 ? "vod" : "live"};
                        double ratio = 0.01 * (0.7 + 0.6 * unit(random)) + 0.002 * device;
                        if (after) ratio += bad(values);
                        out.push_back({values, after, sums(n, ratio * y, y)});
                    }
                }
            }
        }
    }
    return out;
}

TEST(Contribution, EffectsAddUpToTheChangeForEverySetOfDimensions) {
    for (unsigned seed = 1; seed <= 50; ++seed) {
        std::mt19937 random(seed);
        std::uniform_int_distribution<int> small(0, 3);
        std::uniform_real_distribution<double> amount(0, 100);
        std::vector<Row> rows;
        for (int i = 0; i < 60; ++i) {
            // Some elements in one period only, some with a numerator and no denominator.
            const double y = small(random) == 0 ? 0 : amount(random);
            rows.push_back({{std::to_string(small(random)), std::to_string(small(random))},
                            small(random) < 2,
                            sums(1, amount(random), y)});
        }
        const Cube cube = cube_of(rows);
        Moments before, after;
        for (const auto& cell : cube.before) before += cell;
        for (const auto& cell : cube.after) after += cell;
        const double change = after.x / after.y - before.x / before.y;
        for (const std::size_t dimension : {0U, 1U}) {
            double total = 0;
            for (std::uint32_t code = 0; code < cube.values[dimension].size(); ++code) {
                Moments first, second;
                for (std::size_t i = 0; i < cube.cells(); ++i) {
                    if (cube.codes[i * 2 + dimension] != code) continue;
                    first += cube.before[i];
                    second += cube.after[i];
                }
                total += effect_of(first, second, before, after, true).total();
            }
            EXPECT_NEAR(total, change, 1e-9 * std::max(1.0, std::fabs(change))) << seed;
        }
        double total = 0;
        for (std::size_t i = 0; i < cube.cells(); ++i) {
            total += effect_of(cube.before[i], cube.after[i], before, after, true).total();
        }
        EXPECT_NEAR(total, change, 1e-9 * std::max(1.0, std::fabs(change))) << seed;
    }
}

TEST(Contribution, EffectsOfAHandComputedCase) {
    // a: ratio 0.1 -> 0.2 at weights 0.5 -> 0.25; b: 0.4 -> 0.4 at 0.5 -> 0.75. R: 0.25 -> 0.35.
    const auto a =
        effect_of(sums(1, 10, 100), sums(1, 10, 50), sums(2, 50, 200), sums(2, 70, 200), true);
    EXPECT_NEAR(a.rate, 0.0375, 1e-12);
    EXPECT_NEAR(a.mix, (0.15 - 0.3) * -0.25, 1e-12);
    const auto b =
        effect_of(sums(1, 40, 100), sums(1, 60, 150), sums(2, 50, 200), sums(2, 70, 200), true);
    EXPECT_NEAR(b.rate, 0, 1e-12);
    EXPECT_NEAR(b.mix, (0.4 - 0.3) * 0.25, 1e-12);
    EXPECT_NEAR(a.total() + b.total(), 0.1, 1e-12);
}

TEST(Contribution, FindsThePlantedPairFirst) {
    for (unsigned seed = 1; seed <= 50; ++seed) {
        std::mt19937 random(seed * 977);
        const auto cdn = "cdn" + std::to_string(random() % 4);
        const auto country = "country" + std::to_string(random() % 4);
        const Cube cube = cube_of(traffic(seed, [&](const auto& values) {
            return values[0] == cdn && values[1] == country ? 0.08 : 0.0;
        }));
        const auto found = find_causes(cube, {});
        ASSERT_FALSE(found.combinations.empty()) << seed;
        const auto& first = found.combinations.front();
        EXPECT_EQ(name_of(cube, first), cdn + "+" + country) << seed;
        EXPECT_GT(first.explained, 0.7) << seed;
        EXPECT_GT(first.effect.rate, 10 * std::fabs(first.effect.mix)) << seed;
    }
}

TEST(Contribution, FindsOneDimensionWhenThatIsTheCauseAndThreeWhenThoseAre) {
    for (unsigned seed = 1; seed <= 50; ++seed) {
        const Cube one = cube_of(
            traffic(seed, [](const auto& values) { return values[2] == "device1" ? 0.05 : 0.0; }));
        EXPECT_EQ(name_of(one, find_causes(one, {}).combinations.at(0)), "device1") << seed;
        const Cube three = cube_of(traffic(seed, [](const auto& values) {
            return values[0] == "cdn2" && values[1] == "country0" && values[2] == "device0" ? 0.4
                                                                                            : 0.0;
        }));
        EXPECT_EQ(name_of(three, find_causes(three, {}).combinations.at(0)),
                  "cdn2+country0+device0")
            << seed;
    }
}

TEST(Contribution, FindsBothOfTwoCausesAndNoneOfTheirRelatives) {
    const Cube cube = cube_of(traffic(7, [](const auto& values) {
        if (values[0] == "cdn1" && values[1] == "country0") return 0.10;
        return values[2] == "device3" ? 0.10 : 0.0;
    }));
    const auto found = find_causes(cube, {.least_explained = 0.1});
    ASSERT_EQ(found.combinations.size(), 2U);
    EXPECT_EQ(name_of(cube, found.combinations[0]), "device3");
    EXPECT_EQ(name_of(cube, found.combinations[1]), "cdn1+country0");
    EXPECT_LT(found.combinations[1].explained_new, found.combinations[1].explained);
}

TEST(Contribution, TellsAMixShiftFromAChangeOfRates) {
    // Simpson: every device gets better, but there is more of the worse one.
    const Cube cube = cube_of({{{"tv"}, false, sums(100, 100, 10'000)},
                               {{"phone"}, false, sums(900, 9'000, 90'000)},
                               {{"tv"}, true, sums(10, 9, 1'000)},
                               {{"phone"}, true, sums(990, 9'405, 99'000)}});
    const auto found = find_movers(cube, {.depth = 1});
    EXPECT_GT(found.after, found.before);
    double rate = 0, mix = 0;
    ASSERT_EQ(found.combinations.size(), 2U);
    for (const auto& each : found.combinations) {
        EXPECT_LT(each.effect.rate, 0);
        rate += each.effect.rate;
        mix += each.effect.mix;
    }
    EXPECT_GT(mix, 0);
    EXPECT_NEAR(rate + mix, found.after - found.before, 1e-12);
    // A change of rate alone has no mix.
    const auto alone =
        effect_of(sums(1, 10, 100), sums(1, 30, 100), sums(1, 20, 200), sums(1, 40, 200), true);
    EXPECT_NEAR(alone.rate, 0.1, 1e-12);
    EXPECT_NEAR(alone.mix, 0, 1e-12);
}

TEST(Contribution, AUniformChangeHasNoCause) {
    std::vector<Row> rows;
    for (const bool after : {false, true}) {
        for (const auto* cdn : {"a", "b", "c"}) {
            rows.push_back({{cdn, "x"}, after, sums(100, after ? 20 : 10, 1000)});
        }
    }
    EXPECT_TRUE(find_causes(cube_of(rows), {}).combinations.empty());
    for (auto& row : rows) row.moments.x = 10;
    EXPECT_TRUE(find_causes(cube_of(rows), {}).combinations.empty());
}

TEST(Contribution, CountsAreExplainedByTheirDifference) {
    const Cube cube = cube_of({{{"a"}, false, sums(100, 100, 0)},
                               {{"b"}, false, sums(300, 300, 0)},
                               {{"a"}, true, sums(200, 200, 0)},
                               {{"b"}, true, sums(310, 310, 0)}},
                              false);
    const auto found = find_causes(cube, {});
    ASSERT_FALSE(found.combinations.empty());
    EXPECT_EQ(found.before, 400);
    EXPECT_EQ(found.after, 510);
    EXPECT_EQ(name_of(cube, found.combinations[0]), "a");
    EXPECT_NEAR(found.combinations[0].explained, 100.0 / 110, 1e-12);
    EXPECT_EQ(found.combinations[0].effect.mix, 0);
}

TEST(Contribution, TheOrderOfRowsDoesNotMatter) {
    auto rows = traffic(3, [](const auto& values) { return values[1] == "country1" ? 0.03 : 0.0; });
    const Cube first_cube = cube_of(rows);
    const auto first = find_causes(first_cube, {});
    for (unsigned seed = 1; seed <= 10; ++seed) {
        std::shuffle(rows.begin(), rows.end(), std::mt19937(seed));
        const Cube cube = cube_of(rows);
        const auto again = find_causes(cube, {});
        ASSERT_EQ(again.combinations.size(), first.combinations.size());
        for (std::size_t i = 0; i < first.combinations.size(); ++i) {
            EXPECT_EQ(name_of(cube, again.combinations[i]),
                      name_of(first_cube, first.combinations[i]));
            EXPECT_EQ(again.combinations[i].explained, first.combinations[i].explained);
        }
    }
}

TEST(Contribution, PruningChangesNothingThatCouldBeListed) {
    for (unsigned seed = 1; seed <= 10; ++seed) {
        const Cube cube = cube_of(traffic(seed, [](const auto& values) {
            return values[0] == "cdn0" && values[2] == "device2" ? 0.1 : 0.0;
        }));
        const auto pruned = find_causes(cube, {.least_explained = 0.2});
        const auto whole = find_causes(cube, {.least_explained = 1e-9});
        ASSERT_FALSE(pruned.combinations.empty());
        EXPECT_LT(pruned.examined, whole.examined);
        EXPECT_EQ(pruned.combinations[0].elements, whole.combinations.at(0).elements);
    }
}

}  // namespace
}  // namespace playhead::query
