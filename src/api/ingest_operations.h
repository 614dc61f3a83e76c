/// The contract's entries of what players talk to; `ingest::Collector` answers them.
#pragma once

#include "api/contract.h"

namespace playhead::api {

/// After the collector has added its routes.
void describe_ingest(Contract& contract);

}  // namespace playhead::api
