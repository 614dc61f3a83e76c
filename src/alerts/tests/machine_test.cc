#include "alerts/machine.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace playhead::alerts {
namespace {

Rule rule() {
    Rule out;
    out.id = "r";
    out.threshold = 10;
    out.calculation_period_s = out.detection_interval_s = 60;
    out.min_attempts = 5;
    out.min_users = 0;
    return out;
}

/// Runs one combination through values, one per minute from 60 on; 'x' of value is "too little".
std::vector<std::string> run(const Rule& rule, const std::vector<double>& values) {
    RuleState state;
    std::vector<std::string> out;
    for (std::size_t i = 0; i < values.size(); ++i) {
        Tick tick;
        tick.time_s = static_cast<std::int64_t>(60 * (i + 1));
        tick.threshold = rule.threshold;
        Sample sample;
        sample.value = values[i];
        sample.attempts = values[i] < 0 ? 1 : 100;
        tick.samples.push_back(sample);
        for (const auto& change : step(rule, tick, state)) {
            static constexpr const char* kNames[] = {"open", "worse", "resolved"};
            out.push_back(std::to_string(i) + " " + kNames[static_cast<int>(change.kind)] + " " +
                          std::to_string(change.episode.start_s) + "-" +
                          std::to_string(change.episode.end_s) + " " +
                          std::to_string(static_cast<int>(*change.episode.worst.value)));
        }
    }
    return out;
}

using Lines = std::vector<std::string>;

TEST(Machine, OpensAtOnceAndResolvesAtOnceByDefault) {
    EXPECT_EQ(run(rule(), {1, 11, 12, 11, 1, 1}),
              (Lines{"1 open 60-0 11", "2 worse 60-0 12", "4 resolved 60-240 12"}));
    EXPECT_EQ(run(rule(), {10, 10}), Lines{});  // at the threshold is not above it
}

TEST(Machine, PersistenceCountsConsecutiveBreaches) {
    auto patient = rule();
    patient.persistence = 3;
    EXPECT_EQ(run(patient, {11, 11, 1, 11, 11}), Lines{});
    EXPECT_EQ(run(patient, {11, 13, 11, 1}), (Lines{"2 open 0-0 13", "3 resolved 0-180 13"}));
}

TEST(Machine, ResolutionCountsConsecutiveCleanIntervals) {
    auto slow = rule();
    slow.resolution = 2;
    EXPECT_EQ(run(slow, {11, 1, 11, 1, 1, 1}), (Lines{"0 open 0-0 11", "4 resolved 0-180 11"}));
}

TEST(Machine, CooldownKeepsItShut) {
    auto quiet = rule();
    quiet.cooldown_s = 120;
    EXPECT_EQ(
        run(quiet, {11, 1, 11, 11, 11, 1}),
        (Lines{"0 open 0-0 11", "1 resolved 0-60 11", "3 open 180-0 11", "5 resolved 180-300 11"}));
}

TEST(Machine, TooLittleTrafficTellsNothing) {
    EXPECT_EQ(run(rule(), {-1, 11, -1, -1, 11, 1}),
              (Lines{"1 open 60-0 11", "5 resolved 60-300 11"}));
    auto patient = rule();
    patient.persistence = 2;
    EXPECT_EQ(run(patient, {11, -1, 11}), Lines{});
    std::vector<double> silent{11};
    silent.resize(1 + kSilentIntervalsMax, -1);
    EXPECT_EQ(run(rule(), silent), (Lines{"0 open 0-0 11", "12 resolved 0-60 11"}));
}

TEST(Machine, BelowIsTheMirrorImage) {
    auto low = rule();
    low.above = false;
    EXPECT_EQ(run(low, {11, 9, 8, 10}),
              (Lines{"1 open 60-0 9", "2 worse 60-0 8", "3 resolved 60-180 8"}));
}

TEST(Machine, KeepsNoMoreThanItsLimit) {
    Tick tick;
    tick.time_s = 60;
    tick.threshold = 10;
    for (std::size_t i = 0; i < kCombinationsMax + 100; ++i) {
        Sample sample;
        sample.combination = {"c" + std::to_string(i)};
        sample.value = 11;
        sample.attempts = 100;
        tick.samples.push_back(sample);
    }
    RuleState state;
    EXPECT_EQ(step(rule(), tick, state).size(), kCombinationsMax);
    EXPECT_EQ(state.watches.size(), kCombinationsMax);
    tick.samples.resize(1);
    tick.samples[0].value = 1;
    for (int i = 0; i <= kSilentIntervalsMax; ++i) {
        tick.time_s += 60;
        step(rule(), tick, state);
    }
    EXPECT_TRUE(state.watches.empty());
}

TEST(Machine, StateReadBackGoesOnAsIfNothingHappened) {
    Random random(5);
    for (int round = 0; round < 200; ++round) {
        auto watched = rule();
        watched.persistence = 1 + static_cast<int>(random.below(3));
        watched.resolution = 1 + static_cast<int>(random.below(3));
        watched.cooldown_s = static_cast<std::int64_t>(random.below(4)) * 60;
        RuleState kept, reread;
        for (int i = 1; i <= 60; ++i) {
            Tick tick;
            tick.time_s = i * 60;
            tick.threshold = 10;
            for (const auto* name : {"a", "b\"\n\xc3\xa4", ""}) {
                if (random.below(5) == 0) continue;
                Sample sample;
                sample.combination = {name, "x"};
                sample.value = random.uniform(0, 20);
                sample.attempts = static_cast<double>(random.below(40));
                tick.samples.push_back(sample);
            }
            const auto first = step(watched, tick, kept);
            const auto second = step(watched, tick, reread);
            ASSERT_EQ(first.size(), second.size());
            for (std::size_t c = 0; c < first.size(); ++c) {
                ASSERT_EQ(first[c].kind, second[c].kind);
                ASSERT_EQ(first[c].episode.start_s, second[c].episode.start_s);
                ASSERT_EQ(first[c].episode.worst.value, second[c].episode.worst.value);
            }
            auto parsed = parse_state(state_json(reread));
            ASSERT_TRUE(parsed) << parsed.error().message;
            reread = std::move(*parsed);
        }
    }
    EXPECT_FALSE(parse_state("{"));
    EXPECT_FALSE(parse_state("{\"revision\":1}"));
}

TEST(Machine, AlertIdsTellCombinationsApart) {
    Episode one, two;
    one.combination = {"a", "b"};
    two.combination = {"ab", ""};
    EXPECT_NE(alert_id(rule(), one), alert_id(rule(), two));
    two.combination = one.combination;
    EXPECT_EQ(alert_id(rule(), one), alert_id(rule(), two));
    two.start_s = 60;
    EXPECT_NE(alert_id(rule(), one), alert_id(rule(), two));
}

}  // namespace
}  // namespace playhead::alerts
