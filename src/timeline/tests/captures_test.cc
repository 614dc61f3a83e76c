// Recorded sessions of real SDKs and players through the real decoders, against what really
// happened (the *.truth.json beside each recording).
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "timeline/tests/script.h"
#include "wire/cmcd.h"
#include "wire/produce.h"

namespace playhead::timeline {
namespace {

using nlohmann::json;

const std::filesystem::path kCaptures = PLAYHEAD_SHARED_DATA "/captures";

#define REQUIRE_CAPTURES() \
    if (!std::filesystem::exists(kCaptures)) GTEST_SKIP() << "no captures in the shared data"

std::vector<json> requests_of(const std::string& name) {
    std::vector<json> requests;
    std::ifstream file(kCaptures / (name + ".ndjson"));
    for (std::string line; std::getline(file, line);) requests.push_back(json::parse(line));
    return requests;
}

/// The whole recording; a cut after each request, then much later.
Outcome replay(const std::string& name, bool posts_only = false) {
    Partition partition({});
    Outcome outcome;
    std::int64_t last = 0;
    for (const json& request : requests_of(name)) {
        const auto at = request.at("t").get<std::int64_t>();
        const auto method = request.at("method").get<std::string>();
        const auto url = request.at("url").get<std::string>();
        const auto body = request.value("body", std::string());
        model::EventBatch batch;
        if (method == "POST" && url.starts_with("/produce")) {
            auto decoded = wire::decode_produce(body, at);
            if (!decoded) ADD_FAILURE() << decoded.error().message;
            if (decoded) batch = std::move(*decoded);
        } else if (method == "POST") {
            wire::CmcdSource source;
            source.customer_id = 7;
            source.receive_ms = at;
            batch = std::move(wire::decode_cmcd_events(body, source).batch);
        } else if (method == "GET" && !posts_only) {
            wire::CmcdSource source;
            source.customer_id = 7;
            source.receive_ms = at;
            wire::CmcdHeaders headers;
            const auto query = url.find('?');
            batch = std::move(
                wire::decode_cmcd_request(
                    query == std::string::npos ? "" : std::string_view(url).substr(query + 1),
                    headers, source)
                    .batch);
        }
        for (const Event& event : batch.events) partition.apply(event, {});
        partition.cut(at, outcome.rows);
        last = at;
    }
    partition.cut(last + 30 * 60'000, outcome.rows);
    return outcome;
}

json truth_of(const std::string& name) {
    std::ifstream file(kCaptures / (name + ".truth.json"));
    return json::parse(file);
}

TEST(Captures, VodComplete) {
    REQUIRE_CAPTURES();
    const Outcome outcome = replay("smartsight/01-vod-complete");
    const json truth = truth_of("smartsight/01-vod-complete");
    ASSERT_EQ(outcome.rows.sessions.size(), 1U);
    const auto& row = outcome.session();
    EXPECT_NEAR(row.startup_ms, truth["startup_ms"].get<double>(), 5);
    EXPECT_NEAR(row.counters.playing_ms, truth["content_play_ms"].get<double>(), 100);
    EXPECT_EQ(row.status, model::ViewStatus::Ended);
    EXPECT_EQ(row.counters.completions, 1);
    EXPECT_EQ(row.counters.stall_count, 0);
    EXPECT_EQ(row.counters.bitrate_kbit, row.counters.bitrate_ms * 1'500);
    EXPECT_NEAR(row.counters.bitrate_ms, row.counters.playing_ms, 50);
    EXPECT_EQ(outcome.slice_sum(), row.counters);
}

TEST(Captures, AdsOfThePublicApi) {
    REQUIRE_CAPTURES();
    const Outcome outcome = replay("smartsight/05-ads-public-api");
    const json truth = truth_of("smartsight/05-ads-public-api");
    ASSERT_EQ(outcome.rows.sessions.size(), 1U);
    const auto& row = outcome.session();
    EXPECT_EQ(row.startup_ms, 6'738);
    EXPECT_NEAR(row.counters.playing_ms, truth["content_play_ms"].get<double>(), 80);
    EXPECT_NEAR(row.counters.ad_ms, 6'021 + 6'202 + 3'141, 80);
    EXPECT_EQ(row.counters.pause_ms, 0);
    EXPECT_EQ(row.counters.ad_breaks, 2);
    EXPECT_EQ(row.counters.ad_impressions, 3);
    EXPECT_EQ(row.counters.ad_starts, 3);
    EXPECT_EQ(row.counters.ad_completions, 2);
    EXPECT_EQ(row.ad_startup_ms, 4);
    ASSERT_EQ(outcome.rows.ad_views.size(), 3U);
    const auto& ads = outcome.rows.ad_views;
    EXPECT_EQ(ads[0].id, "ad-pre-1");
    EXPECT_EQ(ads[1].id, "ad-mid-1");
    EXPECT_EQ(ads[2].id, "ad-mid-2");
    EXPECT_TRUE(ads[0].completed);
    EXPECT_TRUE(ads[1].completed);
    EXPECT_FALSE(ads[2].completed);
    EXPECT_EQ(ads[1].pause_ms, 1'017);
    EXPECT_NEAR(ads[1].playing_ms, 6'202, 50);
    EXPECT_NEAR(row.progress_percent, 21.12, 0.01);
    EXPECT_EQ(outcome.slice_sum(), row.counters);
}

TEST(Captures, LongKeysOfTheOlderReactNativeSdk) {
    REQUIRE_CAPTURES();
    const Outcome outcome = replay("smartsight/09b-rn44-longkeys");
    const json truth = truth_of("smartsight/09b-rn44-longkeys");
    ASSERT_EQ(outcome.rows.sessions.size(), 1U);
    const auto& row = outcome.session();
    EXPECT_EQ(row.startup_ms, 1'452);
    EXPECT_EQ(row.counters.stall_ms, 1'720);
    EXPECT_EQ(row.counters.stall_count, 1);
    EXPECT_EQ(row.counters.seek_stall_ms, 883);
    EXPECT_EQ(row.counters.seek_stall_count, 1);
    EXPECT_EQ(row.counters.pause_ms, 6'505);
    EXPECT_EQ(row.counters.pause_count, 1);
    EXPECT_NEAR(row.counters.playing_ms, truth["content_play_ms"].get<double>(), 80);
    EXPECT_EQ(row.counters.up_shifts, 1);
    EXPECT_EQ(row.counters.down_shifts, 1);
    EXPECT_EQ(row.counters.instream_failures, 1);
    EXPECT_EQ(outcome.slice_sum(), row.counters);
}

TEST(Captures, Abandoned) {
    REQUIRE_CAPTURES();
    const Outcome outcome = replay("smartsight/13-abandon");
    ASSERT_EQ(outcome.rows.sessions.size(), 1U);
    const auto& row = outcome.session();
    EXPECT_EQ(row.status, model::ViewStatus::Dropped);
    EXPECT_EQ(row.startup_ms, 906);
    EXPECT_EQ(row.counters.playing_ms, 10'004);
    EXPECT_EQ(outcome.slice_sum(), row.counters);
}

TEST(Captures, HlsjsEvents) {
    REQUIRE_CAPTURES();
    for (const bool posts_only : {true, false}) {
        const Outcome outcome = replay("hlsjs/hls.js-1.7.4-hls-ts-v2-query-event", posts_only);
        ASSERT_EQ(outcome.rows.sessions.size(), 1U);
        const auto& row = outcome.session();
        EXPECT_NEAR(row.startup_ms, 1'323, 80);
        EXPECT_EQ(row.counters.stall_count, 2);
        EXPECT_NEAR(row.counters.stall_ms, 1'278 + 867, 10);
        EXPECT_EQ(row.counters.seek_count, 1);
        EXPECT_EQ(row.counters.rendition_changes, 3);
        EXPECT_EQ(row.counters.requests, 28);
        EXPECT_EQ(row.status, model::ViewStatus::Ended);
        EXPECT_EQ(outcome.slice_sum(), row.counters);
    }
}

TEST(Captures, HlsjsOutage) {
    REQUIRE_CAPTURES();
    const Outcome outcome = replay("hlsjs/hls.js-1.7.4-hls-ts-v2-query-event-outage");
    ASSERT_EQ(outcome.rows.sessions.size(), 1U);
    const auto& row = outcome.session();
    EXPECT_NEAR(row.startup_ms, 1'558, 80);
    EXPECT_EQ(row.counters.stall_count, 1);
    EXPECT_NEAR(row.counters.stall_ms, 7'786, 10);
    EXPECT_EQ(row.status, model::ViewStatus::Dropped);
    EXPECT_EQ(outcome.slice_sum(), row.counters);
}

TEST(Captures, HlsjsManifestError) {
    REQUIRE_CAPTURES();
    const Outcome outcome = replay("hlsjs/hls.js-1.7.4-hls-ts-v2-query-event-error-manifest");
    ASSERT_EQ(outcome.rows.sessions.size(), 1U);
    const auto& row = outcome.session();
    EXPECT_EQ(row.status, model::ViewStatus::Failed);
    EXPECT_EQ(row.counters.startup_failures, 1);
    EXPECT_EQ(row.dimensions[model::index_of(model::Dimension::ErrorCode)], "manifestLoadError");
}

TEST(Captures, HlsjsRequestsOnly) {
    REQUIRE_CAPTURES();
    const Outcome outcome = replay("hlsjs/hls.js-1.7.4-hls-ts-v1-query");
    ASSERT_EQ(outcome.rows.sessions.size(), 1U);
    const auto& row = outcome.session();
    EXPECT_EQ(row.counters.attempts, 1);
    EXPECT_EQ(row.counters.plays, 1);
    EXPECT_EQ(row.startup_ms, -1);
    EXPECT_GT(row.counters.playing_ms, 15'000);
    EXPECT_LE(row.counters.playing_ms, row.end_ms - row.start_ms);
    EXPECT_EQ(outcome.slice_sum(), row.counters);
}

}  // namespace
}  // namespace playhead::timeline
