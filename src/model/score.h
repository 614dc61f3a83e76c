/// `qualityofexperience`: Playhead's own 0-100 score of a session, every term published here and in
/// the dictionary. Monotone in each input; needs no pixels.
#pragma once

#include <cstdint>

#include "model/rows.h"

namespace playhead::model {

struct ScoreInput {
    bool attempted = false;  ///< playback was asked for
    bool played = false;     ///< a first frame was shown
    bool failed = false;     ///< ended by a technical fatal error, before or after the first frame
    double startup_s = 0;    ///< request to first frame, or wait until exit
    double playing_s = 0;
    double stall_s = 0;  ///< connection-induced stalls
    std::int64_t stall_count = 0;
    double bitrate_kbps = 0;      ///< time-weighted average; 0 = unknown, then no quality term
    double bitrate_top_kbps = 0;  ///< highest seen or offered; 0 = unknown
};

/// Points; `score` = 100 - (startup + stalls + quality + failure). `score` = -1: nothing to judge
/// (no attempt, or an exit before 1 s without an error).
struct Score {
    double score = -1;
    double lost_startup = 0;
    double lost_stalls = 0;
    double lost_quality = 0;
    double lost_failure = 0;
};

/// The factors multiply, score = 100 · F · S · B · Q, and the points lost to each are taken in that
/// order (failure, stalls, startup, quality), so that they add up exactly:
///   F failure   0 when it failed before the first frame; 0.5 when it failed in play; else 1
///   S startup   8 / (8 + s), s = seconds beyond the first 0.4 s (an exit before the first frame
///               counts the wait and halves it)
///   B stalls    0.5 / sqrt(1 + (n/2)²) + 0.5 · exp(-10 · r), n = stalls, r = stalled share of
///               stalled + playing time
///   Q quality   0.75 + 0.25 · min(1, ln(1 + b) / ln(1 + t)), b = average, t = top bitrate, kbit/s;
///               1 when unknown
/// The shapes of S and B follow the published Mux startup and smoothness scores (spec/peers.md
/// §2.1); the product and Q are ours. Pure and total: NaN or negative input counts as 0.
Score score_session(const ScoreInput& input) noexcept;

/// What a session's counters say of it: times, stalls and mean bitrate. The rest is the caller's.
ScoreInput score_input_of(const AdditiveCounters& counters) noexcept;

/// Judges the session and writes the points into its row.
void set_score(SessionRow& row, const ScoreInput& input) noexcept;

}  // namespace playhead::model
