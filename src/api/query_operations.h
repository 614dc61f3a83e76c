/// The contract's entries of `query_endpoints`, `smart_query_endpoint` and `sql_endpoints`.
#pragma once

#include "api/contract.h"
#include "query/request.h"

namespace playhead::api {

/// A metrics query of one generation.
Operation query_operation(query::Endpoint endpoint);
/// `smartQuery`: each named query a variant.
Operation smart_query_operation();
Operation session_operation();
Operation dictionary_operation();
Operation plan_level_operation();
Operation sql_operation();
/// GET or DELETE of `/mm-apis/query/{queryId}`.
Operation query_state_operation(net::Method method);

}  // namespace playhead::api
