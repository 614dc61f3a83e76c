/// The kind of device behind a user agent, in the words of the dimension `device`.
#pragma once

#include <string_view>

#include "enrich/user_agent_rules.h"

namespace playhead::enrich {

/// "Personal computer", "Smartphone", "Tablet", "Smart TV", "STB", "Game console" or "unknown".
/// Views static storage. Set-top boxes are the boxes and sticks that bring their own system to any
/// screen (Apple TV, Chromecast, Fire TV, Roku); a television with the same system is a Smart TV.
std::string_view device_category(std::string_view user_agent, const UserAgentFamily& os,
                                 const UserAgentDevice& device) noexcept;

}  // namespace playhead::enrich
