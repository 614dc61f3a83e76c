/// What a session's numbers must be, integrated from the simulated player's own intervals and not
/// from anything that reads beacons. See `comparable_counters` for what each wire can carry.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/rows.h"
#include "simulator/beacons.h"
#include "simulator/playback.h"

namespace playhead::simulator {

struct Truth {
    std::uint64_t customer_id = 0;
    std::string session_id;
    Wire wire = Wire::Compact;
    model::ViewStatus status = model::ViewStatus::Loaded;
    std::int64_t start_ms = 0, end_ms = 0, first_frame_ms = 0;
    std::int64_t startup_ms = -1;  ///< as stated on the wire; -1 = none
    std::uint32_t application_events = 0;
    model::AdditiveCounters counters;
    model::Dimensions dimensions;  ///< as the wire states them, and the network's country
    std::uint32_t asn = 0;
    bool is_live = false;
    Playback playback;                         ///< the intervals themselves
    std::vector<std::string_view> comparable;  ///< counters of this session that the wire carries
};

/// Exact counters of [from_ms, until_ms) of a playback: integrals clipped to the range, counts by
/// the time they happened. The whole playback's numbers are the sum over any partition.
model::AdditiveCounters count_range(const World& world, const Playback& playback,
                                    std::int64_t from_ms, std::int64_t until_ms);

/// After `plan_beacons` (which may have cut the playback).
Truth make_truth(const World& world, std::uint64_t customer_id, const Playback& playback,
                 const BeaconPlan& plan);

/// One line of NDJSON, without the line feed.
std::string to_json(const Truth& truth, const World& world);

/// Sums of counters by value of one dimension and by time bucket of the session's start.
class TruthTotals {
public:
    /// `dimension` e.g. Cdn; `bucket_ms` > 0. Keys beyond `kGroupsMax` are added up under "(rest)".
    TruthTotals(model::Dimension dimension, std::int64_t bucket_ms)
        : dimension_(dimension), bucket_ms_(bucket_ms) {}

    struct Group {
        std::uint64_t sessions = 0;
        model::AdditiveCounters counters;
    };
    using Key = std::pair<std::string, std::int64_t>;  ///< dimension value, start of the bucket

    void add(const Truth& truth);
    const std::map<Key, Group>& groups() const noexcept { return groups_; }
    const Group& total() const noexcept { return total_; }

    static constexpr std::size_t kGroupsMax = 100'000;

private:
    model::Dimension dimension_;
    std::int64_t bucket_ms_;
    std::map<Key, Group> groups_;
    Group total_;
};

}  // namespace playhead::simulator
