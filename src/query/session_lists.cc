#include "query/session_lists.h"

#include <span>

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

using store::Cell;

/// Of a stall; a pause and a seek have no `after_seek`.
constexpr JsonMember<SessionInterval> kStallMembers[] = {
    {"start", Holds::Time, [](const auto& each) { return Cell(each.start_ms); }},
    {"ms", Holds::IntegerOrNull,
     [](const auto& each) { return each.length_ms < 0 ? Cell() : Cell(each.length_ms); }},
    {"from_s", Holds::Number, [](const auto& each) { return Cell(each.from_s); }},
    {"to_s", Holds::Number, [](const auto& each) { return Cell(each.to_s); }},
    {"after_seek", Holds::Flag,
     [](const auto& each) { return Cell(std::int64_t{each.after_seek}); }},
};
constexpr std::span<const JsonMember<SessionInterval>> kStall = kStallMembers;
constexpr auto kInterval = kStall.first(kStall.size() - 1);

constexpr JsonMember<SessionEvent> kRenditionMembers[] = {
    {"time", Holds::Time, [](const auto& event) { return Cell(event.time_ms); }},
    {"kbps", Holds::NumberOrNull,
     [](const auto& event) { return event.value > 0 ? Cell(event.value) : Cell(); }},
    {"position_s", Holds::Number, [](const auto& event) { return Cell(event.position_s); }},
    {"text", Holds::Text, [](const auto& event) { return Cell(event.text); }},
};
constexpr std::span<const JsonMember<SessionEvent>> kRendition = kRenditionMembers;

constexpr JsonMember<SessionEvent> kErrorMembers[] = {
    {"time", Holds::Time, [](const auto& event) { return Cell(event.time_ms); }},
    {"code", Holds::Text, [](const auto& event) { return Cell(event.error_code); }},
    {"message", Holds::Text, [](const auto& event) { return Cell(event.error_message); }},
    {"details", Holds::Text, [](const auto& event) { return Cell(event.text); }},
    {"type", Holds::Text,
     [](const auto& event) {
         const bool fatal = event.severity == static_cast<int>(model::Severity::Fatal);
         return Cell(fatal ? "fatal" : "warning");
     }},
    {"phase", Holds::Text, [](const auto& event) { return Cell(event.phase); }},
    {"position_s", Holds::Number, [](const auto& event) { return Cell(event.position_s); }},
};
constexpr std::span<const JsonMember<SessionEvent>> kError = kErrorMembers;

bool is_rendition(const SessionEvent& event) {
    return kind_of(event) == EventKind::Rendition;
}

bool is_error(const SessionEvent& event) {
    const auto kind = kind_of(event);
    return kind == EventKind::Error || kind == EventKind::AdError || event.severity != 0;
}

template <class Row>
void write_list(JsonWriter& json, const char* name, std::span<const JsonMember<Row>> members,
                const std::vector<Row>& rows, bool (*is_listed)(const Row&) = nullptr) {
    json.key(name);
    json.begin_array();
    for (const auto& row : rows) {
        if (is_listed != nullptr && !is_listed(row)) continue;
        json.begin_object();
        write_members(json, members, row);
        json.end_object();
    }
    json.end_array();
}

}  // namespace

SessionIntervals intervals_of(const std::vector<SessionEvent>& events) {
    return Reader().read(events);
}

void write_session_lists(JsonWriter& json, const std::vector<SessionEvent>& events) {
    const auto intervals = intervals_of(events);
    write_list(json, "stalls", kStall, intervals.stalls);
    write_list(json, "pauses", kInterval, intervals.pauses);
    write_list(json, "seeks", kInterval, intervals.seeks);
    write_list(json, "renditions", kRendition, events, is_rendition);
    write_list(json, "errors", kError, events, is_error);
}

std::vector<NamedSchema> session_list_schemas() {
    return {{"Stall", members_schema(kStall)},
            {"Interval", members_schema(kInterval)},
            {"Rendition", members_schema(kRendition)},
            {"SessionError", members_schema(kError)}};
}

}  // namespace playhead::query
