/// `GET /openapi.json` and `GET /docs`: the contract for machines and for people.
#pragma once

#include "api/contract.h"

namespace playhead::api {

/// Call last: the document is made at the first request, so of whatever is registered by then.
void add_documentation(Contract& contract);

}  // namespace playhead::api
