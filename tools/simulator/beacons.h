/// Which records a session sends, when, and what the running sums in them are. Writers turn one
/// beacon into bytes; a repeated beacon is the same bytes again.
#pragma once

#include <cstdint>
#include <vector>

#include "simulator/playback.h"

namespace playhead::simulator {

enum class BeaconKind : std::uint8_t {
    // SmartSight
    Load,
    Rendition,
    Start,
    BufferStart,
    BufferEnd,
    SeekStart,
    SeekEnd,
    Pause,
    Resume,
    Stats,
    Ping,
    Error,
    AdRequest,
    AdBreakStart,
    AdImpression,
    AdPlay,
    AdFirstQuartile,
    AdMidpoint,
    AdThirdQuartile,
    AdClick,
    AdSkip,
    AdError,
    AdComplete,
    AdBreakEnd,
    Ended,
    Complete,
    // CMCD
    State,
    BitrateChange,
    Response,
    Heartbeat,
    ErrorReport,
    MediaRequest,
    // App Analytics
    AppSessionStart,
    AppScreen,
    AppVideoStart,
    AppSessionEnd,
};

struct Beacon {
    std::int64_t client_ms = 0;  ///< the record's own time
    std::int64_t send_ms = 0;    ///< arrives at the server
    std::int64_t position_ms = 0;
    BeaconKind kind = BeaconKind::Load;
    char state = 's';             ///< CMCD `sta`
    std::int32_t index = -1;      ///< of the interval, shift, fault, ad or download
    std::int32_t pod = -1;        ///< of the ad break
    std::int32_t counter = 0;     ///< of the record within its session and stream
    std::int32_t play_s = 0;      ///< `pd`
    std::int32_t interval_s = 0;  ///< `i`
    std::int32_t stall_ms = 0;    ///< running sum after seeks excluded, as the SDK labels them
    std::int32_t seek_stall_ms = 0;
    std::int32_t wait_ms = 0;     ///< this record's own duration: `l`, `ud`
    std::int32_t rendition = -1;  ///< on screen
    std::int32_t kbps = 0;        ///< mean download rate
    std::int32_t up = 0, down = 0;
    std::int32_t stall_begin = 0, stall_end = 0;  ///< range of `BeaconPlan::stalls`
    std::int32_t shift_begin = 0, shift_end = 0;  ///< range of `Playback::shifts`
};

struct BeaconPlan {
    std::vector<Beacon> beacons;       ///< in the order of `client_ms`
    std::vector<std::int32_t> stalls;  ///< intervals whose wait is reported, in order
};

struct BeaconOptions {
    std::int32_t stats_interval_s = 10;
    std::int32_t heartbeat_s = 30;
    std::int32_t latency_min_ms = 12;   ///< of a request
    std::int32_t latency_mean_ms = 30;  ///< beyond the least
    bool application = false;           ///< App Analytics records as well
};

/// Cuts a dropped playback at its last periodic record (its outcome becomes Stopped when it never
/// sent one), then lists every record. Deterministic.
BeaconPlan plan_beacons(const BeaconOptions& options, Random random, Playback& playback);

}  // namespace playhead::simulator
