/// Rows of `events` and `app_events` from single records.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/client_context.h"
#include "model/event.h"
#include "model/rows.h"

namespace playhead::timeline {

struct Session;

/// `message` with URLs, UUIDs, hexadecimal ids and numbers masked, at most 256 bytes: equal for
/// equal faults.
std::string error_fingerprint(std::string_view message);

/// The row of a record that was just applied to `session`; nullopt when it says nothing by itself
/// (a report without a finished stall).
std::optional<model::EventRow> event_row(const Session& session, const model::Event& event);

/// App Analytics: one row per record, no session state.
model::AppEventRow app_event_row(const model::Event& event, const model::ClientContext& client,
                                 std::int64_t event_ms);

}  // namespace playhead::timeline
