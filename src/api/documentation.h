/// `GET /openapi.json` and `GET /docs`: the contract for machines and for people.
#pragma once

#include <string>

#include "api/contract.h"

namespace playhead::api {

/// Both are made at the first request, so of whatever is registered by then. `assets` is a folder
/// with swagger-ui-bundle.js and swagger-ui.css; without it /docs says so and lists the operations.
void add_documentation(Contract& contract, const std::string& assets);

}  // namespace playhead::api
