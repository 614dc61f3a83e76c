#include <fmt/format.h>

#include <iterator>

#include "simulator/truth.h"

namespace playhead::simulator {
namespace {

template <typename... Args>
void put(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

/// Intervals of one phase as [{start_ms, ms}, …].
void put_intervals(std::string& out, const Playback& playback, Phase first, Phase second) {
    out += '[';
    bool any = false;
    for (const Interval& interval : playback.intervals) {
        if (interval.phase != first && interval.phase != second) continue;
        put(out, R"({}{{"start_ms":{},"ms":{},"position_ms":{},"after_seek":{}}})", any ? "," : "",
            interval.start_ms, interval.duration_ms(), interval.position_ms,
            interval.phase == Phase::SeekStalled);
        any = true;
    }
    out += ']';
}

void put_ads(std::string& out, const Playback& playback) {
    out += '[';
    bool any = false;
    for (const AdBreak& pod : playback.breaks) {
        for (const AdView& ad : pod.ads) {
            put(out,
                R"({}{{"id":"ad-{}","pod":{},"position":{},"impression_ms":{},"start_ms":{},)"
                R"("end_ms":{},"duration_ms":{},"completed":{},"skipped":{},"failed":{}}})",
                any ? "," : "", ad.creative, ad.pod_index, ad.pod_position, ad.impression_ms,
                ad.start_ms, ad.end_ms, ad.duration_ms, ad.completed, ad.skipped, ad.failed);
            any = true;
        }
    }
    out += ']';
}

void put_names(std::string& out, const Truth& truth) {
    out += "\"counters\":{";
    bool any = false;
    for (const auto& column : model::kCounterColumns) {
        const std::int64_t value = truth.counters.*column.field;
        if (value == 0) continue;
        put(out, R"({}"{}":{})", any ? "," : "", column.name, value);
        any = true;
    }
    out += "},\"comparable\":[";
    any = false;
    for (const std::string_view name : truth.comparable) {
        put(out, R"({}"{}")", any ? "," : "", name);
        any = true;
    }
    out += "],\"dimensions\":{";
    any = false;
    for (std::size_t index = 0; index < model::kDimensionCount; ++index) {
        if (truth.dimensions[index].empty()) continue;
        put(out, R"({}"{}":"{}")", any ? "," : "", model::kDimensionNames[index],
            truth.dimensions[index]);
        any = true;
    }
    out += '}';
}

}  // namespace

// The world's texts hold no character that JSON would want escaped; a test parses every line.
std::string to_json(const Truth& truth, const World& world) {
    std::string out;
    out.reserve(4096);
    put(out,
        R"({{"sessionid":"{}","customer":{},"wire":"{}","viewstatus":"{}","start_ms":{},)"
        R"("end_ms":{},"first_frame_ms":{},"startup_ms":{},"asn":{},"islive":{},"app_events":{},)",
        truth.session_id, truth.customer_id, name_of(truth.wire), model::name_of(truth.status),
        truth.start_ms, truth.end_ms, truth.first_frame_ms, truth.startup_ms, truth.asn,
        truth.is_live, truth.application_events);
    put_names(out, truth);
    const Playback& playback = truth.playback;
    out += ",\"stalls\":";
    put_intervals(out, playback, Phase::Stalled, Phase::SeekStalled);
    out += ",\"pauses\":";
    put_intervals(out, playback, Phase::Paused, Phase::Paused);
    out += ",\"seeks\":";
    put_intervals(out, playback, Phase::SeekStalled, Phase::SeekStalled);
    out += ",\"ads\":";
    put_ads(out, playback);
    out += ",\"renditions\":[";
    const auto& ladder = world.ladder(world.assets()[playback.asset].has_fps50);
    for (std::size_t index = 0; index < playback.shifts.size(); ++index) {
        const Shift& shift = playback.shifts[index];
        put(out, R"({}{{"at_ms":{},"kbps":{}}})", index == 0 ? "" : ",", shift.at_ms,
            ladder[static_cast<std::size_t>(shift.rendition)].kbps);
    }
    out += "]}";
    return out;
}

}  // namespace playhead::simulator
