/// The fields of a finished session that an import may fill, by name, and how text becomes one.
/// Names are the columns of `sessions` (counters, dimensions, times) and a few that others write
/// instead of them: watch_ms, length_ms, stall_percent, buffering_percent, avgbitrate_kbps,
/// throughput_kbps, livelatency_ms, droppedframes_percent. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/rows.h"

namespace playhead::importers {

/// What a field measures, which says what units it may be given in.
enum class Quantity : std::uint8_t {
    Text,
    Time,
    Duration,  ///< ms
    Seconds,   ///< seconds
    Rate,      ///< kbit/s
    Bytes,
    Share,  ///< percent
    Number,
    Flag,
    Status,
};

/// A session on its way, with what only the end can use.
struct SessionDraft {
    model::SessionRow row;
    std::int64_t length_ms = -1;
    std::int64_t watch_ms = -1;
    double average_kbps = -1;
    double throughput_kbps = -1;
    double live_latency_ms = -1;
    double dropped_frames_percent = -1;
    double stall_percent = -1;      ///< connection-induced, of the time watched
    double buffering_percent = -1;  ///< of any cause, of the time watched
};

/// One field. `tag.<name>` is one as well.
struct SessionField {
    std::string name;
    Quantity quantity = Quantity::Text;
};

/// The field of a name; NotFound with the nearest one.
Result<SessionField> find_session_field(std::string_view name);

/// Every name but the tags.
const std::vector<std::string>& session_field_names();

/// Writes a text (`quantity` Text, Status) or a number (all others, in the field's own unit).
void set_text(SessionDraft& draft, const SessionField& field, std::string_view value);
void set_number(SessionDraft& draft, const SessionField& field, double value);

/// The factor from a unit to the field's own; InvalidArgument with the units that there are.
/// Times: formats are not units, see Mapping.
Result<double> unit_factor(const SessionField& field, std::string_view unit);

/// Makes the row complete and consistent from what is known, and says what is wrong with it:
/// InvalidArgument for one without id or start, that ends before it begins or lasts longer than
/// 36 h. `known` has the names of the fields that the source fills. What follows from known fields
/// is computed (first frame from start and startup, status and counters from each other, the score
/// where all that it needs is known); nothing else is made up.
Result<void> finish_session(SessionDraft& draft, const std::set<std::string, std::less<>>& known);

/// What the source does not tell, in two lists: metrics that answer null for these sessions, and
/// those that can only count 0.
struct UnknownFields {
    std::vector<std::string> null, zero;
};
UnknownFields unknown_fields(const std::set<std::string, std::less<>>& known);

/// The minutes of a finished session. Times and counts at the start, first frame and end are exact;
/// what has no place within the session is spread evenly from the first frame to the end. The sums
/// of all are exactly the session's counters.
std::vector<model::SliceRow> slices_of(const model::SessionRow& row);

}  // namespace playhead::importers
