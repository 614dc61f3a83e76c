/// The parts of a record that only the App Analytics SDK sends: `appEventInfo` and `userInfo`.
/// Internal: `decode_produce` calls it; such an entry becomes an event of kind Application.
#pragma once

#include "wire/json_walk.h"

namespace playhead::wire {

inline constexpr std::size_t kAppDataMax = 64;  ///< most `eventData` members kept per event

/// Reads `appEventInfo` into `event.app` (made if need be) and `event.name`.
void read_app_event(JsonWalk& walk, JsonWalk::Value value, model::Event& event,
                    std::uint32_t& dropped_keys);

/// Reads `userInfo`: profile and referral ids.
void read_user_info(JsonWalk& walk, JsonWalk::Value value, model::Event& event);

/// The event's app facts, made at the first call.
model::AppFacts& app_facts(model::Event& event);

}  // namespace playhead::wire
