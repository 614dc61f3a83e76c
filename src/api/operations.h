/// What operators and orchestrators ask: is it alive, is it ready, what does it count.
#pragma once

#include <functional>
#include <string>

#include "api/contract.h"
#include "base/metrics.h"

namespace playhead::api {

/// Empty when the server may take traffic, else why not, in one sentence. Called per request:
/// must be quick and thread safe.
using ReadinessProbe = std::function<std::string()>;

/// `GET /healthz` (the process answers), `/readyz` (200, or 503 with the reason), `/metrics`
/// (Prometheus text). No credentials: bind them away from the public by a proxy where that matters.
void add_operations_routes(Contract& contract, MetricsRegistry& metrics, ReadinessProbe ready);

}  // namespace playhead::api
