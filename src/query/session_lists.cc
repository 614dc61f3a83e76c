#include "query/session_lists.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

#include "model/event.h"

namespace playhead::query {

namespace {

using model::EventKind;

EventKind kind_of(const SessionEvent& event) {
    return static_cast<EventKind>(event.kind);
}

/// Follows the events and notes what begins and ends.
class Reader {
public:
    SessionIntervals read(const std::vector<SessionEvent>& events) {
        for (const auto& event : events) take(event);
        close(stall_open_, out_.stalls, {}, false);
        close(pause_open_, out_.pauses, {}, false);
        close(seek_open_, out_.seeks, {}, false);
        return std::move(out_);
    }

private:
    struct Open {
        bool is = false;
        std::int64_t start_ms = 0;
        double position_s = 0;
    };

    void take(const SessionEvent& event) {
        switch (kind_of(event)) {
            case EventKind::BufferStart: open(stall_open_, event); break;
            case EventKind::BufferEnd: close_stall(event); break;
            case EventKind::Pause: open(pause_open_, event); break;
            case EventKind::Resume: close(pause_open_, out_.pauses, event, true); break;
            case EventKind::SeekStart:
                last_seek_ms_ = event.time_ms;
                open(seek_open_, event);
                break;
            case EventKind::SeekEnd:
                last_seek_ms_ = event.time_ms;
                close(seek_open_, out_.seeks, event, true);
                break;
            case EventKind::State: take_state(event); break;
            case EventKind::Stats:
            case EventKind::Heartbeat:
            case EventKind::Response:
            case EventKind::Request:
                // A report that carries a finished stall.
                if (event.value > 0) close_stall(event);
                break;
            default: break;
        }
    }

    /// CMCD: the name ends with ":" and the token of the state that began.
    void take_state(const SessionEvent& event) {
        close(pause_open_, out_.pauses, event, pause_open_.is);
        close(seek_open_, out_.seeks, event, seek_open_.is);
        if (stall_open_.is) close_stall(event);
        const char state = event.name.empty() ? ' ' : event.name.back();
        if (state == 'r') open(stall_open_, event);
        if (state == 'a') open(pause_open_, event);
        if (state == 'k') {
            last_seek_ms_ = event.time_ms;
            open(seek_open_, event);
        }
    }

    static void open(Open& open, const SessionEvent& event) {
        open = {true, event.time_ms, event.position_s};
    }

    void close_stall(const SessionEvent& event) {
        close(stall_open_, out_.stalls, event, true);
        if (out_.stalls.empty()) return;
        auto& stall = out_.stalls.back();
        stall.after_seek = last_seek_ms_ > 0 && last_seek_ms_ >= stall.start_ms - kAfterSeekMs &&
                           last_seek_ms_ <= event.time_ms;
    }

    /// The player's own length wins over the distance of the records.
    static void close(Open& open, std::vector<SessionInterval>& list, const SessionEvent& event,
                      bool ended) {
        SessionInterval found;
        if (!ended) {
            if (!open.is) return;
            found = {open.start_ms, -1, false, open.position_s, open.position_s};
        } else {
            if (!open.is && event.value <= 0) return;
            const bool told = event.value > 0 && kind_of(event) != EventKind::State;
            found.length_ms =
                told ? static_cast<std::int64_t>(event.value) : event.time_ms - open.start_ms;
            found.start_ms = open.is ? open.start_ms : event.time_ms - found.length_ms;
            found.from_s = open.is ? open.position_s : event.position_s;
            found.to_s = event.position_s;
        }
        open.is = false;
        list.push_back(found);
    }

    SessionIntervals out_;
    Open stall_open_, pause_open_, seek_open_;
    std::int64_t last_seek_ms_ = 0;
};

void write_intervals(JsonWriter& json, const char* name, const std::vector<SessionInterval>& list) {
    json.key(name);
    json.begin_array();
    for (const auto& each : list) {
        json.begin_object();
        write_time(json, "start", each.start_ms);
        json.key("ms");
        each.length_ms < 0 ? json.null() : json.value(each.length_ms);
        if (std::string_view(name) == "stalls") json.member("after_seek", each.after_seek);
        json.member("from_s", each.from_s);
        json.member("to_s", each.to_s);
        json.end_object();
    }
    json.end_array();
}

void write_renditions(JsonWriter& json, const std::vector<SessionEvent>& events) {
    json.key("renditions");
    json.begin_array();
    for (const auto& event : events) {
        if (kind_of(event) != EventKind::Rendition) continue;
        json.begin_object();
        write_time(json, "time", event.time_ms);
        json.key("kbps");
        event.value > 0 ? json.value(event.value) : json.null();
        json.member("position_s", event.position_s);
        json.member("text", event.text);
        json.end_object();
    }
    json.end_array();
}

void write_errors(JsonWriter& json, const std::vector<SessionEvent>& events) {
    json.key("errors");
    json.begin_array();
    for (const auto& event : events) {
        const auto kind = kind_of(event);
        if (kind != EventKind::Error && kind != EventKind::AdError && event.severity == 0) continue;
        json.begin_object();
        write_time(json, "time", event.time_ms);
        json.member("code", event.error_code);
        json.member("message", event.error_message);
        json.member("details", event.text);
        json.member("type", event.severity == static_cast<int>(model::Severity::Fatal) ? "fatal"
                                                                                       : "warning");
        json.member("phase", event.phase);
        json.member("position_s", event.position_s);
        json.end_object();
    }
    json.end_array();
}

}  // namespace

void write_time(JsonWriter& json, const std::string& name, std::int64_t epoch_ms) {
    json.key(name);
    if (epoch_ms == 0) {
        json.null();
        json.key(name + "_iso");
        json.null();
        return;
    }
    json.raw(fmt::format("{}.{:03}", epoch_ms / 1000, epoch_ms % 1000));
    const std::chrono::sys_seconds whole{std::chrono::seconds(epoch_ms / 1000)};
    json.member(name + "_iso", fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                                           fmt::gmtime(std::chrono::system_clock::to_time_t(whole)),
                                           epoch_ms % 1000));
}

SessionIntervals intervals_of(const std::vector<SessionEvent>& events) {
    return Reader().read(events);
}

void write_session_lists(JsonWriter& json, const std::vector<SessionEvent>& events) {
    const auto intervals = intervals_of(events);
    write_intervals(json, "stalls", intervals.stalls);
    write_intervals(json, "pauses", intervals.pauses);
    write_intervals(json, "seeks", intervals.seeks);
    write_renditions(json, events);
    write_errors(json, events);
}

}  // namespace playhead::query
