/// The ads of a session, from its marks.
#pragma once

#include <cstdint>
#include <vector>

#include "timeline/session.h"
#include "timeline/spans.h"

namespace playhead::timeline {

struct Ad {
    const AdText* text = nullptr;  ///< never null; points into the session
    std::int64_t impression_ms = 0, play_ms = 0, end_ms = 0;  ///< 0 none
    std::int64_t load_ms = -1;
    Spans playing, pauses, stalls;
    bool impression = false, started = false, first_quartile = false, midpoint = false,
         third_quartile = false, completed = false, ended = false, skipped = false, clicked = false,
         failed = false, open = false;
};

struct AdTimeline {
    static constexpr std::size_t kAdsMax = 256;
    std::vector<Ad> ads;
    Spans blocked;  ///< breaks and ads, normalized: no content on screen
    std::int64_t first_load_ms = -1;
    bool waiting = false;    ///< asked for or begun, and no first frame since, at the end
    bool on_screen = false;  ///< at the end
};

/// Pure. `end_ms` closes what is open. Formulas: docs/decisions/0003-timeline.md, "Ads".
AdTimeline ads_of(const Session& session, std::int64_t end_ms);

}  // namespace playhead::timeline
