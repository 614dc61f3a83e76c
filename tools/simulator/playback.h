/// One simulated session: what the player and the viewer really did, in exact milliseconds of the
/// client's (correct) clock. Plain data; owned by whoever simulated it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulator/world.h"

namespace playhead::simulator {

/// How the session reports itself.
enum class Wire : std::uint8_t { Compact, Long, CmcdEvent, CmcdQuery };

const char* name_of(Wire wire) noexcept;

/// What was on screen. The intervals of a playback follow each other without gap or overlap from
/// `start_ms` to `end_ms`.
enum class Phase : std::uint8_t {
    Startup,
    Playing,
    Stalled,      ///< buffer ran empty
    SeekStalled,  ///< from the seek until playing again
    Paused,
    AdBreak,  ///< in an ad break, no ad on screen
    Ad,
};

const char* name_of(Phase phase) noexcept;

struct Interval {
    Phase phase = Phase::Startup;
    std::int64_t start_ms = 0;
    std::int64_t end_ms = 0;
    std::int64_t position_ms = 0;  ///< playhead of the content at `start_ms`
    std::int64_t duration_ms() const noexcept { return end_ms - start_ms; }
};

/// The rendition changed (the first one included).
struct Shift {
    std::int64_t at_ms = 0;
    std::int32_t rendition = 0;
};

struct Download {
    std::int64_t start_ms = 0;
    std::int32_t first_byte_ms = 0;
    std::int32_t total_ms = 0;
    std::int32_t rendition = 0;
    std::int32_t duration_ms = 0;  ///< of media
    std::int32_t throughput_kbps = 0;
    std::int32_t buffer_ms = 0;  ///< when the request was made
    std::int32_t ordinal = 0;    ///< segment number
    bool urgent = false;         ///< startup, after a seek or after a stall
    bool starved = false;        ///< a stall since the previous request
};

struct AdView {
    std::int32_t pod_index = 0;  ///< 0 pre, 1… mid
    std::int32_t pod_position = 1;
    std::int32_t pod_length = 1;
    std::int32_t creative = 0;
    std::int64_t duration_ms = 0;
    std::int64_t impression_ms = 0;
    std::int64_t start_ms = 0;  ///< first frame; 0 = none
    std::int64_t end_ms = 0;
    std::int64_t click_ms = 0;  ///< 0 = none
    bool completed = false, skipped = false, failed = false;
};

struct AdBreak {
    std::int64_t start_ms = 0;
    std::int64_t end_ms = 0;
    bool left = false;  ///< the viewer left inside: no end event
    std::vector<AdView> ads;
};

struct Fault {
    std::int64_t at_ms = 0;
    bool fatal = false;
    bool business = false;
    const char* code = "";
    const char* message = "";
};

enum class Outcome : std::uint8_t {
    Completed,
    Stopped,  ///< the viewer stopped; the player said so
    Dropped,  ///< no final record
    StartupFailure,
    StreamFailure,
    ExitBeforeStart,
};

struct Playback {
    std::uint64_t ordinal = 0;
    Wire wire = Wire::Compact;
    std::size_t asset = 0, country = 0, cdn = 0;
    Viewer viewer;
    std::string session_id;
    std::int64_t start_ms = 0;        ///< playback was asked for
    std::int64_t first_frame_ms = 0;  ///< 0 = none
    std::int64_t end_ms = 0;          ///< last thing that the wire states
    std::int64_t position_ms = 0;     ///< playhead at the end
    Outcome outcome = Outcome::Stopped;
    std::vector<Interval> intervals;
    std::vector<Shift> shifts;
    std::vector<Download> downloads;
    std::vector<AdBreak> breaks;
    std::vector<Fault> faults;
    std::int32_t frames_dropped = 0;
    std::int32_t live_latency_ms = 0;  ///< at the start; grows with every stall

    bool played() const noexcept { return first_frame_ms != 0; }
    /// Playhead at a time inside the playback; O(log intervals).
    std::int64_t position_at(std::int64_t at_ms) const noexcept;
    /// Forgets everything after `at_ms`, as if the network had gone then.
    void cut(std::int64_t at_ms);
};

}  // namespace playhead::simulator
