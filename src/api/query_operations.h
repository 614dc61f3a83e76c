/// The contract's entries of `query_endpoints`.
#pragma once

#include "api/contract.h"
#include "query/request.h"

namespace playhead::api {

/// A metrics query of one generation.
Operation query_operation(query::Endpoint endpoint);
Operation session_operation();
Operation dictionary_operation();
Operation plan_level_operation();

}  // namespace playhead::api
