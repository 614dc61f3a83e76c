/// From the kept state of a session to its rows: the one place where counters are computed.
#pragma once

#include <vector>

#include "model/rows.h"
#include "timeline/minutes.h"
#include "timeline/session.h"

namespace playhead::timeline {

struct Measured {
    model::SessionRow row;  ///< without revision and sign
    Minutes minutes;        ///< row.counters is their sum
    std::vector<model::AdViewRow> ads;
    /// Of a closed session: each stall, wait after a seek and pause (`value`: ms) and each
    /// rendition
    /// (`value`: kbit/s) as a row of `events` at its begin, named interval.stall, .seek, .pause and
    /// .rendition.
    std::vector<model::EventRow> intervals;
    bool final = false;  ///< a clean end was reported
};

/// Pure: the same state gives the same rows. `closed`: the session is over, so what only an end can
/// tell (dropped, exits, failures) is counted. Reuses the memory of `out`.
void measure(const Session& session, const Options& options, bool closed, Measured& out);

}  // namespace playhead::timeline
