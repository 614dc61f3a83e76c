#include "simulator/truth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "simulator/live_load.h"
#include "simulator/rows.h"
#include "simulator/traffic.h"

namespace playhead::simulator {
namespace {

constexpr std::int64_t kFromMs = 1'795'392'000'000;
constexpr std::int64_t kHourMs = 3'600'000;

TrafficOptions day(std::uint64_t sessions) {
    TrafficOptions options;
    options.seed = 9;
    options.from_ms = kFromMs;
    options.until_ms = kFromMs + 24 * kHourMs;
    options.sessions = sessions;
    return options;
}

std::vector<Truth> truths(const World& world, const TrafficOptions& options) {
    std::vector<Truth> all;
    Arrivals arrivals(world, options.seed, options.from_ms, options.until_ms, options.sessions);
    std::int64_t start = 0;
    std::uint64_t ordinal = 0;
    while (arrivals.next(start)) {
        const Session session = make_session(world, options, ordinal++, start);
        all.push_back(make_truth(world, 1, session.playback, session.plan));
    }
    return all;
}

TEST(World, PopularityFollowsZipf) {
    const World world({.seed = 1, .assets = 1000, .zipf_exponent = 1.0});
    Random random(1);
    std::map<std::size_t, int> counts;
    for (int draw = 0; draw < 200'000; ++draw) ++counts[world.pick_asset(random)];
    EXPECT_NEAR(static_cast<double>(counts[0]) / counts[9], 10, 1.5);
    EXPECT_NEAR(static_cast<double>(counts[0]) / counts[99], 100, 40);
}

TEST(Playback, IntervalsCoverTheSessionWithoutGaps) {
    const World world({.seed = 9});
    for (const Truth& truth : truths(world, day(600))) {
        const Playback& playback = truth.playback;
        ASSERT_FALSE(playback.intervals.empty());
        std::int64_t at = playback.start_ms;
        for (const Interval& interval : playback.intervals) {
            ASSERT_EQ(interval.start_ms, at);
            ASSERT_GT(interval.end_ms, interval.start_ms);
            at = interval.end_ms;
        }
        ASSERT_EQ(at, playback.end_ms);
        const auto& counters = truth.counters;
        EXPECT_EQ(counters.plays, playback.played() ? 1 : 0);
        EXPECT_EQ(counters.bitrate_ms, counters.playing_ms);
        EXPECT_EQ(counters.up_shifts + counters.down_shifts, counters.rendition_changes);
        if (playback.played() && playback.breaks.empty()) {
            EXPECT_EQ(counters.startup_wait_ms + counters.playing_ms + counters.stall_ms +
                          counters.seek_stall_ms + counters.pause_ms,
                      playback.end_ms - playback.start_ms);
        }
        const std::int64_t ends = counters.ended_plays + counters.dropped +
                                  counters.startup_failures + counters.startup_business_failures +
                                  counters.exits_before_start;
        EXPECT_EQ(ends, 1);
    }
}

TEST(Rows, SlicesAddUpToTheSession) {
    const World world({.seed = 9});
    std::uint64_t seen = 0;
    const auto count = generate_rows(
        world, day(400), true, [&](model::SessionRow& row, std::vector<model::SliceRow>& slices) {
            model::AdditiveCounters sum;
            std::int64_t active = 0;
            for (const auto& slice : slices) {
                sum += slice.counters;
                active += slice.active_ms;
            }
            for (const auto& column : model::kCounterColumns) {
                ASSERT_EQ(sum.*column.field, row.counters.*column.field)
                    << column.name << ' ' << row.key.session_id;
            }
            EXPECT_EQ(active, row.end_ms - row.start_ms);
            EXPECT_TRUE(row.score >= -1 && row.score <= 100);
            ++seen;
        });
    EXPECT_EQ(count, 400u);
    EXPECT_EQ(seen, 400u);
}

TEST(Truth, DistributionsAreThoseOfAHealthyService) {
    const World world({.seed = 9});
    model::AdditiveCounters sum;
    std::vector<std::int64_t> startups;
    const auto all = truths(world, day(4000));
    for (const Truth& truth : all) {
        sum += truth.counters;
        if (truth.startup_ms >= 0 && truth.counters.ad_breaks == 0) {
            startups.push_back(truth.startup_ms);
        }
    }
    std::nth_element(startups.begin(),
                     startups.begin() + static_cast<std::ptrdiff_t>(startups.size() / 2),
                     startups.end());
    const std::int64_t median = startups[startups.size() / 2];
    EXPECT_GE(median, 500);
    EXPECT_LE(median, 3000);
    const double stalled =
        static_cast<double>(sum.stall_ms) / static_cast<double>(sum.stall_ms + sum.playing_ms);
    EXPECT_GT(stalled, 0.001);
    EXPECT_LT(stalled, 0.03);
    EXPECT_GT(sum.startup_failures, 10);
    EXPECT_LT(sum.startup_failures, 120);
    EXPECT_GT(sum.plays, 3700);
    EXPECT_GT(sum.ad_completions, 100);
    EXPECT_GT(sum.completions, 300);
    EXPECT_GT(sum.dropped, 100);
    const double bitrate =
        static_cast<double>(sum.bitrate_kbit) / static_cast<double>(sum.bitrate_ms);
    EXPECT_GT(bitrate, 3000);
    EXPECT_LT(bitrate, 14'000);
    RecordProperty("startup_median_ms", std::to_string(median));
    RecordProperty("stall_share", std::to_string(stalled));
    RecordProperty("bitrate_kbps", std::to_string(bitrate));
}

TEST(Incidents, RaiseFailuresAndStallsWhereTheyAre) {
    const World world({.seed = 9});
    TrafficOptions options = day(3000);
    const auto parsed = parse_incidents(
        "- {cdn: CDN-A, country: DE, from: 0, minutes: 1440, throughput: 0.003, failure: 0.2}",
        kFromMs);
    ASSERT_TRUE(parsed.has_value());
    options.incidents = *parsed;
    double failed[2] = {0, 0}, attempts[2] = {0, 0}, stalled[2] = {0, 0}, playing[2] = {0, 0};
    for (const Truth& truth : truths(world, options)) {
        const Playback& playback = truth.playback;
        const bool hit = world.cdns()[playback.cdn].name == "CDN-A" &&
                         world.countries()[playback.country].code == "DE";
        failed[hit] += static_cast<double>(truth.counters.startup_failures);
        attempts[hit] += 1;
        stalled[hit] += static_cast<double>(truth.counters.stall_ms);
        playing[hit] += static_cast<double>(truth.counters.playing_ms);
    }
    EXPECT_GT(failed[1] / attempts[1], 0.12);
    EXPECT_LT(failed[0] / attempts[0], 0.04);
    EXPECT_GT(stalled[1] / playing[1], 3 * stalled[0] / playing[0]);
}

TEST(Incidents, RefuseWhatTheyDoNotKnow) {
    EXPECT_FALSE(parse_incidents("- {cdnn: A}", 0).has_value());
    EXPECT_FALSE(parse_incidents("- {cdn: A, minutes: -1}", 0).has_value());
    EXPECT_FALSE(parse_incidents("- {failure: lots}", 0).has_value());
    EXPECT_FALSE(parse_incidents("[[", 0).has_value());
    const auto json = parse_incidents(R"({"incidents":[{"from":1795392000000,"minutes":1}]})", 5);
    ASSERT_TRUE(json.has_value());
    EXPECT_EQ(json->front().from_ms, kFromMs);
    EXPECT_EQ(json->front().until_ms, kFromMs + 60'000);
}

TEST(Truth, CompactWireStatesTheStallsOfTheTruth) {
    const World world({.seed = 9});
    TrafficOptions options = day(400);
    options.mix = {.compact = 1, .long_keys = 0, .cmcd_event = 0, .cmcd_query = 0};
    options.application_share = 0;
    std::map<std::string, Truth> truth_of;
    std::map<std::string, std::int64_t> stalled;
    Traffic traffic(world, options);
    traffic.on_truth([&](const Truth& truth) { truth_of.emplace(truth.session_id, truth); });
    Request request;
    while (traffic.next(request)) {
        const auto json = nlohmann::json::parse(request.body);
        const auto& record = json["qd"][0];
        if (!record.contains("pif")) continue;
        for (const auto& info : record["pif"]) {
            stalled[record["sd"]["si"].get<std::string>()] += info.value("bw", std::int64_t{0});
        }
    }
    std::int64_t sessions = 0;
    for (const auto& [id, truth] : truth_of) {
        const auto& counters = truth.counters;
        // A stall that the viewer left in is told by its start only.
        const Phase last = truth.playback.intervals.back().phase;
        if (last == Phase::Stalled || last == Phase::SeekStalled) continue;
        // The wire counts from the buffering event, 1 ms after the seek.
        EXPECT_EQ(stalled[id],
                  counters.stall_ms + counters.seek_stall_ms - counters.seek_stall_count);
        sessions += stalled[id] > 0 ? 1 : 0;
    }
    EXPECT_GT(sessions, 40);
}

TEST(TruthTotals, GroupByDimensionAndBucket) {
    const World world({.seed = 9});
    TruthTotals totals(model::Dimension::Country, kHourMs);
    const auto all = truths(world, day(500));
    for (const Truth& truth : all) totals.add(truth);
    model::AdditiveCounters sum;
    std::uint64_t sessions = 0;
    for (const auto& [key, group] : totals.groups()) {
        EXPECT_EQ(key.second % kHourMs, 0);
        sum += group.counters;
        sessions += group.sessions;
    }
    EXPECT_EQ(sessions, 500u);
    EXPECT_EQ(sum, totals.total().counters);
}

TEST(LiveLoad, KeepsTheWantedNumberOfSessions) {
    const World world({.seed = 9});
    ManualClock clock(kFromMs);
    LiveLoadOptions options;
    options.concurrent_sessions = 50;
    LiveLoad load(world, options, clock);
    Request request;
    std::int64_t requests = 0;
    for (int second = 0; second < 900; ++second) {
        clock.advance_ms(1000);
        while (load.next(request)) {
            ASSERT_LE(request.send_ms, clock.now_ms());
            ++requests;
        }
    }
    EXPECT_NEAR(static_cast<double>(load.active_sessions()), 50, 6);
    EXPECT_GT(requests, 2000);
    EXPECT_LE(load.wait_ms(), 100);
}

TEST(LiveLoad, ReachesTheWantedRate) {
    const World world({.seed = 9});
    ManualClock clock(kFromMs);
    LiveLoadOptions options;
    options.requests_per_second = 100;
    LiveLoad load(world, options, clock);
    Request request;
    double requests = 0;
    for (int second = 0; second < 600; ++second) {
        clock.advance_ms(1000);
        while (load.next(request)) requests += second >= 300 ? 1 : 0;
    }
    EXPECT_NEAR(requests / 300, 100, 20);
}

}  // namespace
}  // namespace playhead::simulator
