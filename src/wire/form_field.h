/// Fields of application/x-www-form-urlencoded text, as in a URL's query. Internal to wire.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace playhead::wire {

/// The decoded value of the first field called `name` (exact case); `+` is a space. nullopt when
/// there is none.
std::optional<std::string> form_field(std::string_view query, std::string_view name);

}  // namespace playhead::wire
