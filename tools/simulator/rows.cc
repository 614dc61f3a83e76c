#include "simulator/rows.h"

#include <algorithm>

#include "model/event.h"
#include "model/score.h"

namespace playhead::simulator {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;

model::Protocol protocol_of(Wire wire) {
    switch (wire) {
        case Wire::CmcdEvent: return model::Protocol::CmcdEvent;
        case Wire::CmcdQuery: return model::Protocol::CmcdRequest;
        default: return model::Protocol::SmartSight;
    }
}

void add_score(const Truth& truth, model::SessionRow& row) {
    const auto& counters = row.counters;
    const bool failed = counters.startup_failures + counters.instream_failures > 0;
    const double average = counters.bitrate_ms > 0 ? static_cast<double>(counters.bitrate_kbit) /
                                                         static_cast<double>(counters.bitrate_ms)
                                                   : 0;
    const model::Score score = model::score_session(
        {.attempted = counters.attempts > 0,
         .played = counters.plays > 0,
         .failed = failed,
         .startup_s = static_cast<double>(truth.startup_ms >= 0 ? truth.startup_ms
                                                                : counters.startup_wait_ms) /
                      1000,
         .playing_s = static_cast<double>(counters.playing_ms) / 1000,
         .stall_s = static_cast<double>(counters.stall_ms) / 1000,
         .stall_count = counters.stall_count,
         .bitrate_kbps = average,
         .bitrate_top_kbps = static_cast<double>(row.bitrate_max_kbps)});
    row.score = static_cast<float>(score.score);
    row.score_lost_startup = static_cast<float>(score.lost_startup);
    row.score_lost_stalls = static_cast<float>(score.lost_stalls);
    row.score_lost_quality = static_cast<float>(score.lost_quality);
    row.score_lost_failure = static_cast<float>(score.lost_failure);
}

}  // namespace

model::SessionRow make_session_row(const Truth& truth, const World& world) {
    const Playback& playback = truth.playback;
    const Asset& asset = world.assets()[playback.asset];
    const auto& ladder = world.ladder(asset.has_fps50);
    model::SessionRow row;
    row.key = {truth.customer_id, truth.session_id};
    row.dimensions = truth.dimensions;
    row.tags = {{"plan", playback.viewer.type}};
    row.asn = truth.asn;
    row.is_live = truth.is_live;
    row.status = truth.status;
    row.protocol = static_cast<std::uint8_t>(protocol_of(truth.wire));
    row.start_ms = truth.start_ms;
    row.end_ms = truth.end_ms;
    row.first_frame_ms = truth.first_frame_ms;
    row.first_receive_ms = truth.start_ms + 20;
    row.last_receive_ms = truth.end_ms + 20;
    row.startup_ms = truth.startup_ms;
    if (!playback.breaks.empty() && !playback.breaks.front().ads.empty()) {
        const AdView& ad = playback.breaks.front().ads.front();
        if (ad.start_ms != 0) row.ad_startup_ms = ad.start_ms - ad.impression_ms;
    }
    row.position_s = static_cast<double>(playback.position_ms) / 1000;
    row.entry_s = playback.played() ? 0 : -1;
    row.duration_s = asset.is_live ? -1 : static_cast<double>(asset.duration_ms) / 1000;
    if (!asset.is_live) {
        std::int64_t furthest = playback.position_ms;
        for (const Interval& interval : playback.intervals) {
            const bool playing = interval.phase == Phase::Playing;
            furthest =
                std::max(furthest, interval.position_ms + (playing ? interval.duration_ms() : 0));
        }
        row.progress_percent =
            100.0 * static_cast<double>(furthest) / static_cast<double>(asset.duration_ms);
    }
    for (const Shift& shift : playback.shifts) {
        const Rendition& rendition = ladder[static_cast<std::size_t>(shift.rendition)];
        row.bitrate_last_kbps = static_cast<std::uint32_t>(rendition.kbps);
        row.bitrate_max_kbps = std::max(row.bitrate_max_kbps, row.bitrate_last_kbps);
        row.fps = static_cast<float>(rendition.fps);
        row.dimensions[model::index_of(model::Dimension::Resolution)] = rendition.resolution;
    }
    row.counters = truth.counters;
    add_score(truth, row);
    row.revision = 1;
    row.closed = true;
    return row;
}

void make_slice_rows(const Truth& truth, const World& world, std::vector<model::SliceRow>& rows) {
    const Playback& playback = truth.playback;
    const std::int64_t last_ms = std::max(truth.end_ms - 1, truth.start_ms);
    const std::int64_t first_minute = truth.start_ms - truth.start_ms % kMinuteMs;
    for (std::int64_t minute = first_minute; minute <= last_ms; minute += kMinuteMs) {
        model::SliceRow& row = rows.emplace_back();
        row.key = {truth.customer_id, truth.session_id};
        row.minute_ms = minute;
        row.dimensions = truth.dimensions;
        row.asn = truth.asn;
        row.is_live = truth.is_live;
        row.active_ms =
            std::min(minute + kMinuteMs, truth.end_ms) - std::max(minute, truth.start_ms);
        row.present = 1;
        // An instant at the very end (a zero-length last interval) belongs to the last slice.
        const bool last = minute + kMinuteMs > last_ms;
        row.counters = count_range(world, playback, minute,
                                   last ? truth.end_ms + kMinuteMs : minute + kMinuteMs);
        if (last) row.counters.beacons = truth.counters.beacons;
    }
}

std::uint64_t generate_rows(
    const World& world, const TrafficOptions& options, bool with_slices,
    const std::function<void(model::SessionRow&, std::vector<model::SliceRow>&)>& sink) {
    Arrivals arrivals(world, options.seed, options.from_ms, options.until_ms, options.sessions);
    std::vector<model::SliceRow> slices;
    std::uint64_t ordinal = 0;
    std::int64_t start_ms = 0;
    while (arrivals.next(start_ms)) {
        const Session session = make_session(world, options, ordinal++, start_ms);
        const Truth truth =
            make_truth(world, options.writer.customer_id, session.playback, session.plan);
        model::SessionRow row = make_session_row(truth, world);
        slices.clear();
        if (with_slices) make_slice_rows(truth, world, slices);
        sink(row, slices);
    }
    return ordinal;
}

}  // namespace playhead::simulator
