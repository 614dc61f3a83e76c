/// The player: throughput-driven adaptation over a real buffer, and the viewer in front of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulator/incidents.h"
#include "simulator/playback.h"
#include "simulator/world.h"

namespace playhead::simulator {

struct PlayerOptions {
    bool ads = true;
    double dropped_share = 0.08;  ///< of plays: no final record
    double watch_factor = 1;      ///< scales how long viewers stay
};

/// Error codes of what is refused for a business reason (too many streams, wrong country).
std::vector<std::string> business_error_codes();

/// Plays one session to its end. `playback` comes with ordinal, wire, asset, country, cdn, viewer
/// and start filled in; the rest is written. Deterministic in (`playback`, `random`).
/// Outcome Dropped is a wish here: the beacon planner decides where the wire falls silent.
void play(const World& world, const PlayerOptions& options,
          const std::vector<const Incident*>& incidents, Random random, Playback& playback);

}  // namespace playhead::simulator
