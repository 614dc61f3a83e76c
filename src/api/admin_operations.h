/// The contract's entries of the administration endpoints.
#pragma once

#include <array>

#include "api/contract.h"

namespace playhead::api {

enum class AdminKind { Tenants, Users, ApiKeys, Tags };

/// List, add, get one, change one, remove one: in this order.
std::array<Operation, 5> admin_operations(AdminKind kind);
Operation audit_operation();

}  // namespace playhead::api
