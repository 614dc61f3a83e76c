#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

#include "base/bounded_queue.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"

namespace playhead {
namespace {

TEST(Result, EveryCodeHasItsOwnStatusAndName) {
    std::set<int> statuses;
    std::set<std::string> names;
    const int last = static_cast<int>(ErrorCode::Timeout);
    for (int code = 0; code <= last; ++code) {
        statuses.insert(http_status(static_cast<ErrorCode>(code)));
        names.insert(error_name(static_cast<ErrorCode>(code)));
    }
    EXPECT_EQ(statuses.size(), static_cast<std::size_t>(last) + 1);
    EXPECT_EQ(names.size(), static_cast<std::size_t>(last) + 1);
}

TEST(Hash, Crc32cMatchesThePublishedVectors) {
    // RFC 3720 B.4: 32 bytes of zeros, and 32 bytes of ones.
    EXPECT_EQ(crc32c(std::string(32, '\0').data(), 32), 0x8A9136AAU);
    EXPECT_EQ(crc32c(std::string(32, '\xff').data(), 32), 0x62A8AB43U);
    const std::string text = "123456789";
    EXPECT_EQ(crc32c(text.data(), 9), 0xE3069283U);
    EXPECT_EQ(crc32c(text.data() + 4, 5, crc32c(text.data(), 4)), 0xE3069283U);
}

TEST(Hash, IsStableAndSpreads) {
    EXPECT_EQ(stable_hash("session-1"), stable_hash("session-1"));
    EXPECT_NE(stable_hash("session-1"), stable_hash("session-2"));
    EXPECT_NE(stable_hash("a", 1), stable_hash("a", 2));
    std::array<int, 16> buckets{};
    for (int index = 0; index < 16000; ++index) {
        ++buckets[stable_hash("session-" + std::to_string(index)) % 16];
    }
    for (const int count : buckets) {
        EXPECT_GT(count, 800);
        EXPECT_LT(count, 1200);
    }
}

TEST(Random, IsReproducible) {
    Random first(42);
    Random second(42);
    for (int index = 0; index < 100; ++index) EXPECT_EQ(first.next_u64(), second.next_u64());
    Random other(43);
    EXPECT_NE(first.next_u64(), other.next_u64());
}

TEST(BoundedQueue, RefusesWhenFullAndDrainsAfterClose) {
    BoundedQueue<int> queue(2);
    int one = 1;
    int two = 2;
    int three = 3;
    EXPECT_TRUE(queue.try_push(one));
    EXPECT_TRUE(queue.try_push(two));
    EXPECT_FALSE(queue.try_push(three));
    queue.close();
    EXPECT_EQ(queue.pop().value(), 1);
    EXPECT_EQ(queue.pop_all(), std::vector<int>{2});
    EXPECT_FALSE(queue.pop().has_value());
}

TEST(Metrics, RendersThePrometheusTextFormat) {
    MetricsRegistry registry;
    registry.counter("ph_beacons_total", "outcome=\"accepted\"", "Beacons by outcome").add(3);
    registry.counter("ph_beacons_total", "outcome=\"accepted\"", "Beacons by outcome").add();
    registry.gauge("ph_depth", "", "Depth", [] { return 7.0; });
    registry.histogram("ph_query_seconds", "", "Query time").observe(0.02);
    const std::string text = registry.render();
    EXPECT_NE(text.find("ph_beacons_total{outcome=\"accepted\"} 4\n"), std::string::npos);
    EXPECT_NE(text.find("# TYPE ph_depth gauge\nph_depth 7\n"), std::string::npos);
    EXPECT_NE(text.find("ph_query_seconds_bucket{le=\"0.025\"} 1\n"), std::string::npos);
    EXPECT_NE(text.find("ph_query_seconds_count 1\n"), std::string::npos);
}

}  // namespace
}  // namespace playhead
