#include "importers/epas.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/hash.h"
#include "base/json_writer.h"
#include "importers/log_time.h"

namespace playhead::importers {

namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::size_t kEventsOfLineMax = 1000;
constexpr std::size_t kTextBytesMax = 512;

constexpr std::array<std::string_view, 15> kNames{
    "init",    "metadata", "heartbeat",       "loading",  "loaded",
    "playing", "paused",   "buffering",       "buffered", "seeking",
    "seeked",  "stopped",  "bitrate_changed", "error",    "warning"};

std::string_view text_of(const object& from, const char* key) {
    std::string_view text;
    if (from[key].get(text) != simdjson::SUCCESS) return {};
    return text.substr(0, kTextBytesMax);
}

/// A number, also written as text.
std::optional<double> number_of(const object& from, const char* key) {
    double number = 0;
    if (from[key].get(number) == simdjson::SUCCESS) return number;
    const std::string_view text = text_of(from, key);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
    return number;
}

std::string code_of(const object& from) {
    std::string code(text_of(from, "code"));
    if (code.empty()) {
        if (const auto number = number_of(from, "code")) code = fmt::format("{}", *number);
    }
    // The record's text has the code up to the first underscore.
    std::replace(code.begin(), code.end(), '_', '-');
    return code;
}

tl::unexpected<Error> malformed(std::string message) {
    return fail(ErrorCode::InvalidArgument, std::move(message));
}

Result<void> add_event(const element& value, std::uint64_t customer_id, std::vector<Report>& out) {
    object event;
    if (value.get(event) != simdjson::SUCCESS) return malformed("not a JSON object");
    const std::string_view name = text_of(event, "event");
    if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
        return malformed(name.empty() ? "no event" : "an event that EPAS does not know");
    }
    const std::string_view session = text_of(event, "sessionId");
    if (session.empty()) return malformed("no sessionId");
    const auto time = number_of(event, "timestamp");
    if (!time || !(*time > 0)) return malformed("no timestamp");
    if (out.size() >= kEventsOfLineMax) return malformed("too many events in one line");
    object payload;
    simdjson::dom::array inner;
    if (name == "heartbeat" && event["payload"].get(payload) == simdjson::SUCCESS &&
        payload["events"].get(inner) == simdjson::SUCCESS) {
        for (const element nested : inner) {
            if (auto added = add_event(nested, customer_id, out); !added) return added;
        }
    }
    Report report;
    report.kind = ReportKind::Epas;
    report.body = simdjson::minify(value);
    report.id = stable_hash(report.body);
    report.session_hash = stable_hash(session, customer_id);
    const auto time_ms = parse_epoch_ms(fmt::format("{:.0f}", *time));
    if (!time_ms) return malformed("a timestamp that is no time");
    report.time_ms = *time_ms;
    out.push_back(std::move(report));
    return {};
}

/// The members that any record may carry.
class RecordWriter {
public:
    RecordWriter(std::uint64_t customer_id, const Report& source, const object& event)
        : customer_id_(customer_id), source_(source), event_(event) {
        // Where the events were kept in a table, the payload is text.
        if (event["payload"].get(payload_) == simdjson::SUCCESS) return;
        const std::string_view text = text_of(event, "payload");
        element parsed;
        if (!text.empty() &&
            parser_.parse(text.data(), text.size()).get(parsed) == simdjson::SUCCESS &&
            parsed.get(payload_) == simdjson::SUCCESS) {
            return;
        }
        if (parser_.parse("{}", 2).get(parsed) == simdjson::SUCCESS &&
            parsed.get(payload_) != simdjson::SUCCESS) {
            payload_ = event;
        }
    }

    const object& payload() const { return payload_; }

    std::string write(const std::vector<std::string_view>& names, double latency_ms) {
        std::string out;
        JsonWriter json(out);
        json.begin_object();
        json.member("version", "2.0.0");
        json.member("timestamp", source_.time_ms);
        const double playhead = number_of(event_, "playhead").value_or(-1);
        // Live playheads are times of day, not positions.
        if (playhead >= 0 && playhead < 1e11) json.member("pbTime", playhead / 1000);
        json.key("qubitData");
        json.begin_array();
        for (const std::string_view name : names) entry(json, name, latency_ms);
        json.end_array();
        json.end_object();
        return out;
    }

private:
    static void optional_member(JsonWriter& json, const char* name, std::string_view value) {
        if (!value.empty()) json.member(name, value);
    }

    void entry(JsonWriter& json, std::string_view name, double latency_ms) {
        json.begin_object();
        stream_id(json, name);
        json.key("pbEventInfo");
        json.begin_object();
        json.member("event", name);
        if (name == "ERROR") json.member("desc", error_text());
        json.end_object();
        const double duration = number_of(event_, "duration").value_or(-1);
        if (duration > 0 && duration < 1e11) {
            json.key("streamInfo");
            json.begin_object();
            json.member("totalDuration", duration / 1000);
            json.end_object();
        }
        if (name == "START" && latency_ms >= 0) {
            json.key("pbInfo");
            json.begin_array();
            json.begin_object();
            json.member("latency", latency_ms);
            json.end_object();
            json.end_array();
        }
        if (name == "RENDITION_CHANGE") segment(json);
        client(json);
        json.end_object();
    }

