/// The contract's entries of the administration; `AdminEndpoints` answers and checks them.
#pragma once

#include "api/contract.h"

namespace playhead::api {

/// Describes every route of `router` below /admin/v1/. After those are added.
void describe_administration(Contract& contract, const http::Router& router);

}  // namespace playhead::api
