#include <gtest/gtest.h>

#include "timeline/tests/script.h"

namespace playhead::timeline {
namespace {

using model::ViewStatus;

/// spec/peers.md §1.2: play at 0 s, frame at 2.0, seek 62.0-63.5, stall 93.5-97.5, pause
/// 123.5-143.5, end 147.5.
Script worked_session() {
    Script script;
    script.smartsight(EventKind::Load, 0, "ONLOAD");
    script.start(2'000, 2'000);
    script.smartsight(EventKind::SeekStart, 62'000);
    script.smartsight(EventKind::SeekEnd, 63'500);
    script.smartsight(EventKind::BufferStart, 93'500);
    script.smartsight(EventKind::BufferEnd, 97'500);
    Script::measure(script.stats(98'000, 90), Measure::StallMs, 4'000, 97'500);
    script.smartsight(EventKind::Pause, 123'500);
    Script::measure(script.smartsight(EventKind::Resume, 143'500), Measure::PauseMs, 20'000);
    script.smartsight(EventKind::Ended, 147'500);
    return script;
}

TEST(SmartSight, WorkedSession) {
    const Outcome outcome = play(worked_session());
    const auto& row = outcome.session();
    EXPECT_EQ(row.status, ViewStatus::Ended);
    EXPECT_EQ(row.startup_ms, 2'000);
    EXPECT_EQ(row.counters.startup_wait_ms, 2'000);
    EXPECT_EQ(row.counters.playing_ms, 120'000);
    EXPECT_EQ(row.counters.stall_ms, 4'000);
    EXPECT_EQ(row.counters.stall_count, 1);
    EXPECT_EQ(row.counters.seek_stall_ms, 1'500);
    EXPECT_EQ(row.counters.seek_stall_count, 1);
    EXPECT_EQ(row.counters.seek_count, 1);
    EXPECT_EQ(row.counters.pause_ms, 20'000);
    EXPECT_EQ(row.counters.pause_count, 1);
    EXPECT_EQ(row.counters.attempts, 1);
    EXPECT_EQ(row.counters.plays, 1);
    EXPECT_EQ(row.counters.ended_plays, 1);
    EXPECT_EQ(row.counters.dropped, 0);
    EXPECT_EQ(outcome.slice_sum(), row.counters);
}

TEST(SmartSight, AbandonedSessionPlaysUntilItsLastRecordAndIsDroppedLater) {
    // Capture 13: the last record is a STATS.
    Script script;
    script.smartsight(EventKind::Load, 961, "ONLOAD");
    script.start(1'846, 906);
    script.stats(6'850, 5);
    script.stats(11'850, 10);
    Partition partition({});
    Outcome outcome;
    for (const Event& event : script.events) partition.apply(event, {});
    partition.cut(Script::kBase + 12'000, outcome.rows);
    ASSERT_EQ(outcome.rows.live_sessions.size(), 1U);
    EXPECT_EQ(outcome.rows.live_sessions[0].status, ViewStatus::Running);
    EXPECT_TRUE(outcome.rows.sessions.empty());
    partition.cut(Script::kBase + 11'890 + 74'999, outcome.rows);
    EXPECT_TRUE(outcome.rows.sessions.empty());
    partition.cut(Script::kBase + 11'890 + 75'000, outcome.rows);
    ASSERT_EQ(outcome.rows.sessions.size(), 1U);
    const auto& row = outcome.session();
    EXPECT_EQ(row.status, ViewStatus::Dropped);
    EXPECT_EQ(row.counters.dropped, 1);
    EXPECT_EQ(row.counters.playing_ms, 10'004);
    EXPECT_EQ(row.startup_ms, 906);
    EXPECT_EQ(row.start_ms, Script::kBase + 940);  // START - l, older than the stamped ONLOAD
    EXPECT_TRUE(outcome.rows.live_sessions.back().closed);
    EXPECT_EQ(outcome.slice_sum(), row.counters);
}

TEST(SmartSight, StallAfterSeekIsASeekStallWhateverItsLabel) {
    // Capture 02: 1.3.15 labels both stalls CIRR.
    Script script;
    script.smartsight(EventKind::Load, 0);
    script.start(1'000, 1'000);
    script.smartsight(EventKind::BufferStart, 8'000);
    script.smartsight(EventKind::BufferEnd, 9'520);
    Script::measure(script.stats(10'000, 9), Measure::StallMs, 1'528, 9'525);
    script.smartsight(EventKind::SeekStart, 15'000);
    script.smartsight(EventKind::BufferStart, 15'020);
    script.smartsight(EventKind::SeekEnd, 15'800);
    script.smartsight(EventKind::BufferEnd, 15'850);
    Script::measure(script.stats(20'000, 19), Measure::StallMs, 835, 15'851);
    script.smartsight(EventKind::Ended, 21'000);
    const auto row = play(script).session();
    EXPECT_EQ(row.counters.stall_ms, 1'528);
    EXPECT_EQ(row.counters.stall_count, 1);
    EXPECT_EQ(row.counters.seek_stall_ms, 835);
    EXPECT_EQ(row.counters.seek_stall_count, 1);
}

TEST(SmartSight, StallWithoutStatementUsesItsInterval) {
    Script script;
    script.start(1'000, 1'000);
    script.smartsight(EventKind::BufferStart, 8'000);
    script.smartsight(EventKind::BufferEnd, 9'500);
    script.smartsight(EventKind::BufferStart, 20'000);
    script.smartsight(EventKind::Ended, 22'000);
    const auto row = play(script).session();
    EXPECT_EQ(row.counters.stall_ms, 3'500);
    EXPECT_EQ(row.counters.stall_count, 2);
    EXPECT_EQ(row.counters.playing_ms, 17'500);
}

TEST(SmartSight, SumsStandInForLostStalls) {
    Script script;
    script.start(1'000, 1'000);
    script.stats(10'000, 9);
    Script::measure(script.smartsight(EventKind::Ended, 30'000), Measure::StallSumCirrMs, 2'000);
    const auto row = play(script).session();
    EXPECT_EQ(row.counters.stall_ms, 2'000);
    EXPECT_EQ(row.counters.stall_count, 1);
}

TEST(SmartSight, PreStartPauseIsNotAPauseOfPlay) {
    Script script;
    script.smartsight(EventKind::Load, 0);
    script.smartsight(EventKind::Pause, 1'000);
    Script::measure(script.smartsight(EventKind::Resume, 4'000), Measure::PauseMs, 3'000);
    script.start(5'000, 2'000);
    script.smartsight(EventKind::Complete, 15'000);
    const auto row = play(script).session();
    EXPECT_EQ(row.counters.pause_ms, 0);
    EXPECT_EQ(row.startup_ms, 2'000);
    EXPECT_EQ(row.counters.startup_wait_ms, 2'000);
    EXPECT_EQ(row.counters.playing_ms, 10'000);
}

TEST(SmartSight, FatalBeforeStartFails) {
    Script script;
    script.smartsight(EventKind::Load, 0);
    Event& error = script.smartsight(EventKind::Error, 14'000, "ERROR");
    error.error.severity = model::Severity::Fatal;
    error.error.code = "3016";
    const Outcome outcome = play(script);
    const auto& row = outcome.session();
    EXPECT_EQ(row.status, ViewStatus::Failed);
    EXPECT_EQ(row.counters.startup_failures, 1);
    EXPECT_EQ(row.counters.exits_before_start, 0);
    EXPECT_EQ(row.counters.fatal_errors, 1);
    EXPECT_EQ(row.counters.startup_wait_ms, 14'000);
    EXPECT_EQ(row.dimensions[model::index_of(model::Dimension::ErrorCode)], "3016");
    ASSERT_EQ(outcome.rows.events.size(), 2U);
    EXPECT_EQ(outcome.rows.events[1].phase, "startup");
}

TEST(SmartSight, BusinessErrorsAreNotTechnicalFailures) {
    Script script;
    script.smartsight(EventKind::Load, 0);
    Event& error = script.smartsight(EventKind::Error, 1'000, "ERROR");
    error.error.severity = model::Severity::Fatal;
    error.error.code = "GEO";
    Options options;
    options.business_errors = {"GEO"};
    const auto row = play(script, options).session();
    EXPECT_EQ(row.counters.startup_failures, 0);
    EXPECT_EQ(row.counters.startup_business_failures, 1);
}

TEST(SmartSight, FatalInPlayEndsThePlay) {
    Script script;
    script.start(1'000, 1'000);
    script.stats(6'000, 5);
    Event& error = script.smartsight(EventKind::Error, 8'000, "ERROR");
    error.error.severity = model::Severity::Fatal;
    script.stats(37'990, 36);  // the flush before the end, 30 s later
    script.smartsight(EventKind::Ended, 38'000);
    const auto row = play(script).session();
    EXPECT_EQ(row.status, ViewStatus::Ended);
    EXPECT_EQ(row.counters.instream_failures, 1);
    EXPECT_EQ(row.counters.playing_ms, 7'000);
}

TEST(SmartSight, ErrorThatPlayedOnWasAWarning) {
    Script script;
    script.start(1'000, 1'000);
    script.smartsight(EventKind::Error, 3'000, "ERROR").error.severity = model::Severity::Unknown;
    script.stats(10'000, 9);
    script.stats(15'000, 14);
    script.smartsight(EventKind::Complete, 20'000);
    const auto row = play(script).session();
    EXPECT_EQ(row.counters.warnings, 1);
    EXPECT_EQ(row.counters.fatal_errors, 0);
    EXPECT_EQ(row.counters.instream_failures, 0);
    EXPECT_EQ(row.counters.playing_ms, 19'000);
}

TEST(SmartSight, SessionWithoutStartCountsByItsReports) {
    // Capture 10, README verbatim: START is never sent, nor an end.
    Script script;
    script.smartsight(EventKind::Load, 0);
    script.stats(6'200, 5);
    script.stats(11'200, 10);
    const auto row = play(script).session();
    EXPECT_EQ(row.counters.plays, 1);
    EXPECT_EQ(row.startup_ms, -1);
    EXPECT_EQ(row.counters.playing_ms, 10'000);
    EXPECT_EQ(row.status, ViewStatus::Dropped);
}

TEST(SmartSight, EndArrivesBeforeTheLastReport) {
    Script script;
    script.start(1'000, 1'000);
    script.smartsight(EventKind::Ended, 20'002);
    script.stats(20'000, 19);
    const Outcome outcome = play(script);
    EXPECT_EQ(outcome.session().counters.playing_ms, 19'002);
    EXPECT_EQ(outcome.session().status, ViewStatus::Ended);
}

TEST(SmartSight, ExitBeforeStart) {
    Script script;
    script.smartsight(EventKind::Load, 0);
    script.smartsight(EventKind::Ended, 3'000);
    const auto row = play(script).session();
    EXPECT_EQ(row.status, ViewStatus::Exited);
    EXPECT_EQ(row.counters.exits_before_start, 1);
    EXPECT_EQ(row.counters.startup_wait_ms, 3'000);
}

TEST(SmartSight, BitrateIsWeightedByPlayingTime) {
    Script script;
    Script::measure(script.smartsight(EventKind::Rendition, 900), Measure::BitrateKbps, 1'000);
    script.start(1'000, 1'000);
    Script::measure(script.smartsight(EventKind::Rendition, 11'000), Measure::BitrateKbps, 3'000);
    script.smartsight(EventKind::Pause, 21'000);
    Script::measure(script.smartsight(EventKind::Resume, 31'000), Measure::PauseMs, 10'000);
    Script::measure(script.smartsight(EventKind::Rendition, 41'000), Measure::BitrateKbps, 2'000);
    script.smartsight(EventKind::Ended, 51'000);
    const Outcome outcome = play(script);
    const auto& row = outcome.session();
    EXPECT_EQ(row.counters.bitrate_ms, 40'000);
    EXPECT_EQ(row.counters.bitrate_kbit, 10'000LL * (1'000 + 3'000 + 3'000 + 2'000));
    EXPECT_EQ(row.counters.media_ms, 40'000);
    EXPECT_EQ(row.counters.up_shifts, 1);
    EXPECT_EQ(row.counters.down_shifts, 1);
    EXPECT_EQ(row.counters.rendition_changes, 2);
    EXPECT_EQ(row.bitrate_last_kbps, 2'000U);
    EXPECT_EQ(row.bitrate_max_kbps, 3'000U);
    EXPECT_EQ(outcome.slice_sum(), row.counters);
}

}  // namespace
}  // namespace playhead::timeline
