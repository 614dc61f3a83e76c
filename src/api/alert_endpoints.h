/// Alerts and the rules that find them.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "alerts/alert_book.h"
#include "alerts/sampler.h"
#include "alerts/webhooks.h"
#include "api/contract.h"
#include "api/query_desk.h"
#include "base/clock.h"
#include "directory/directory.h"
#include "query/period.h"

namespace playhead::api {

/// `GET /mm-apis/getAIAlerts/{customerId}`, `POST …/{alertId}/ack`, and
/// `/mm-apis/alertrules/{customerId}[/{ruleId}]` with `POST …/backtest`. Must outlive the server.
/// Thread safe.
class AlertEndpoints {
public:
    AlertEndpoints(directory::Directory& directory, alerts::AlertBook& book,
                   const alerts::Sampler& sampler, const notify::WebhookPolicy& webhooks,
                   QueryDesk& desk, const Clock& clock, std::int64_t retention_days);

    void add_operations(Contract& contract);

private:
    using Answer = Result<net::Response>;
    Answer list_alerts(const Call& call);
    Answer acknowledge(const Call& call);
    Answer list_rules(const Call& call);
    Answer show_rule(const Call& call);
    Answer create_rule(const Call& call);
    Answer replace_rule(const Call& call);
    Answer remove_rule(const Call& call);
    void backtest(const Call& call, net::Responder responder);

    /// The rule of the body, checked against the dictionary by asking for its newest values, and
    /// its webhooks; a secret that is not given is that of `before`.
    Result<alerts::Rule> rule_of(const Call& call, const alerts::Rule* before = nullptr) const;
    /// That names and filter of a rule go together.
    Result<void> check(const alerts::Rule& rule) const;
    Result<std::string> backtest_json(const alerts::Rule& rule, const query::Period& period) const;
    Result<alerts::Rule> stored(const Call& call) const;
    Result<void> store(const alerts::Rule& rule, const char* action, const Call& call);
    Result<void> audit(const char* action, std::string_view target, std::string_view detail,
                       const Call& call);
    std::string new_id();

    directory::Directory& directory_;
    alerts::AlertBook& book_;
    const alerts::Sampler& sampler_;
    const notify::WebhookPolicy& webhooks_;
    QueryDesk& desk_;
    const Clock& clock_;
    std::int64_t retention_days_;
    std::uint64_t id_seed_;
    std::atomic<std::uint64_t> ids_given_{0};
};

}  // namespace playhead::api
