#include "importers/session_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "query/nearest.h"
#include "wire/value_limits.h"

namespace playhead::importers {

namespace {

constexpr double kNumberMax = 9e15;
constexpr std::string_view kTagPrefix = "tag.";
constexpr std::size_t kTagNameBytesMax = 64;

/// A number of the row that is no counter.
struct RowNumber {
    const char* name;
    Quantity quantity;
    void (*set)(SessionDraft& draft, double value);
};

std::int64_t whole(double value) {
    return std::llround(value);
}

constexpr std::array kRowNumbers{
    RowNumber{"start_time", Quantity::Time,
              [](SessionDraft& d, double v) { d.row.start_ms = whole(v); }},
    RowNumber{"end_time", Quantity::Time,
              [](SessionDraft& d, double v) { d.row.end_ms = whole(v); }},
    RowNumber{"first_frame_time", Quantity::Time,
              [](SessionDraft& d, double v) { d.row.first_frame_ms = whole(v); }},
    RowNumber{"length_ms", Quantity::Duration,
              [](SessionDraft& d, double v) { d.length_ms = whole(v); }},
    RowNumber{"watch_ms", Quantity::Duration,
              [](SessionDraft& d, double v) { d.watch_ms = whole(v); }},
    RowNumber{"startup_ms", Quantity::Duration,
              [](SessionDraft& d, double v) { d.row.startup_ms = whole(v); }},
    RowNumber{"ad_startup_ms", Quantity::Duration,
              [](SessionDraft& d, double v) { d.row.ad_startup_ms = whole(v); }},
    RowNumber{"position_s", Quantity::Seconds,
              [](SessionDraft& d, double v) { d.row.position_s = v; }},
    RowNumber{"duration_s", Quantity::Seconds,
              [](SessionDraft& d, double v) { d.row.duration_s = v; }},
    RowNumber{
        "progress_percent", Quantity::Share,
        [](SessionDraft& d, double v) { d.row.progress_percent = std::clamp(v, 0.0, 100.0); }},
    RowNumber{"bitrate_last_kbps", Quantity::Rate,
              [](SessionDraft& d, double v) {
                  d.row.bitrate_last_kbps = static_cast<std::uint32_t>(std::min(v, 4e9));
              }},
    RowNumber{"bitrate_max_kbps", Quantity::Rate,
              [](SessionDraft& d, double v) {
                  d.row.bitrate_max_kbps = static_cast<std::uint32_t>(std::min(v, 4e9));
              }},
    RowNumber{"avgbitrate_kbps", Quantity::Rate,
              [](SessionDraft& d, double v) { d.average_kbps = v; }},
    RowNumber{"throughput_kbps", Quantity::Rate,
              [](SessionDraft& d, double v) { d.throughput_kbps = v; }},
    RowNumber{"livelatency_ms", Quantity::Duration,
              [](SessionDraft& d, double v) { d.live_latency_ms = v; }},
    RowNumber{"droppedframes_percent", Quantity::Share,
              [](SessionDraft& d, double v) { d.dropped_frames_percent = v; }},
    RowNumber{"stall_percent", Quantity::Share,
              [](SessionDraft& d, double v) { d.stall_percent = v; }},
    RowNumber{"buffering_percent", Quantity::Share,
              [](SessionDraft& d, double v) { d.buffering_percent = v; }},
    RowNumber{"score", Quantity::Number,
              [](SessionDraft& d, double v) {
                  d.row.score = static_cast<float>(std::clamp(v, 0.0, 100.0));
              }},
    RowNumber{"score_lost_startup", Quantity::Number,
              [](SessionDraft& d, double v) { d.row.score_lost_startup = static_cast<float>(v); }},
    RowNumber{"score_lost_stalls", Quantity::Number,
              [](SessionDraft& d, double v) { d.row.score_lost_stalls = static_cast<float>(v); }},
    RowNumber{"score_lost_quality", Quantity::Number,
              [](SessionDraft& d, double v) { d.row.score_lost_quality = static_cast<float>(v); }},
    RowNumber{"score_lost_failure", Quantity::Number,
              [](SessionDraft& d, double v) { d.row.score_lost_failure = static_cast<float>(v); }},
    RowNumber{"fps", Quantity::Number,
              [](SessionDraft& d, double v) { d.row.fps = static_cast<float>(v); }},
    RowNumber{"asn", Quantity::Number,
              [](SessionDraft& d, double v) {
                  d.row.asn = static_cast<std::uint32_t>(std::clamp(v, 0.0, 4294967295.0));
              }},
    RowNumber{"latitude", Quantity::Number,
              [](SessionDraft& d, double v) {
                  d.row.latitude = static_cast<float>(std::round(v * 10) / 10);
              }},
    RowNumber{"longitude", Quantity::Number,
              [](SessionDraft& d, double v) {
                  d.row.longitude = static_cast<float>(std::round(v * 10) / 10);
              }},
    RowNumber{"islive", Quantity::Flag, [](SessionDraft& d, double v) { d.row.is_live = v != 0; }},
};

/// Fields that may be below zero.
bool may_be_negative(std::string_view name) {
    return name == "latitude" || name == "longitude" || name == "duration_s";
}

Quantity quantity_of_counter(std::string_view name) {
    if (name.ends_with("_ms")) return Quantity::Duration;
    return name == "bytes" ? Quantity::Bytes : Quantity::Number;
}

std::optional<model::ViewStatus> status_of(std::string_view text) {
    for (const auto status :
         {model::ViewStatus::Loaded, model::ViewStatus::Running, model::ViewStatus::Ended,
          model::ViewStatus::Failed, model::ViewStatus::Exited, model::ViewStatus::Dropped}) {
        const std::string_view name = model::name_of(status);
        if (name.size() == text.size() &&
            std::equal(name.begin(), name.end(), text.begin(), [](char left, char right) {
                return left == (right >= 'a' && right <= 'z' ? right - 'a' + 'A' : right);
            })) {
            return status;
        }
    }
    return std::nullopt;
}

struct Unit {
    const char* name;
    double factor;
};

std::vector<Unit> units_of(Quantity quantity) {
    switch (quantity) {
        case Quantity::Duration:
            return {{"ms", 1}, {"s", 1000}, {"min", 60'000}, {"h", 3'600'000}, {"us", 0.001}};
        case Quantity::Seconds: return {{"s", 1}, {"ms", 0.001}, {"min", 60}, {"h", 3600}};
        case Quantity::Rate: return {{"kbps", 1}, {"bps", 0.001}, {"mbps", 1000}};
        case Quantity::Bytes:
            return {{"B", 1},    {"kB", 1e3},   {"MB", 1e6},
                    {"GB", 1e9}, {"KiB", 1024}, {"MiB", 1048576}};
        case Quantity::Share: return {{"percent", 1}, {"ratio", 100}};
        default: return {};
    }
}

}  // namespace

const std::vector<std::string>& session_field_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all{"sessionid", "viewstatus"};
        for (const auto& number : kRowNumbers) all.emplace_back(number.name);
        for (const auto name : model::kDimensionNames) all.emplace_back(name);
        for (const auto& counter : model::kCounterColumns) all.emplace_back(counter.name);
        return all;
    }();
    return names;
}

Result<SessionField> find_session_field(std::string_view name) {
    if (name == "sessionid") return SessionField{std::string(name), Quantity::Text};
    if (name == "viewstatus") return SessionField{std::string(name), Quantity::Status};
    for (const auto& number : kRowNumbers) {
        if (name == number.name) return SessionField{std::string(name), number.quantity};
    }
    for (const auto& counter : model::kCounterColumns) {
        if (name == counter.name) {
            return SessionField{std::string(name), quantity_of_counter(name)};
        }
    }
    if (model::dimension_named(name)) return SessionField{std::string(name), Quantity::Text};
    if (name.starts_with(kTagPrefix) && name.size() > kTagPrefix.size() &&
        name.size() <= kTagPrefix.size() + kTagNameBytesMax) {
        return SessionField{std::string(name), Quantity::Text};
    }
    const std::string nearest = query::nearest_name(name, session_field_names());
    return fail(Error{ErrorCode::NotFound,
                      fmt::format("'{}' is no field of a session{}", name,
                                  nearest.empty() ? "" : "; did you mean " + nearest + "?"),
                      "columns", std::string(name), nearest});
}

void set_text(SessionDraft& draft, const SessionField& field, std::string_view value) {
    std::string kept(wire::cut_text(value, model::kDimensionValueBytesMax));
    if (field.name == "sessionid") {
        draft.row.key.session_id = std::move(kept);
    } else if (field.quantity == Quantity::Status) {
        if (const auto status = status_of(value)) draft.row.status = *status;
    } else if (field.name.starts_with(kTagPrefix)) {
        if (draft.row.tags.size() < model::kTagsMax) {
            draft.row.tags.emplace_back(field.name.substr(kTagPrefix.size()), std::move(kept));
        }
    } else if (const auto dimension = model::dimension_named(field.name)) {
        draft.row.dimensions[model::index_of(*dimension)] = std::move(kept);
    }
}

void set_number(SessionDraft& draft, const SessionField& field, double value) {
    if (!std::isfinite(value) || std::abs(value) > kNumberMax) return;
    if (value < 0 && !may_be_negative(field.name)) return;
    for (const auto& number : kRowNumbers) {
        if (field.name == number.name) return number.set(draft, value);
    }
    for (const auto& counter : model::kCounterColumns) {
        if (field.name == counter.name) {
            draft.row.counters.*counter.field = whole(value);
            return;
        }
    }
}

Result<double> unit_factor(const SessionField& field, std::string_view unit) {
    std::vector<std::string> names;
    for (const Unit& known : units_of(field.quantity)) {
        if (unit == known.name) return known.factor;
        names.emplace_back(known.name);
    }
    return fail_parameter("unit", std::string(unit),
                          names.empty() ? "no unit" : fmt::format("{}", fmt::join(names, ", ")),
                          fmt::format("'{}' is no unit of {}", unit, field.name));
}

UnknownFields unknown_fields(const std::set<std::string, std::less<>>& known) {
    const auto lacks = [&](std::string_view name) { return !known.contains(name); };
    UnknownFields out;
    const bool bitrate = lacks("avgbitrate_kbps") && lacks("bitrate_kbit");
    if (lacks("startup_ms")) out.null.emplace_back("startup_ms");
    if (bitrate) out.null.emplace_back("avgbitrate_kbps");
    if (lacks("progress_percent")) out.null.emplace_back("progress_percent");
    if (lacks("throughput_kbps") && lacks("throughput_kbit")) {
        out.null.emplace_back("throughput_kbps");
    }
    if (lacks("media_kbit")) out.null.emplace_back("media_kbit (definition=cta2066)");
    if (lacks("droppedframes_percent") && lacks("frames_total")) {
        out.null.emplace_back("droppedframes_percent");
    }
    for (const char* name :
         {"playing_ms", "stall_ms",       "stall_count", "seek_stall_ms",  "seek_stall_count",
          "pause_ms",   "pause_count",    "seek_count",  "ad_ms",          "bytes",
          "requests",   "up_shifts",      "down_shifts", "frames_dropped", "fatal_errors",
          "warnings",   "ad_impressions", "ad_starts",   "ad_completions", "completions",
          "beacons"}) {
        const std::string_view field = name;
        const bool stalls = !lacks("stall_percent") && !lacks("watch_ms");
        if (field == "playing_ms" && !lacks("watch_ms")) continue;
        if (field == "stall_ms" && stalls) continue;
        if (field == "completions" && !lacks("progress_percent")) continue;
        if (field == "seek_stall_ms" && stalls && !lacks("buffering_percent")) continue;
        if (lacks(name)) out.zero.emplace_back(name);
    }
    return out;
}

}  // namespace playhead::importers
