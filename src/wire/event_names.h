/// Names of SmartSight events to kinds. Internal to wire.
#pragma once

#include <string_view>

#include "model/event.h"

namespace playhead::wire {

/// The kind of an event's name; RF_* and RC_* are requests, unknown names are Custom.
model::EventKind kind_of_event(std::string_view name) noexcept;

/// Whether the kind is one of the AD_* kinds.
constexpr bool is_ad(model::EventKind kind) noexcept {
    return kind >= model::EventKind::AdRequest && kind <= model::EventKind::AdComplete;
}

}  // namespace playhead::wire
