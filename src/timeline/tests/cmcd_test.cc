#include <gtest/gtest.h>

#include "timeline/tests/script.h"

namespace playhead::timeline {
namespace {

using model::ViewStatus;

/// Capture hls.js-1.7.4-hls-ts-v2-query-event: states and changes of rendition, by client time.
Script hlsjs_capture() {
    Script script;
    const auto state = [&](std::int64_t at, PlayerState value) {
        script.cmcd(EventKind::State, at, value);
    };
    const auto bitrate = [&](std::int64_t at, double kbps) {
        Script::measure(script.cmcd(EventKind::Rendition, at), Measure::BitrateKbps, kbps);
    };
    state(649, PlayerState::Preloading);
    script.cmcd(EventKind::Heartbeat, 655);
    Script::measure(script.cmcd(EventKind::Rate, 656), Measure::PlayRate, 1);
    state(665, PlayerState::Starting);
    bitrate(713, 345);
    bitrate(914, 1'830);
    state(1'969, PlayerState::Playing);
    bitrate(9'015, 345);
    state(19'969, PlayerState::Rebuffering);
    state(21'246, PlayerState::Playing);
    state(23'247, PlayerState::Rebuffering);
    state(24'113, PlayerState::Playing);
    state(29'166, PlayerState::Paused);
    state(30'679, PlayerState::Playing);
    state(33'199, PlayerState::Seeking);
    state(33'201, PlayerState::Rebuffering);
    state(33'265, PlayerState::Playing);
    bitrate(33'681, 840);
    Script::measure(script.cmcd(EventKind::Rate, 37'206), Measure::PlayRate, 2);
    state(43'310, PlayerState::Ended);
    return script;
}

TEST(Cmcd, HlsjsCaptureMatchesItsTruth) {
    const Outcome outcome = play(hlsjs_capture());
    const auto& row = outcome.session();
    EXPECT_NEAR(row.startup_ms, 1'323, 80);
    EXPECT_EQ(row.startup_ms, 1'320);
    EXPECT_EQ(row.counters.stall_ms, 1'277 + 866);
    EXPECT_EQ(row.counters.stall_count, 2);
    EXPECT_EQ(row.counters.seek_stall_ms, 66);
    EXPECT_EQ(row.counters.seek_count, 1);
    EXPECT_EQ(row.counters.pause_ms, 1'513);
    EXPECT_EQ(row.counters.playing_ms, 43'310 - 1'969 - 1'277 - 866 - 66 - 1'513);
    EXPECT_EQ(row.counters.media_ms, row.counters.playing_ms + (43'310 - 37'206));
    EXPECT_EQ(row.counters.rendition_changes, 3);
    EXPECT_EQ(row.counters.beacons_lost, 0);
    EXPECT_EQ(row.status, ViewStatus::Ended);
    EXPECT_EQ(outcome.slice_sum(), row.counters);
}

TEST(Cmcd, RepeatsAreDroppedAndGapsCounted) {
    Script script;
    script.cmcd(EventKind::State, 0, PlayerState::Starting);
    script.cmcd(EventKind::State, 1'000, PlayerState::Playing);
    script.cmcd(EventKind::Heartbeat, 5'000).sequence = 5;
    script.cmcd(EventKind::Heartbeat, 5'100).sequence = 5;
    const auto row = play(script).session();
    EXPECT_EQ(row.counters.beacons, 3);
    EXPECT_EQ(row.counters.beacons_lost, 3);
}

TEST(Cmcd, ManifestErrorFailsTheStart) {
    Script script;
    script.cmcd(EventKind::State, 608, PlayerState::Preloading);
    script.cmcd(EventKind::State, 653, PlayerState::Starting);
    script.cmcd(EventKind::State, 742, PlayerState::FatalError);
    Event& error = script.cmcd(EventKind::Error, 752);
    error.error.severity = model::Severity::Unknown;
    error.error.code = "manifestLoadError";
    script.cmcd(EventKind::Heartbeat, 5'625);
    const auto row = play(script).session();
    EXPECT_EQ(row.status, ViewStatus::Failed);
    EXPECT_EQ(row.counters.startup_failures, 1);
    EXPECT_EQ(row.counters.fatal_errors, 1);
    EXPECT_EQ(row.counters.startup_wait_ms, 134);
}

TEST(Cmcd, PreloadAloneIsNoAttempt) {
    Script script;
    script.cmcd(EventKind::State, 0, PlayerState::Preloading);
    const auto row = play(script).session();
    EXPECT_EQ(row.counters.attempts, 0);
    EXPECT_EQ(row.counters.exits_before_start, 0);
}

TEST(Cmcd, BufferingBeforeTheFirstFrameIsStartup) {
    Script script;
    script.cmcd(EventKind::State, 0, PlayerState::Starting);
    script.cmcd(EventKind::State, 200, PlayerState::Rebuffering);
    script.cmcd(EventKind::State, 900, PlayerState::Playing);
    script.cmcd(EventKind::State, 5'900, PlayerState::Ended);
    const auto row = play(script).session();
    EXPECT_EQ(row.startup_ms, 900);
    EXPECT_EQ(row.counters.stall_count, 0);
    EXPECT_EQ(row.counters.playing_ms, 5'000);
}

TEST(Cmcd, RequestModeIsAnEstimate) {
    Script script;
    for (int segment = 0; segment < 6; ++segment) {
        Event& event = script.cmcd(EventKind::Request, segment * 2'000);
        event.protocol = model::Protocol::CmcdRequest;
        event.sequence = -1;
        event.object_type = 'b';
        event.flag = segment == 4;
        event.text = script.keep("seg" + std::to_string(segment));
        Script::measure(event, Measure::ObjectDurationMs, 2'000);
        Script::measure(event, Measure::BitrateKbps, 800);
    }
    const auto row = play(script).session();
    EXPECT_EQ(row.counters.attempts, 1);
    EXPECT_EQ(row.counters.plays, 1);
    EXPECT_EQ(row.startup_ms, -1);
    EXPECT_EQ(row.counters.playing_ms, 10'000);  // 12 s of media, within 10 s of wall time
    EXPECT_EQ(row.counters.requests, 6);
    EXPECT_EQ(row.counters.bytes, 6 * 2'000 * 800 / 8);
    EXPECT_EQ(row.counters.stall_count, 1);
}

}  // namespace
}  // namespace playhead::timeline
