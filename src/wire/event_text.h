/// What SDKs pack into the `desc` text of an event: errors, and "Prev: x, New: y" changes.
/// Pure. Results are views into `text` or into the arena.
#pragma once

#include <string_view>

#include "model/event.h"

namespace playhead::wire {

/// An ERROR, AD_ERROR or RF_* description. Understood are `CODE_MSG@@FATAL@@DETAILS` and
/// `CODE_MSG@@WARNING@@DETAILS`, `code_string_{json}` (React Native 4.6), JSON text (4.4.2) and
/// plain text, which becomes the message. Without a marker the severity is Unknown.
/// "NA" means empty.
model::ErrorFacts parse_error_text(std::string_view text, model::Arena& arena);

/// Adds what a RENDITION_CHANGE says: BitrateKbps and Fps measures at `client_ms`, and Resolution,
/// VideoCodec and AudioCodec. Text that is not JSON adds nothing.
void add_rendition_change(std::string_view text, model::Event& event, model::Arena& arena);

/// y of "Prev: x, New: y" wherever that stands in `text`; the whole text when there is no "New:".
std::string_view new_value(std::string_view text);

}  // namespace playhead::wire
