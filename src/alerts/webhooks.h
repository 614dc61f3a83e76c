/// Tells a rule's webhooks of its alerts.
#pragma once

#include <string>

#include "alerts/evaluator.h"
#include "notify/outbox.h"

namespace playhead::alerts {

/// What a webhook gets: `{"type":"alert.opened","timestamp":…,"data":{the alert}}`.
std::string webhook_body(const Alert& alert);

/// Thread safe. The outbox must outlive it.
class Webhooks final : public Announcer {
public:
    explicit Webhooks(notify::Outbox& outbox) : outbox_(outbox) {}
    Result<void> announce(const Rule& rule, const Alert& alert) override;

private:
    notify::Outbox& outbox_;
};

/// InvalidArgument when a rule names a webhook that the policy does not allow, or none of them
/// could be signed.
Result<void> check_webhooks(const Rule& rule, const notify::WebhookPolicy& policy);

}  // namespace playhead::alerts