    void stream_id(JsonWriter& json, std::string_view name) {
        json.key("streamID");
        json.begin_object();
        json.member("custId", customer_id_);
        json.member("sessionId", text_of(event_, "sessionId"));
        json.member("pId", fmt::format("epas-{:016x}-{}", source_.id, name));
        json.member("dataSrc", "Player");
        optional_member(json, "playerName", text_of(payload_, "player"));
        optional_member(json, "assetId", text_of(payload_, "contentId"));
        optional_member(json, "assetName", text_of(payload_, "contentTitle"));
        optional_member(json, "streamURL", text_of(payload_, "contentUrl"));
        optional_member(json, "subscriberId", text_of(payload_, "userId"));
        bool live = false;
        if (payload_["live"].get(live) == simdjson::SUCCESS) json.member("isLive", live);
        json.end_object();
        const std::string_view drm = text_of(payload_, "drmType");
        if (drm.empty()) return;
        json.key("contentMetadata");
        json.begin_object();
        json.member("drmProtection", drm);
        json.end_object();
    }

    void client(JsonWriter& json) {
        json.key("clientInfo");
        json.begin_object();
        optional_member(json, "deviceId", text_of(payload_, "deviceId"));
        optional_member(json, "model", text_of(payload_, "deviceModel"));
        optional_member(json, "device", text_of(payload_, "deviceType"));
        json.end_object();
    }

    void segment(JsonWriter& json) {
        const auto kbps = number_of(payload_, "bitrate");
        const auto width = number_of(payload_, "width");
        const auto height = number_of(payload_, "height");
        json.key("segInfo");
        json.begin_array();
        json.begin_object();
        if (kbps && *kbps > 0) json.member("cbrBitrate", *kbps * 1000);
        if (width && height && *width > 0 && *height > 0) {
            json.member("res", fmt::format("{:.0f}x{:.0f}", *width, *height));
        }
        json.end_object();
        json.end_array();
    }

    std::string error_text() const {
        const bool fatal = text_of(event_, "event") == "error";
        return fmt::format("{}_{}{}{}", code_of(payload_), text_of(payload_, "message"),
                           fatal ? "@@FATAL@@" : "@@WARNING@@", text_of(payload_, "category"));
    }

    std::uint64_t customer_id_;
    const Report& source_;
    const object& event_;
    object payload_;
    simdjson::dom::parser parser_;
};

}  // namespace

Result<std::vector<Report>> split_epas(std::string_view line, std::uint64_t customer_id) {
    thread_local simdjson::dom::parser parser;
    element root;
    std::vector<Report> out;
    if (parser.parse(line.data(), line.size()).get(root) != simdjson::SUCCESS) {
        return malformed("not JSON");
    }
    simdjson::dom::array list;
    if (root.get(list) != simdjson::SUCCESS) {
        if (auto added = add_event(root, customer_id, out); !added) return fail(added.error());
        return out;
    }
    for (const element event : list) {
        if (auto added = add_event(event, customer_id, out); !added) return fail(added.error());
    }
    return out;
}

std::optional<Report> EpasTranslator::translate(const Report& source) {
    simdjson::dom::parser parser;
    object event;
    if (parser.parse(source.body.data(), source.body.size()).get(event) != simdjson::SUCCESS) {
        return std::nullopt;
    }
    const std::string_view name = text_of(event, "event");
    RecordWriter record(customer_id_, source, event);
    auto found = sessions_.find(source.session_hash);
    const bool known = found != sessions_.end();
    Session state = known ? found->second : Session{};
    // Without its beginning, `playing` can only be told as going on.
    if (!known && name != "init" && name != "loading") state.started = true;
    std::vector<std::string_view> names;
    double latency_ms = -1;
    if (name == "init" || name == "loading") {
        if (state.asked_ms != 0 || state.started) return std::nullopt;
        state.asked_ms = source.time_ms;
        names = {"ONLOAD"};
    } else if (name == "playing") {
        if (!state.started) {
            latency_ms = static_cast<double>(source.time_ms - state.asked_ms);
            names = {"START"};
        } else {
            names = {state.paused ? "RESUME" : "STATS"};
        }
        state.started = true;
        state.paused = state.failed = false;
    } else if (name == "paused") {
        if (!state.started || state.paused) return std::nullopt;
        state.paused = true;
        names = {"PAUSE"};
    } else if (name == "buffering") {
        if (!state.started || state.buffering) return std::nullopt;
        state.buffering = true;
        names = {"BUFFERING"};
    } else if (name == "buffered") {
        if (!state.buffering) return std::nullopt;
        state.buffering = false;
        names = {"BUFFERING_COMPLETE"};
    } else if (name == "seeking") {
        if (!state.started) return std::nullopt;
        // EPAS does not end a buffering that a seek interrupts.
        if (state.buffering) names.emplace_back("BUFFERING_COMPLETE");
        state.buffering = false;
        names.emplace_back("SEEK_START");
    } else if (name == "seeked") {
        if (!state.started) return std::nullopt;
        names = {"SEEK_COMPLETE"};
    } else if (name == "bitrate_changed") {
        names = {"RENDITION_CHANGE"};
    } else if (name == "error") {
        state.failed = true;
        names = {"ERROR"};
    } else if (name == "warning") {
        names = {"ERROR"};
    } else if (name == "stopped") {
        names = {text_of(record.payload(), "reason") == "ended" ? "COMPLETE" : "ENDED"};
    } else if (name == "heartbeat" || name == "metadata") {
        // After a fatal error a report would say that it played on.
        if (state.failed) return std::nullopt;
        names = {"STATS"};
    } else {
        return std::nullopt;  // loaded
    }
    if (known) {
        found->second = state;
    } else if (sessions_.size() < kSessionsMax) {
        sessions_.emplace(source.session_hash, state);
    }
    if (name == "stopped") sessions_.erase(source.session_hash);
    Report out;
    out.kind = ReportKind::Produce;
    out.time_ms = source.time_ms;
    out.id = source.id;
    out.session_hash = source.session_hash;
    out.user_agent = text_of(record.payload(), "userAgent");
    out.body = record.write(names, latency_ms);
    return out;
}

}  // namespace playhead::importers
