/// The contract's entries of `export_endpoints`.
#pragma once

#include "api/contract.h"

namespace playhead::api {

/// The components that the operations refer to.
void add_export_schemas(Contract& contract);

Operation list_exports_operation();
Operation add_export_operation();
Operation get_export_operation();
Operation replace_export_operation();
Operation remove_export_operation();
Operation run_export_operation();

}  // namespace playhead::api
