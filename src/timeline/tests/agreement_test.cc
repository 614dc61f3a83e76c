// Rows that must agree with each other, and what must not leak from one kind of record to another.
#include <gtest/gtest.h>

#include <algorithm>

#include "timeline/tests/script.h"

namespace playhead::timeline {
namespace {

Script played_session(std::int64_t end_ms) {
    Script script;
    script.smartsight(EventKind::Load, 0, "ONLOAD");
    script.start(1'000, 1'000);
    script.smartsight(EventKind::Complete, end_ms, "COMPLETE");
    return script;
}

TEST(Agreement, StatusAndCountersAgreeInEveryRow) {
    Script script = played_session(11'000);
    Partition partition({});
    Outcome outcome;
    for (const Event& event : script.events) {
        partition.apply(event, {});
        partition.cut(event.receive_ms, outcome.rows);
    }
    ASSERT_TRUE(outcome.rows.sessions.empty()) << "it lingers";
    const model::SessionRow& lingering = outcome.rows.live_sessions.back();
    EXPECT_EQ(lingering.status, model::ViewStatus::Ended);
    partition.cut(kMuchLater, outcome.rows);
    for (const auto& row : outcome.rows.live_sessions) {
        const bool ended = row.status == model::ViewStatus::Ended;
        EXPECT_EQ(row.counters.ended_plays, ended ? 1 : 0);
        EXPECT_EQ(row.counters.completions, ended ? 1 : 0);
        EXPECT_EQ(row.counters.dropped, 0);
    }
    EXPECT_EQ(outcome.slice_sum(), outcome.session().counters);
}

TEST(Agreement, FailedStartCountsAtOnce) {
    Script script;
    script.smartsight(EventKind::Load, 0, "ONLOAD");
    script.smartsight(EventKind::Error, 2'000, "ERROR").error.severity = model::Severity::Fatal;
    Partition partition({});
    Outcome outcome;
    for (const Event& event : script.events) partition.apply(event, {});
    partition.cut(Script::kBase + 3'000, outcome.rows);
    ASSERT_EQ(outcome.rows.live_sessions.size(), 1U);
    EXPECT_EQ(outcome.rows.live_sessions[0].status, model::ViewStatus::Failed);
    EXPECT_EQ(outcome.rows.live_sessions[0].counters.startup_failures, 1);
}

TEST(Agreement, FatalStateOfCmcdIsAnEnd) {
    Script script;
    script.cmcd(EventKind::State, 0, PlayerState::Starting);
    script.cmcd(EventKind::State, 900, PlayerState::Playing);
    script.cmcd(EventKind::State, 9'000, PlayerState::FatalError);
    const Outcome outcome = play(script);
    EXPECT_EQ(outcome.session().status, model::ViewStatus::Ended);
    EXPECT_EQ(outcome.session().counters.instream_failures, 1);
    EXPECT_EQ(outcome.session().counters.ended_plays, 1);
    EXPECT_EQ(outcome.session().counters.dropped, 0);
}

/// The media request of a session, mirrored by a CDN and replayed hours later.
Event& mirrored(Script& script, std::int64_t after_ms) {
    Event& event = script.cmcd(EventKind::Request, after_ms);
    event.protocol = model::Protocol::CmcdRequest;
    event.sequence = -1;
    event.client_ms = 0;
    event.object_type = 'v';
    Script::measure(event, Measure::BitrateKbps, 800);
    Script::measure(event, Measure::ObjectDurationMs, 4'000);
    return event;
}

TEST(Agreement, MirroredRequestsDoNotMoveAPlayersSession) {
    constexpr std::int64_t kHours = 8 * 3'600'000;
    for (const bool first : {true, false}) {
        Script events, requests;
        events.cmcd(EventKind::State, 0, PlayerState::Starting);
        events.cmcd(EventKind::State, 900, PlayerState::Playing);
        Script::measure(events.cmcd(EventKind::Rendition, 900), Measure::BitrateKbps, 2'000);
        for (int number = 0; number < 3; ++number) mirrored(requests, kHours + number * 4'000);
        Partition partition({});
        Outcome outcome;
        std::int64_t received = Script::kBase + kHours + 50'000;
        const auto apply = [&](Script& script) {
            for (Event& event : script.events) {
                event.receive_ms = ++received;
                partition.apply(event, {});
            }
        };
        apply(first ? requests : events);
        apply(first ? events : requests);
        Script end;
        end.cmcd(EventKind::State, 20'900, PlayerState::Ended).sequence = 3;
        apply(end);
        partition.cut(Script::kBase + 2 * kHours, outcome.rows);
        const model::SessionRow& row = outcome.session();
        EXPECT_EQ(row.start_ms, Script::kBase);
        EXPECT_EQ(row.end_ms, Script::kBase + 20'900);
        EXPECT_EQ(row.counters.playing_ms, 20'000);
        EXPECT_EQ(row.counters.bitrate_kbit, 20'000 * 2'000);
        EXPECT_EQ(row.counters.requests, 3);
        EXPECT_EQ(row.counters.bytes, 3 * 400'000);
        EXPECT_EQ(outcome.slice_sum(), row.counters);
        EXPECT_LE(outcome.rows.slices.size(), 2U);
    }
}

TEST(Agreement, ApplicationRecordsSentAgainAreOneRow) {
    Script script;
    Event& event = script.smartsight(EventKind::Application, 0, "SCREEN_VIEW");
    event.protocol = model::Protocol::AppAnalytics;
    script.smartsight(EventKind::Application, 5, "SCREEN_VIEW");
    Partition partition({});
    for (int times = 0; times < 3; ++times) partition.apply(script.events[0], {});
    Partition other({});
    ASSERT_TRUE(other.restore(partition.snapshot()));
    other.apply(script.events[0], {});
    other.apply(script.events[1], {});
    model::RowBlock rows;
    other.cut(Script::kBase + 1'000, rows);
    EXPECT_EQ(rows.app_events.size(), 2U);
    EXPECT_EQ(other.stats().repeats, 3U);
}

std::map<std::string, double> intervals_of(const model::RowBlock& rows) {
    std::map<std::string, double> sums;
    for (const auto& row : rows.events) {
        if (row.name.starts_with("interval.")) {
            sums[row.name + "@" + std::to_string(row.event_ms - Script::kBase)] += row.value;
        }
    }
    std::erase_if(sums, [](const auto& entry) { return entry.second == 0; });
    return sums;
}

TEST(Agreement, ClosedSessionsListTheirIntervals) {
    Script script = played_session(60'000);
    script.smartsight(EventKind::BufferStart, 5'000, "BUFFERING_START");
    script.smartsight(EventKind::BufferEnd, 6'500, "BUFFERING_COMPLETE");
    script.smartsight(EventKind::Pause, 10'000, "PAUSE");
    script.smartsight(EventKind::Resume, 14'000, "RESUME");
    Script::measure(script.smartsight(EventKind::Rendition, 20'000), Measure::BitrateKbps, 900);
    Partition partition({});
    Outcome outcome;
    for (const Event& event : script.events) partition.apply(event, {});
    partition.cut(kMuchLater, outcome.rows);
    const std::map<std::string, double> expected{{"interval.stall@5000", 1'500},
                                                 {"interval.pause@10000", 4'000},
                                                 {"interval.rendition@20000", 900}};
    EXPECT_EQ(intervals_of(outcome.rows), expected);
    // A late statement gives the stall another length: the earlier row is taken back.
    Script::measure(script.stats(9'000, 8), Measure::StallMs, 1'400, 6'500);
    partition.apply(script.events.back(), {});
    partition.cut(kMuchLater + 3'600'000, outcome.rows);
    auto revised = expected;
    revised.erase("interval.stall@5000");
    revised["interval.stall@5100"] = 1'400;
    EXPECT_EQ(intervals_of(outcome.rows), revised);
}

TEST(Agreement, DatedRenditionsAreExactAndRestatedOnesThinned) {
    Script script = played_session(41'000);
    Event& report = script.stats(31'000, 30);
    for (const auto& [at, kbps] : {std::pair(2'000, 500), {8'000, 900}, {12'000, 500}}) {
        Script::measure(report, Measure::BitrateKbps, kbps, at);
    }
    Script::measure(script.stats(35'000, 34), Measure::BitrateKbps, 500);
    const Outcome outcome = play(script);
    const auto& counters = outcome.session().counters;
    EXPECT_EQ(counters.rendition_changes, 2);
    EXPECT_EQ(counters.bitrate_kbit, 500 * 6'000 + 900 * 4'000 + 500 * 29'000);
}

TEST(Limits, MinutesOfOneSessionAreBounded) {
    Script script = played_session(6LL * 86'400'000);
    Partition partition({});
    Outcome outcome;
    for (const Event& event : script.events) partition.apply(event, {});
    partition.cut(Script::kBase + 7LL * 86'400'000, outcome.rows);
    EXPECT_TRUE(outcome.session().clock_rejected);
    EXPECT_LE(outcome.session().end_ms - outcome.session().start_ms, 36 * 3'600'000);
    EXPECT_LE(outcome.rows.slices.size(), 36U * 60 + 1);
}

}  // namespace
}  // namespace playhead::timeline
