#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <vector>

#include "engine/measurements.h"
#include "load/sessions.h"
#include "timeline/timeline.h"
#include "wire/produce.h"

namespace playhead::bench {
namespace {

constexpr std::int64_t kNow_ms = 1'780'000'000'000;

/// Text that the sessions hold: keys, dimensions and tags of their rows.
std::size_t text_bytes(const model::RowBlock& rows) {
    std::size_t bytes = 0;
    for (const auto& row : rows.live_sessions) {
        bytes += row.key.session_id.size();
        for (const auto& text : row.dimensions) bytes += text.size();
        for (const auto& [name, value] : row.tags) bytes += name.size() + value.size();
    }
    return bytes;
}

}  // namespace

int measure_memory(std::uint64_t sessions, std::uint64_t records) {
    const auto patterns = make_patterns(1, 900100200, 200);
    std::vector<std::string> ids;
    Random random(7);
    for (std::uint64_t index = 0; index < sessions; ++index) {
        ids.push_back(fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", random.next_u32(),
                                  random.next_u32() & 0xFFFFU, random.next_u32() & 0xFFFU,
                                  random.next_u32() & 0xFFFFU, index));
    }
    timeline::Partition partition({});
    const std::size_t before = mallinfo2().uordblks;
    std::uint64_t applied = 0;
    for (std::uint64_t index = 0; index < sessions; ++index) {
        const Pattern& pattern = patterns[index % patterns.size()];
        // The last beacon would end the session.
        const std::size_t count = std::min<std::size_t>(records, pattern.beacons.size() - 1);
        for (std::size_t number = 0; number < count; ++number) {
            auto decoded = wire::decode_produce(pattern.beacons[number].body,
                                                kNow_ms + pattern.beacons[number].at_ms);
            if (!decoded) die(decoded.error().message);
            for (auto& event : decoded->events) {
                event.session_id = ids[index];
                partition.apply(event, {});
                ++applied;
            }
        }
    }
    const std::size_t after = mallinfo2().uordblks;
    model::RowBlock rows;
    partition.cut(kNow_ms + 1000, rows);
    const auto per = [&](std::size_t bytes) {
        return static_cast<double>(bytes) / static_cast<double>(sessions);
    };
    fmt::print(
        "{{\"sessions\":{},\"open\":{},\"records\":{},\"heap_bytes\":{:.0f},"
        "\"counted_bytes\":{:.0f},\"text_bytes\":{:.0f},\"beyond_text_bytes\":{:.0f}}}\n",
        sessions, partition.open_sessions(), applied, per(after - before),
        per(partition.stats().bytes), per(text_bytes(rows)),
        per(after - before) - per(text_bytes(rows)));
    return 0;
}

}  // namespace playhead::bench
