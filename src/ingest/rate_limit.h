/// How many requests an address may send for a tenant: a token bucket each, bounded in number.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_map>

namespace playhead::ingest {

/// Buckets kept; the least recently refilled of a slot goes first when it is full.
inline constexpr std::size_t kRateBucketsMax = 65'536;

/// Thread safe: sixteen slots with a lock each.
class RateLimit {
public:
    /// Takes one token of `limit_per_s` (bucket size: two seconds' worth). 0 = no limit. Returns 0
    /// when the request may go on, else the seconds after which it is worth trying again (>= 1).
    int refused_for_s(std::uint64_t customer_id, std::string_view address, std::int64_t limit_per_s,
                      std::int64_t now_ms);

private:
    struct Bucket {
        double tokens = 0;
        std::int64_t refilled_ms = 0;
    };
    struct Slot {
        std::mutex mutex;
        std::unordered_map<std::uint64_t, Bucket> buckets;
    };
    static constexpr std::size_t kSlots = 16;
    std::array<Slot, kSlots> slots_;
};

}  // namespace playhead::ingest
