// Any order, any repetition, any interleaving of cuts, a snapshot anywhere: the same session.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "timeline/tests/script.h"

namespace playhead::timeline {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t kSessions = 60;  // ten times as slow there; the others run in release
#else
constexpr std::uint64_t kSessions = 300;
#endif

/// A random session that a SmartSight SDK could have sent.
Script random_smartsight(Random& random) {
    Script script;
    std::int64_t at = 0;
    const auto pass = [&](std::int64_t low, std::int64_t high) {
        at += low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low)));
        return at;
    };
    script.smartsight(EventKind::Load, at, "ONLOAD");
    if (random.chance(0.3)) {
        script.smartsight(EventKind::AdBreakStart, pass(1, 50), "AD_BREAK_STARTED");
        script.smartsight(EventKind::AdImpression, pass(1, 50), "AD_IMPRESSION");
        Event& ad = script.smartsight(EventKind::AdPlay, pass(1, 50), "AD_PLAY");
        script.ad(ad, "pre", 6);
        script.smartsight(EventKind::AdEnded, pass(3'000, 9'000), "AD_ENDED");
        script.smartsight(EventKind::AdBreakEnd, pass(1, 9), "AD_BREAK_ENDED");
    }
    if (random.chance(0.1)) return script;
    script.start(pass(300, 3'000), static_cast<double>(random.below(3'000)));
    const std::int64_t started = at;
    double stalls = 0;
    for (std::uint64_t step = 0, steps = 3 + random.below(20); step < steps; ++step) {
        switch (random.below(8)) {
            case 0: {
                script.smartsight(EventKind::BufferStart, pass(500, 9'000), "BUFFERING_START");
                const std::int64_t begin = at;
                script.smartsight(EventKind::BufferEnd, pass(50, 4'000), "BUFFERING_COMPLETE");
                const auto length = static_cast<double>(at - begin + 12);
                stalls += length;
                Event& stats = script.stats(pass(500, 3'000), double(at - started) / 1000);
                Script::measure(stats, Measure::StallMs, length, begin + std::int64_t(length));
                Script::measure(stats, Measure::StallSumCirrMs, stalls);
                break;
            }
            case 1:
                script.smartsight(EventKind::Pause, pass(500, 9'000), "PAUSE").play_duration_s =
                    double(at - started) / 1000;
                script.smartsight(EventKind::Resume, pass(500, 90'000), "RESUME");
                break;
            case 2:
                script.smartsight(EventKind::SeekStart, pass(500, 9'000), "SEEK_START");
                script.smartsight(EventKind::SeekEnd, pass(50, 2'000), "SEEK_COMPLETE");
                break;
            case 3:
                Script::measure(script.smartsight(EventKind::Rendition, pass(500, 9'000)),
                                Measure::BitrateKbps, 500.0 * double(1 + random.below(6)));
                break;
            case 4: {
                Event& error = script.smartsight(EventKind::Error, pass(500, 9'000), "ERROR");
                error.error.severity = static_cast<model::Severity>(1 + random.below(3));
                error.error.code = script.keep("E" + std::to_string(random.below(3)));
                break;
            }
            case 5: {
                script.smartsight(EventKind::AdBreakStart, pass(500, 9'000), "AD_BREAK_STARTED");
                script.smartsight(EventKind::AdImpression, pass(1, 50), "AD_IMPRESSION");
                script.ad(script.smartsight(EventKind::AdPlay, pass(1, 50), "AD_PLAY"),
                          "mid" + std::to_string(step), 10);
                if (random.chance(0.4)) script.smartsight(EventKind::AdPause, pass(50, 2'000));
                if (random.chance(0.4)) script.smartsight(EventKind::AdResume, pass(50, 2'000));
                script.smartsight(EventKind::AdComplete, pass(3'000, 9'000), "AD_COMPLETE");
                script.smartsight(EventKind::AdBreakEnd, pass(1, 9), "AD_BREAK_ENDED");
                break;
            }
            default: {
                Event& stats = script.stats(pass(1'000, 9'000), double(at - started) / 1000);
                Script::measure(stats, Measure::BitrateKbps, 500.0 * double(1 + random.below(3)));
                Script::measure(stats, Measure::FramesDropped, double(random.below(step + 3)));
                Script::measure(stats, Measure::ProgressPercent, double(random.below(90)));
                stats.attributes.push_back(
                    {model::Dimension::Cdn, script.keep("cdn" + std::to_string(random.below(3)))});
                break;
            }
        }
    }
    if (random.chance(0.7)) {
        script.smartsight(random.chance(0.5) ? EventKind::Ended : EventKind::Complete,
                          pass(1, 9'000), "ENDED");
    }
    return script;
}

Script random_cmcd(Random& random) {
    Script script;
    std::int64_t at = 0;
    const auto pass = [&](std::int64_t most) {
        return at += 1 + static_cast<std::int64_t>(random.below(std::uint64_t(most)));
    };
    script.cmcd(EventKind::State, at, PlayerState::Starting);
    for (std::uint64_t step = 0, steps = 5 + random.below(40); step < steps; ++step) {
        if (random.chance(0.5)) {
            const auto state = static_cast<PlayerState>(2 + random.below(5));
            script.cmcd(EventKind::State, pass(20'000), state);
        } else if (random.chance(0.3)) {
            Script::measure(script.cmcd(EventKind::Rendition, pass(9'000)), Measure::BitrateKbps,
                            300.0 * double(1 + random.below(4)));
        } else {
            Event& response = script.cmcd(EventKind::Response, pass(4'000));
            response.object_type = 'v';
            response.sequence += random.chance(0.1) ? 500 : 0;
            Script::measure(response, Measure::SegmentBytes, double(random.below(900'000)));
            Script::measure(response, Measure::ThroughputKbps, double(random.below(9'000)));
        }
    }
    if (random.chance(0.7)) script.cmcd(EventKind::State, pass(9'000), PlayerState::Ended);
    return script;
}

/// What must not depend on the order: the last session row without its revision.
model::SessionRow essence(const Outcome& outcome) {
    model::SessionRow row = outcome.session();
    row.revision = 0;
    return row;
}

void expect_same(const Outcome& left, const Outcome& right) {
    const model::SessionRow a = essence(left), b = essence(right);
    EXPECT_EQ(a.status, b.status);
    EXPECT_EQ(a.dimensions, b.dimensions);
    EXPECT_EQ(a.start_ms, b.start_ms);
    EXPECT_EQ(a.end_ms, b.end_ms);
    EXPECT_EQ(a.first_frame_ms, b.first_frame_ms);
    EXPECT_EQ(a.first_receive_ms, b.first_receive_ms);
    EXPECT_EQ(a.startup_ms, b.startup_ms);
    EXPECT_EQ(a.progress_percent, b.progress_percent);
    EXPECT_EQ(a.entry_s, b.entry_s);
    EXPECT_EQ(a.score, b.score);
    for (const auto& column : model::kCounterColumns) {
        EXPECT_EQ(a.counters.*column.field, b.counters.*column.field) << column.name;
    }
    EXPECT_EQ(left.by_minute(), right.by_minute());
}

/// Sessions and cancels add up to the last session; slices add up to it too.
void expect_consistent(const Outcome& outcome) {
    model::AdditiveCounters sum;
    std::int64_t rows = 0;
    for (const auto& row : outcome.rows.sessions) {
        if (row.sign > 0) {
            sum += row.counters;
        } else {
            sum -= row.counters;
        }
        rows += row.sign;
    }
    EXPECT_EQ(rows, 1);
    EXPECT_EQ(sum, outcome.session().counters);
    EXPECT_EQ(outcome.slice_sum(), outcome.session().counters);
    std::map<std::int64_t, std::int64_t> present;
    for (const auto& slice : outcome.rows.slices) present[slice.minute_ms] += slice.present;
    for (const auto& [minute, count] : present) EXPECT_TRUE(count == 0 || count == 1) << minute;
    std::int64_t ads = 0;
    for (const auto& ad : outcome.rows.ad_views) ads += ad.sign;
    EXPECT_GE(ads, outcome.session().counters.ad_starts);
}

/// Shuffled, with repeats, cut at random times (some close the session too early), and through a
/// snapshot now and then.
Outcome play_wildly(const Script& script, Random& random) {
    std::vector<const Event*> order;
    for (const Event& event : script.events) {
        for (std::uint64_t copies = 1 + random.below(3); copies > 0; --copies) {
            order.push_back(&event);
        }
    }
    for (std::size_t index = order.size(); index > 1; --index) {
        std::swap(order[index - 1], order[random.below(index)]);
    }
    Partition partition({});
    Outcome outcome;
    std::int64_t now = Script::kBase;
    for (const Event* event : order) {
        partition.apply(*event, {});
        if (random.chance(0.5)) {
            now += static_cast<std::int64_t>(random.below(random.chance(0.1) ? 400'000 : 9'000));
            partition.cut(now, outcome.rows);
        }
        if (random.chance(0.1)) {
            const std::string snapshot = partition.snapshot();
            Partition other({});
            const auto restored = other.restore(snapshot);
            EXPECT_TRUE(restored) << restored.error().message;
            EXPECT_EQ(other.snapshot(), snapshot);
            partition = std::move(other);
        }
    }
    partition.cut(std::max(now, Script::kBase + 7'200'000) + 1'800'000, outcome.rows);
    return outcome;
}

template <class Make>
void check_any_order(Make make, std::uint64_t sessions) {
    for (std::uint64_t seed = 0; seed < sessions; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Random random(seed);
        const Script script = make(random);
        Partition in_order({});
        Outcome plain;
        for (const Event& event : script.events) in_order.apply(event, {});
        in_order.cut(Script::kBase + 36'000'000, plain.rows);
        expect_consistent(plain);
        EXPECT_GE(plain.session().counters.playing_ms, 0);
        for (int run = 0; run < 4; ++run) {
            const Outcome wild = play_wildly(script, random);
            expect_same(plain, wild);
            expect_consistent(wild);
        }
        if (::testing::Test::HasFailure()) return;
    }
}

TEST(AnyOrder, SmartSight) {
    check_any_order(random_smartsight, kSessions);
}

TEST(AnyOrder, Cmcd) {
    check_any_order(random_cmcd, kSessions);
}

TEST(AnyOrder, TheSameCallsGiveTheSameBlocks) {
    Random random(5);
    const Script script = random_smartsight(random);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        Random first(seed), second(seed);
        const Outcome left = play_wildly(script, first), right = play_wildly(script, second);
        EXPECT_EQ(left.rows.live_sessions.size(), right.rows.live_sessions.size());
        EXPECT_EQ(left.rows.slices.size(), right.rows.slices.size());
        EXPECT_EQ(left.rows.sessions.size(), right.rows.sessions.size());
    }
}

// Quick cuts only delay: what the session is, and what its minutes add up to, stay the same; and a
// quick cut lets out nothing but events and live rows of a new state.
TEST(AnyOrder, QuickCutsDelayAndChangeNothing) {
    std::size_t seen_at_once = 0;
    for (std::uint64_t seed = 0; seed < kSessions; ++seed) {
        Random random(seed, 77);
        const Script script = seed % 2 == 0 ? random_smartsight(random) : random_cmcd(random);
        const Outcome whole = play(script);
        Partition partition{Options{}};
        model::RowBlock quick;
        Outcome mixed;
        std::size_t closed_by_whole_cuts = 0;
        std::string snapshot;
        for (const Event& event : script.events) {
            partition.apply(event, {});
            if (random.chance(0.8)) {
                partition.cut(event.receive_ms, quick, CutKind::Quick);
            } else if (random.chance(0.5)) {
                closed_by_whole_cuts = mixed.rows.sessions.size();
                partition.cut(event.receive_ms, mixed.rows, CutKind::Rows);
                EXPECT_EQ(mixed.rows.sessions.size(), closed_by_whole_cuts);
            } else {
                partition.cut(event.receive_ms, mixed.rows);
            }
            if (random.chance(0.1)) {
                snapshot = partition.snapshot();
                ASSERT_TRUE(partition.restore(snapshot));
            }
        }
        EXPECT_TRUE(quick.sessions.empty() && quick.slices.empty() && quick.ad_views.empty());
        seen_at_once += quick.live_sessions.size();
        partition.cut(kMuchLater, mixed.rows);
        EXPECT_EQ(mixed.by_minute(), whole.by_minute()) << seed;
        ASSERT_FALSE(mixed.rows.sessions.empty()) << seed;
        EXPECT_EQ(mixed.session().counters, whole.session().counters) << seed;
        EXPECT_EQ(mixed.session().status, whole.session().status) << seed;
        EXPECT_EQ(mixed.slice_sum(), mixed.session().counters) << seed;
    }
    EXPECT_GT(seen_at_once, kSessions);
}

}  // namespace
}  // namespace playhead::timeline
