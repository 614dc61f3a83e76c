/// Scripted trouble: what goes wrong where, from when, for how long.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "simulator/playback.h"

namespace playhead::simulator {

/// Empty texts match everything. Times are epoch ms.
struct Incident {
    std::string cdn, country, isp, device, player, asset;
    std::int64_t from_ms = 0;
    std::int64_t until_ms = 0;
    double throughput_factor = 1;
    double failure_share = 0;  ///< added to the chance that a start fails, 0-1
};

inline constexpr std::size_t kIncidentsMax = 256;

/// Reads a YAML (or JSON) list of maps, or a map with the key `incidents`. Keys: cdn, country, isp,
/// device, player, asset, from (minutes after `base_ms`, or epoch ms when > 1e11), minutes,
/// throughput (factor), failure (share added, 0.2 = +20 %). Unknown keys are an error.
Result<std::vector<Incident>> parse_incidents(std::string_view text, std::int64_t base_ms);

/// Throughput factor and added failure share for a session at a time.
struct Trouble {
    double throughput_factor = 1;
    double failure_share = 0;
};
Trouble trouble_at(const std::vector<const Incident*>& incidents, std::int64_t at_ms) noexcept;

/// The incidents that can touch the session (everything but time matches). Pointers into `all`.
std::vector<const Incident*> matching(const std::vector<Incident>& all, const World& world,
                                      const Playback& playback);

}  // namespace playhead::simulator
