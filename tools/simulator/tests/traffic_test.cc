#include "simulator/traffic.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/hash.h"

namespace playhead::simulator {
namespace {

constexpr std::int64_t kFromMs = 1'795'392'000'000;  // 2026-11-23 00:00 UTC, a Monday
constexpr std::int64_t kHourMs = 3'600'000;

TrafficOptions small_traffic(std::uint64_t seed) {
    TrafficOptions options;
    options.seed = seed;
    options.from_ms = kFromMs;
    options.until_ms = kFromMs + 6 * kHourMs;
    options.sessions = 200;
    return options;
}

std::uint64_t hash_of(const World& world, const TrafficOptions& options) {
    Traffic traffic(world, options);
    std::uint64_t hash = 0;
    traffic.on_truth([&](const Truth& truth) { hash = stable_hash(to_json(truth, world), hash); });
    Request request;
    while (traffic.next(request)) {
        hash = stable_hash(request.body, stable_hash(request.path, hash)) ^
               static_cast<std::uint64_t>(request.send_ms);
    }
    return hash;
}

/// A CMCD dictionary, split at commas outside quotes and brackets. Empty when malformed.
std::map<std::string, std::string> parse_cmcd(std::string_view line) {
    std::map<std::string, std::string> keys;
    std::string item;
    bool quoted = false;
    int depth = 0;
    const auto flush = [&] {
        const auto equal = item.find('=');
        if (equal == std::string::npos)
            keys[item] = "";
        else
            keys[item.substr(0, equal)] = item.substr(equal + 1);
        item.clear();
    };
    for (const char letter : line) {
        if (letter == '"') quoted = !quoted;
        if (letter == '(' && !quoted) ++depth;
        if (letter == ')' && !quoted) --depth;
        if (letter == ',' && !quoted && depth == 0)
            flush();
        else
            item += letter;
    }
    flush();
    if (quoted || depth != 0) keys.clear();
    return keys;
}

TEST(Traffic, SameSeedGivesTheSameBytes) {
    const World world({.seed = 5});
    const World again({.seed = 5});
    EXPECT_EQ(hash_of(world, small_traffic(5)), hash_of(again, small_traffic(5)));
    EXPECT_NE(hash_of(world, small_traffic(5)), hash_of(world, small_traffic(6)));
}

TEST(Traffic, ArrivesInOrderAndEveryBodyParses) {
    const World world({.seed = 1});
    Traffic traffic(world, small_traffic(1));
    std::map<std::string, std::int64_t> beacons;
    std::int64_t expected = 0;
    traffic.on_truth([&](const Truth& truth) {
        beacons[truth.session_id] = 0;
        expected += truth.counters.beacons + truth.application_events;
        const auto json = nlohmann::json::parse(to_json(truth, world), nullptr, false);
        ASSERT_FALSE(json.is_discarded());
        EXPECT_EQ(json["counters"].value("playing_ms", std::int64_t{0}), truth.counters.playing_ms);
    });
    Request request;
    std::int64_t last = 0, count = 0;
    std::set<std::string> names, ids;
    while (traffic.next(request)) {
        ASSERT_GE(request.send_ms, last);
        last = request.send_ms;
        ++count;
        if (request.content_type == "application/json") {
            const auto json = nlohmann::json::parse(request.body, nullptr, false);
            ASSERT_FALSE(json.is_discarded()) << request.body;
            const auto& record = json.contains("qd") ? json["qd"][0] : json["qubitData"][0];
            const auto& stream = record.contains("sd") ? record["sd"] : record["streamID"];
            EXPECT_TRUE(ids.insert(stream.value("pi", stream.value("pId", ""))).second);
            if (record.contains("pe")) names.insert(record["pe"]["e"].get<std::string>());
        } else if (request.content_type == "application/cmcd") {
            ASSERT_EQ(request.body.back(), '\n');
            const auto keys =
                parse_cmcd(std::string_view(request.body).substr(0, request.body.size() - 1));
            ASSERT_TRUE(keys.contains("sid") && keys.contains("ts") && keys.contains("e"));
            EXPECT_EQ(keys.at("v"), "2");
        } else {
            EXPECT_EQ(request.method, "GET");
            EXPECT_NE(request.path.find("?CMCD=bl%3D"), std::string::npos);
        }
    }
    EXPECT_EQ(count, expected);
    EXPECT_EQ(beacons.size(), 200u);
    EXPECT_EQ(traffic.active_sessions(), 0u);
    for (const char* name : {"ONLOAD", "RENDITION_CHANGE", "START", "PAUSE", "RESUME", "ENDED",
                             "COMPLETE", "AD_PLAY", "AD_COMPLETE", "SEEK_START"}) {
        EXPECT_TRUE(names.contains(name)) << name;
    }
}

TEST(Traffic, FaultsRepeatAndReorderButLoseNothing) {
    const World world({.seed = 2});
    TrafficOptions options = small_traffic(2);
    const auto bodies = [&](std::uint64_t& repeated) {
        Traffic traffic(world, options);
        Request request;
        std::multiset<std::uint64_t> hashes;
        std::int64_t last = 0;
        repeated = 0;
        while (traffic.next(request)) {
            EXPECT_GE(request.send_ms, last);
            last = request.send_ms;
            repeated += request.repeated ? 1 : 0;
            if (!request.repeated) hashes.insert(stable_hash(request.path + request.body));
        }
        return hashes;
    };
    std::uint64_t none = 0, some = 0;
    const auto clean = bodies(none);
    options.faults = {.duplicate_share = 0.1, .delay_share = 0.2};
    const auto faulty = bodies(some);
    EXPECT_EQ(clean, faulty);
    EXPECT_EQ(none, 0u);
    EXPECT_GT(some, clean.size() / 20);
}

TEST(Traffic, BatchesHoldTheSameRecords) {
    const World world({.seed = 3});
    TrafficOptions options = small_traffic(3);
    options.mix = {.compact = 1, .long_keys = 0, .cmcd_event = 0, .cmcd_query = 0};
    Request request;
    std::uint64_t single = 0, batched = 0, requests = 0;
    Traffic plain(world, options);
    while (plain.next(request)) ++single;
    options.records_per_request = 50;
    Traffic batches(world, options);
    while (batches.next(request)) {
        ++requests;
        const auto json = nlohmann::json::parse(request.body, nullptr, false);
        ASSERT_TRUE(json.is_array());
        EXPECT_EQ(json.size(), request.records);
        batched += json.size();
    }
    EXPECT_EQ(single, batched);
    EXPECT_EQ(requests, (single + 49) / 50);
}

TEST(Arrivals, FollowTheRhythmOfTheDay) {
    const World world({.seed = 4});
    Arrivals arrivals(world, 4, kFromMs, kFromMs + 24 * kHourMs, 20'000);
    std::map<std::int64_t, int> by_hour;
    std::int64_t start = 0, last = kFromMs;
    int count = 0;
    while (arrivals.next(start)) {
        ASSERT_GE(start, last);
        last = start;
        ++by_hour[(start - kFromMs) / kHourMs];
        ++count;
    }
    EXPECT_LT(last, kFromMs + 24 * kHourMs);
    EXPECT_EQ(count, 20'000);
    EXPECT_GT(by_hour[19], 2 * by_hour[7]);  // European evening against everyone's low
}

}  // namespace
}  // namespace playhead::simulator
