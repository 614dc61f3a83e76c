/// The contract's entries of `alert_endpoints`.
#pragma once

#include "api/contract.h"

namespace playhead::api {

/// The components that the operations refer to.
void add_alert_schemas(Contract& contract);

Operation list_alerts_operation();
Operation acknowledge_operation();
Operation list_rules_operation();
Operation create_rule_operation();
Operation backtest_operation();
Operation show_rule_operation();
Operation replace_rule_operation();
Operation remove_rule_operation();

}  // namespace playhead::api
