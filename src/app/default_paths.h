/// Where ./dev setup puts data files, for when the configuration names none.
#pragma once

#include <string>

namespace playhead::app {

/// uap-core's regexes.yaml in the cache; empty when it is not there.
std::string default_user_agent_rules();

/// The folder of Swagger UI in the cache; empty when it is not there.
std::string default_docs_assets();

}  // namespace playhead::app
