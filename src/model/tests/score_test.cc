#include "model/score.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "model/rows.h"

namespace playhead::model {
namespace {

ScoreInput random_input(Random& random) {
    ScoreInput input;
    input.attempted = true;
    input.played = random.chance(0.9);
    input.failed = random.chance(0.2);
    input.startup_s = random.exponential(4);
    input.playing_s = random.exponential(600);
    input.stall_count = static_cast<std::int64_t>(random.below(8));
    input.stall_s = input.stall_count > 0 ? random.exponential(10) : 0;
    input.bitrate_kbps = random.uniform(200, 6000);
    input.bitrate_top_kbps = random.uniform(input.bitrate_kbps, 8000);
    return input;
}

TEST(Score, IsBoundedAndItsPartsAddUp) {
    Random random(7);
    for (int round = 0; round < 20000; ++round) {
        const Score score = score_session(random_input(random));
        if (score.score < 0) continue;
        EXPECT_LE(score.score, 100.0);
        EXPECT_NEAR(score.score + score.lost_failure + score.lost_stalls + score.lost_startup +
                        score.lost_quality,
                    100.0, 1e-9);
    }
}

TEST(Score, IsMonotoneInEachInput) {
    Random random(11);
    for (int round = 0; round < 20000; ++round) {
        const ScoreInput base = random_input(random);
        const double before = score_session(base).score;
        if (before < 0) continue;
        ScoreInput worse = base;
        worse.startup_s += random.exponential(3);
        EXPECT_LE(score_session(worse).score, before + 1e-9);
        worse = base;
        worse.stall_s += random.exponential(5);
        EXPECT_LE(score_session(worse).score, before + 1e-9);
        worse = base;
        worse.stall_count += 1;
        EXPECT_LE(score_session(worse).score, before + 1e-9);
        worse = base;
        worse.bitrate_kbps *= random.uniform(0.2, 1);
        EXPECT_LE(score_session(worse).score, before + 1e-9);
        worse = base;
        worse.failed = true;
        EXPECT_LE(score_session(worse).score, before + 1e-9);
    }
}

TEST(Score, JudgesNothingWhereThereIsNothing) {
    EXPECT_LT(score_session({}).score, 0);
    ScoreInput exit;
    exit.attempted = true;
    exit.startup_s = 0.5;
    EXPECT_LT(score_session(exit).score, 0);
}

TEST(Counters, AddAndSubtractEveryColumn) {
    AdditiveCounters ones;
    for (const auto& column : kCounterColumns) ones.*column.field = 1;
    AdditiveCounters sum = ones;
    sum += ones;
    for (const auto& column : kCounterColumns) EXPECT_EQ(sum.*column.field, 2) << column.name;
    sum -= ones;
    sum -= ones;
    EXPECT_TRUE(sum.is_zero());
}

}  // namespace
}  // namespace playhead::model
