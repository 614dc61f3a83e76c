/// What happened in a session, read off its event rows: stalls, pauses, seeks, renditions, errors.
/// Pure; no I/O.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "query/json_members.h"

namespace playhead::query {

/// A row of `events`, as far as the lists need it; in order of time.
struct SessionEvent {
    std::int64_t time_ms = 0;
    int kind = 0;  ///< model::EventKind
    int severity = 0;
    std::string name, phase, error_code, error_message, text;
    double position_s = 0;
    double value = 0;  ///< ms of a finished stall, pause or seek wait; kbit/s of a rendition
};

/// An interval; `length_ms` < 0: it had no end.
struct SessionInterval {
    std::int64_t start_ms = 0;
    std::int64_t length_ms = -1;
    bool after_seek = false;      ///< of stalls
    double from_s = 0, to_s = 0;  ///< playhead at both ends
};

struct SessionIntervals {
    std::vector<SessionInterval> stalls, pauses, seeks;
};

/// A stall that follows a seek by at most this much is the seek's.
inline constexpr std::int64_t kAfterSeekMs = 1000;

SessionIntervals intervals_of(const std::vector<SessionEvent>& events);

/// Writes the members stalls, pauses, seeks, renditions and errors into the open object.
void write_session_lists(JsonWriter& json, const std::vector<SessionEvent>& events);

/// Of the rows of these members: Stall, Interval (of pauses and seeks), Rendition, SessionError.
std::vector<NamedSchema> session_list_schemas();

}  // namespace playhead::query
