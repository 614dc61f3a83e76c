// Closing, revising, clocks, limits and snapshots.
#include <gtest/gtest.h>

#include <cstring>
#include <utility>

#include "base/hash.h"
#include "base/random.h"
#include "timeline/event_rows.h"
#include "timeline/tests/script.h"

namespace playhead::timeline {
namespace {

Script short_session() {
    Script script;
    script.smartsight(EventKind::Load, 0, "ONLOAD");
    script.start(1'000, 1'000);
    script.stats(6'000, 5);
    script.smartsight(EventKind::Complete, 11'000, "COMPLETE");
    return script;
}

TEST(Lifecycle, LateRecordRevisesTheClosedSession) {
    Script script = short_session();
    Partition partition({});
    Outcome outcome;
    for (const Event& event : script.events) partition.apply(event, {});
    partition.cut(Script::kBase + 60'000, outcome.rows);
    ASSERT_EQ(outcome.rows.sessions.size(), 1U);
    const model::AdditiveCounters before = outcome.session().counters;
    partition.apply(script.events.front(), {});  // a repeat changes nothing
    partition.cut(Script::kBase + 120'000, outcome.rows);
    EXPECT_EQ(outcome.rows.sessions.size(), 1U);
    Script::measure(script.stats(9'000, 8), Measure::StallMs, 700, 8'000);
    partition.apply(script.events.back(), {});
    partition.cut(Script::kBase + 180'000, outcome.rows);
    ASSERT_EQ(outcome.rows.sessions.size(), 3U);
    EXPECT_EQ(outcome.rows.sessions[1].sign, -1);
    EXPECT_EQ(outcome.rows.sessions[1].revision, 1U);
    EXPECT_EQ(outcome.rows.sessions[1].counters, before);
    EXPECT_EQ(outcome.rows.sessions[2].revision, 2U);
    EXPECT_EQ(outcome.session().counters.stall_ms, 700);
    EXPECT_EQ(outcome.slice_sum(), outcome.session().counters);
    EXPECT_EQ(partition.stats().reopened, 1U);
    EXPECT_EQ(partition.stats().repeats, 1U);
}

TEST(Lifecycle, EntryIsWhereTheEarliestStartWas) {
    Script script = short_session();
    EXPECT_EQ(play(script).session().entry_s, 0);
    script.events[1].position_s = 12.5;
    EXPECT_EQ(play(script).session().entry_s, 12.5);
    script.start(3'000, 1'000).position_s = 90;
    EXPECT_EQ(play(script).session().entry_s, 12.5);
    std::swap(script.events[1], script.events.back());  // in whatever order they come
    EXPECT_EQ(play(script).session().entry_s, 12.5);
    Script unstarted;
    unstarted.smartsight(EventKind::Load, 0, "ONLOAD");
    unstarted.smartsight(EventKind::Complete, 11'000, "COMPLETE").position_s = 3;
    EXPECT_EQ(play(unstarted).session().entry_s, -1);
}

TEST(Lifecycle, ClosedSessionsAreForgottenInTime) {
    Script script = short_session();
    Partition partition({});
    Outcome outcome;
    for (const Event& event : script.events) partition.apply(event, {});
    partition.cut(Script::kBase + 60'000, outcome.rows);
    EXPECT_EQ(partition.stats().closed_sessions, 1U);
    partition.cut(Script::kBase + 60'000 + Options{}.reopen_ms, outcome.rows);
    EXPECT_EQ(partition.stats().closed_sessions, 0U);
    EXPECT_EQ(partition.stats().bytes, 0U);
}

TEST(Lifecycle, LiveRowsAndSlicesArePaced) {
    Script script;
    script.start(1'000, 1'000);
    for (int second = 2; second < 32; ++second) script.stats(second * 1'000, second - 1);
    Options busy;
    busy.fresh_rows = 0;
    for (const bool calm : {false, true}) {
        Partition partition(calm ? Options{} : busy);
        Outcome outcome;
        for (const Event& event : script.events) {
            partition.apply(event, {});
            partition.cut(event.receive_ms, outcome.rows);
        }
        const std::size_t live = outcome.rows.live_sessions.size();
        if (calm) {
            EXPECT_EQ(live, script.events.size());
        } else {
            EXPECT_GE(live, 6U);
            EXPECT_LE(live, 8U);
        }
        EXPECT_GE(outcome.rows.slices.size(), 3U);
        EXPECT_LE(outcome.rows.slices.size(), 6U);
    }
}

// A session is there at once, whatever its first record is.
TEST(Lifecycle, AQuickCutShowsNewSessions) {
    Script script;
    script.stats(1'000, 1);
    script.stats(2'000, 2);
    Options busy;
    busy.fresh_rows = 0;
    Partition partition(busy);
    Outcome outcome;
    for (const std::size_t rows : {1U, 1U}) {
        partition.apply(script.events[outcome.rows.live_sessions.size()], {});
        partition.cut(script.events[0].receive_ms, outcome.rows, CutKind::Quick);
        EXPECT_EQ(outcome.rows.live_sessions.size(), rows);
    }
}

TEST(Clock, AheadIsShiftedBehindIsNot) {
    for (const std::int64_t skew : {3'600'000LL, -3'600'000LL}) {
        Script script = short_session();
        for (Event& event : script.events) event.client_ms += skew;
        const Outcome outcome = play(script);
        const auto& row = outcome.session();
        EXPECT_EQ(row.clock_offset_ms, skew > 0 ? -skew + 40 : 0);
        EXPECT_FALSE(row.clock_rejected);
        EXPECT_EQ(row.start_ms, Script::kBase + (skew > 0 ? 40 : skew));
        EXPECT_EQ(row.counters.playing_ms, 10'000);
        EXPECT_EQ(row.counters.beacons_late, skew > 0 ? 0 : 4);
        EXPECT_EQ(outcome.slice_sum(), row.counters);
    }
}

TEST(Clock, ImpossibleTimesAreReplacedAndMarked) {
    Script script = short_session();
    script.events[2].client_ms = 99'999'999'999'999;
    const auto row = play(script).session();
    EXPECT_TRUE(row.clock_rejected);
    EXPECT_EQ(row.counters.playing_ms, 10'000);
}

/// A snapshot of format 3 as format 2 had it: without the entry of its one session.
std::string in_format_2(std::string snapshot, std::int64_t entry_ms, double entry_s) {
    constexpr std::size_t kHeader = 12;
    std::string entry(sizeof entry_ms + sizeof entry_s, '\0');
    std::memcpy(entry.data(), &entry_ms, sizeof entry_ms);
    std::memcpy(entry.data() + sizeof entry_ms, &entry_s, sizeof entry_s);
    snapshot.erase(snapshot.rfind(entry), entry.size());
    const std::uint32_t version = 2;
    const auto crc = crc32c(snapshot.data() + kHeader, snapshot.size() - kHeader);
    std::memcpy(snapshot.data() + 4, &version, sizeof version);
    std::memcpy(snapshot.data() + 8, &crc, sizeof crc);
    return snapshot;
}

TEST(Snapshot, OfTheFormatBeforeIsRead) {
    for (const bool started : {true, false}) {
        Script script;
        script.smartsight(EventKind::Load, 0, "ONLOAD");
        if (started) script.start(1'000, 1'000).position_s = 1234.5678;
        Partition partition({});
        for (const Event& event : script.events) partition.apply(event, {});
        const auto old = in_format_2(partition.snapshot(), started ? Script::kBase + 1'000 : 0,
                                     started ? 1234.5678 : -1);
        ASSERT_LT(old.size(), partition.snapshot().size());
        Partition later({});
        ASSERT_TRUE(later.restore(old));
        Script rest;
        if (!started) rest.start(2'000, 1'000).position_s = 7;
        rest.smartsight(EventKind::Complete, 11'000, "COMPLETE");
        rest.events.back().payload_id = "p-last";
        Outcome outcome;
        for (const Event& event : rest.events) later.apply(event, {});
        later.cut(Script::kBase + 60'000, outcome.rows);
        EXPECT_EQ(outcome.session().entry_s, started ? -2 : 7);
        EXPECT_EQ(outcome.session().counters.plays, 1);
    }
}

TEST(Snapshot, DamageIsRefusedAndChangesNothing) {
    Script script = short_session();
    Partition partition({});
    for (const Event& event : script.events) partition.apply(event, {});
    const std::string snapshot = partition.snapshot();
    for (std::size_t at = 0; at < snapshot.size(); at += 7) {
        std::string damaged = snapshot;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
        EXPECT_FALSE(partition.restore(damaged)) << at;
    }
    EXPECT_FALSE(partition.restore(snapshot.substr(0, snapshot.size() / 2)));
    EXPECT_EQ(partition.snapshot(), snapshot);
    EXPECT_TRUE(partition.restore(snapshot));
}

TEST(Limits, MarksOfOneSessionAreBounded) {
    Script script;
    script.start(1'000, 1'000);
    for (int index = 0; index < 10'000; ++index) {
        script.smartsight(EventKind::SeekStart, 2'000 + index * 7);
    }
    Partition partition({});
    for (const Event& event : script.events) partition.apply(event, {});
    EXPECT_GT(partition.stats().refused_records, 1'000U);
    EXPECT_LT(partition.stats().bytes, 2'000'000U);
    Outcome outcome;
    partition.cut(kMuchLater, outcome.rows);
    EXPECT_EQ(outcome.slice_sum(), outcome.session().counters);
}

TEST(Limits, AbsurdNumbersDoNoHarm) {
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    constexpr double kAbsurd[] = {-1, 0, 1e9, 1e12, 1e18, 1e300, kNan};
    Random random(3);
    for (int round = 0; round < 200; ++round) {
        Script script;
        for (int index = 0; index < 30; ++index) {
            const auto kind = static_cast<EventKind>(
                random.below(static_cast<std::uint64_t>(EventKind::Application)));
            Event& event = script.smartsight(kind, index * 1'000);
            if (random.chance(0.2)) event.client_ms = random.chance(0.5) ? INT64_MAX : -5;
            event.play_duration_s = kAbsurd[random.below(7)];
            event.position_s = kAbsurd[random.below(7)];
            event.interval_s = kAbsurd[random.below(7)];
            event.object_type = 'v';
            for (int id = 0; id <= static_cast<int>(Measure::TotalDurationS); ++id) {
                Script::measure(event, static_cast<Measure>(id), kAbsurd[random.below(7)],
                                random.chance(0.5) ? -1 : 99'999'999'999);
            }
        }
        Partition partition({});
        for (const Event& event : script.events) partition.apply(event, {});
        Outcome outcome;
        partition.cut(kMuchLater + 2'000'000, outcome.rows);
        ASSERT_EQ(outcome.rows.sessions.size(), 1U);
        ASSERT_EQ(outcome.slice_sum(), outcome.session().counters);
        ASSERT_GE(outcome.session().counters.playing_ms, 0);
    }
}

TEST(Ads, FacadeWithQuartilesSkipAndError) {
    Script script;
    script.start(1'000, 1'000);
    const auto ad = [&](EventKind kind, std::int64_t at, const char* id, double duration) {
        script.ad(script.smartsight(kind, at), id, duration);
    };
    script.smartsight(EventKind::AdRequest, 9'000);
    script.smartsight(EventKind::AdBreakStart, 10'000);
    ad(EventKind::AdImpression, 10'000, "stale", 5);
    ad(EventKind::AdPlay, 10'200, "a", 20);
    ad(EventKind::AdFirstQuartile, 15'000, "a", 20);
    ad(EventKind::AdSkip, 16'200, "a", 20);
    ad(EventKind::AdImpression, 16'300, "a", 20);
    ad(EventKind::AdError, 17'000, "b", 20);
    script.smartsight(EventKind::AdBreakEnd, 17'100);
    script.smartsight(EventKind::Complete, 27'100);
    const Outcome outcome = play(script);
    const auto& row = outcome.session();
    ASSERT_EQ(outcome.rows.ad_views.size(), 2U);
    const auto& first = outcome.rows.ad_views[0];
    EXPECT_EQ(first.id, "a");
    EXPECT_EQ(first.load_ms, 200);
    EXPECT_EQ(first.playing_ms, 6'000);
    EXPECT_TRUE(first.first_quartile && first.skipped && !first.completed);
    EXPECT_TRUE(outcome.rows.ad_views[1].failed);
    EXPECT_EQ(row.counters.playing_ms, 9'000 + 10'000);
    EXPECT_EQ(row.counters.ad_ms, 6'000);
    EXPECT_EQ(row.counters.ad_skips, 1);
    EXPECT_EQ(row.counters.ad_errors, 1);
    EXPECT_EQ(row.counters.exits_before_ad, 0);
}

TEST(Ads, LeavingDuringAnAd) {
    Script script;
    script.start(1'000, 1'000);
    script.ad(script.smartsight(EventKind::AdPlay, 5'000), "a", 20);
    script.smartsight(EventKind::Ended, 9'000);
    const auto row = play(script).session();
    EXPECT_EQ(row.counters.exits_during_ad, 1);
    EXPECT_EQ(row.counters.ad_ms, 4'000);
    EXPECT_EQ(row.counters.playing_ms, 4'000);
}

TEST(Errors, FingerprintsMaskWhatVaries) {
    EXPECT_EQ(error_fingerprint("GET https://a.test/x?id=9 failed: 404"), "GET <url> failed: #");
    EXPECT_EQ(error_fingerprint("segment seg-0042.ts of v3"),
              error_fingerprint("segment seg-7.ts of v9"));
    EXPECT_EQ(error_fingerprint("id 9f86d081884c7d65 0x1F"), "id <id> #x#F");
    EXPECT_EQ(error_fingerprint("s 7fcb1ac9-d419-4edd-ab18-2448d5a0b113!"), "s <id>!");
}

}  // namespace
}  // namespace playhead::timeline
