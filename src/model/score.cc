#include "model/score.h"

#include <algorithm>
#include <cmath>

namespace playhead::model {

namespace {

double clean(double value) noexcept {
    return value > 0 && std::isfinite(value) ? value : 0.0;
}

double stall_factor(const ScoreInput& input) noexcept {
    const double stall_s = clean(input.stall_s);
    const double total_s = stall_s + clean(input.playing_s);
    const double ratio = total_s > 0 ? stall_s / total_s : 0;
    const double half_count = static_cast<double>(std::max<std::int64_t>(0, input.stall_count)) / 2;
    return 0.5 / std::sqrt(1 + half_count * half_count) + 0.5 * std::exp(-10 * ratio);
}

double quality_factor(const ScoreInput& input) noexcept {
    const double average = clean(input.bitrate_kbps);
    const double top = clean(input.bitrate_top_kbps);
    if (average <= 0 || top <= 0) return 1;
    return 0.75 + 0.25 * std::min(1.0, std::log1p(average) / std::log1p(top));
}

}  // namespace

Score score_session(const ScoreInput& input) noexcept {
    const double wait_s = clean(input.startup_s);
    if (!input.attempted && !input.played) return {};
    if (!input.played && !input.failed && wait_s < 1) return {};
    const double failure = !input.failed ? 1.0 : input.played ? 0.5 : 0.0;
    double startup = 8 / (8 + std::max(0.0, wait_s - 0.4));
    if (!input.played) startup *= 0.5;
    const double stalls = input.played ? stall_factor(input) : 1.0;
    const double quality = input.played ? quality_factor(input) : 1.0;

    Score result;
    double left = 100;
    const auto lose = [&left](double factor) {
        const double lost = left * (1 - factor);
        left -= lost;
        return lost;
    };
    result.lost_failure = lose(failure);
    result.lost_stalls = lose(stalls);
    result.lost_startup = lose(startup);
    result.lost_quality = lose(quality);
    result.score = left;
    return result;
}

ScoreInput score_input_of(const AdditiveCounters& counters) noexcept {
    ScoreInput input;
    input.startup_s = static_cast<double>(counters.startup_wait_ms) / 1000;
    input.playing_s = static_cast<double>(counters.playing_ms) / 1000;
    input.stall_s = static_cast<double>(counters.stall_ms) / 1000;
    input.stall_count = counters.stall_count;
    if (counters.bitrate_ms > 0) {
        input.bitrate_kbps =
            static_cast<double>(counters.bitrate_kbit) / static_cast<double>(counters.bitrate_ms);
    }
    return input;
}

void set_score(SessionRow& row, const ScoreInput& input) noexcept {
    const Score score = score_session(input);
    row.score = static_cast<float>(score.score);
    row.score_lost_startup = static_cast<float>(score.lost_startup);
    row.score_lost_stalls = static_cast<float>(score.lost_stalls);
    row.score_lost_quality = static_cast<float>(score.lost_quality);
    row.score_lost_failure = static_cast<float>(score.lost_failure);
}

}  // namespace playhead::model
