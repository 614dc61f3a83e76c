#include "simulator/traffic.h"

#include <gtest/gtest.h>

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
    options.sessions = 300;
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

TEST(Traffic, SameSeedGivesTheSameBytes) {
    const World world({.seed = 5});
    const World again({.seed = 5});
    EXPECT_EQ(hash_of(world, small_traffic(5)), hash_of(again, small_traffic(5)));
    EXPECT_NE(hash_of(world, small_traffic(5)), hash_of(world, small_traffic(6)));
}

}  // namespace
}  // namespace playhead::simulator
