#include "app/verify_metrics.h"

namespace playhead::app {

MetricVerifier::MetricVerifier(const query::Engine& engine,
                               const std::vector<ExpectedSession>& sessions,
                               std::uint64_t customer_id)
    : engine_(engine), sessions_(sessions), customer_id_(customer_id) {}

Result<void> MetricVerifier::compare() { return {}; }

void MetricVerifier::print() const {}

}  // namespace playhead::app
