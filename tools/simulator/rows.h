/// Rows straight from the truth, without a wire: fills a store for query benches.
#pragma once

#include <cstdint>
#include <functional>

#include "model/rows.h"
#include "simulator/traffic.h"

namespace playhead::simulator {

/// The session's row as of its end: closed, revision 1.
model::SessionRow make_session_row(const Truth& truth, const World& world);

/// One row per minute that the session was open in; their counters add up to the session's.
/// Appends to `rows`.
void make_slice_rows(const Truth& truth, const World& world, std::vector<model::SliceRow>& rows);

/// Calls `sink` with each session of `options` in order of start. `with_slices` = false leaves
/// `slices` empty. The vectors are reused between calls: move out what you keep. Returns the number
/// of sessions. About 10 times as fast as the wire; bounded memory.
std::uint64_t generate_rows(
    const World& world, const TrafficOptions& options, bool with_slices,
    const std::function<void(model::SessionRow&, std::vector<model::SliceRow>&)>& sink);

}  // namespace playhead::simulator
