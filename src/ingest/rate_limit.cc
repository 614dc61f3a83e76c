#include "ingest/rate_limit.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"

namespace playhead::ingest {

int RateLimit::refused_for_s(std::uint64_t customer_id, std::string_view address,
                             std::int64_t limit_per_s, std::int64_t now_ms) {
    if (limit_per_s <= 0) return 0;
    const std::uint64_t key = stable_hash(address, customer_id);
    Slot& slot = slots_[key % kSlots];
    const double size = static_cast<double>(limit_per_s) * 2;
    const std::lock_guard lock(slot.mutex);
    auto found = slot.buckets.find(key);
    if (found == slot.buckets.end()) {
        if (slot.buckets.size() >= kRateBucketsMax / kSlots) {
            // A full bucket forgets nothing: drop those that would be full by now, else any.
            std::erase_if(slot.buckets, [&](const auto& entry) {
                return now_ms - entry.second.refilled_ms > 2000;
            });
            if (slot.buckets.size() >= kRateBucketsMax / kSlots) {
                slot.buckets.erase(slot.buckets.begin());
            }
        }
        found = slot.buckets.emplace(key, Bucket{size, now_ms}).first;
    }
    Bucket& bucket = found->second;
    const double passed_s =
        static_cast<double>(std::max<std::int64_t>(0, now_ms - bucket.refilled_ms)) / 1000;
    bucket.tokens = std::min(size, bucket.tokens + passed_s * static_cast<double>(limit_per_s));
    bucket.refilled_ms = now_ms;
    if (bucket.tokens >= 1) {
        bucket.tokens -= 1;
        return 0;
    }
    return std::max(
        1, static_cast<int>(std::ceil((1 - bucket.tokens) / static_cast<double>(limit_per_s))));
}

}  // namespace playhead::ingest
