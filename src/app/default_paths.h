/// Where ./dev setup puts data files, for when the configuration names none.
#pragma once

#include <string>

namespace playhead::app {

/// uap-core's regexes.yaml in the cache; empty when it is not there.
std::string default_user_agent_rules();

}  // namespace playhead::app
