/// What a session did, as exact intervals, from its marks. Times are the client's clock.
#pragma once

#include <cstdint>
#include <vector>

#include "timeline/ads.h"
#include "timeline/session.h"
#include "timeline/spans.h"

namespace playhead::timeline {

struct Failure {
    std::int64_t time_ms = 0;
    bool terminal = false;  ///< nothing played after it
    bool fatal = false;     ///< counted as fatal (else as a warning)
    bool business = false;
};

struct Playback {
    bool attempted = false;
    bool started = false;
    bool ended = false;     ///< a clean end was reported
    bool complete = false;  ///< and it was the end of the content
    bool failed = false;    ///< ended by a fatal error
    bool business = false;  ///< and that error is not a technical one
    std::int64_t start_ms = 0;
    std::int64_t first_frame_ms = 0;
    std::int64_t end_ms = 0;       ///< last known activity, or the end
    std::int64_t play_end_ms = 0;  ///< content cannot have played after this
    std::int64_t startup_ms = -1;
    std::int64_t startup_wait_ms = 0;
    std::int64_t play_limit_ms = -1;  ///< playing time is an estimate of at most this; -1 none
    Spans stalls, seek_waits;         ///< one per count, in order; stated lengths are exact
    Spans pauses;                     ///< the same
    Spans idle;                       ///< not playing for another reason (seeking, preparing)
    std::vector<std::int64_t> seeks;
    std::vector<Failure> failures;
};

/// Pure; chooses SmartSight, CMCD events or CMCD requests by what the session's records are.
Playback playback_of(const Session& session, const AdTimeline& ads, const Options& options);

/// Last known activity or the end, before anything else is known (for closing open ads).
std::int64_t activity_end_of(const Session& session) noexcept;

Playback smartsight_playback(const Session& session, const AdTimeline& ads, const Options& options);
/// `states`: whether the session's own state reports say what happened; else it is estimated.
Playback cmcd_playback(const Session& session, const AdTimeline& ads, const Options& options);

}  // namespace playhead::timeline
