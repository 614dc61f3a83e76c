/// Alerts and the rules that find them.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "alerts/alert_book.h"
#include "alerts/sampler.h"
#include "alerts/webhooks.h"
#include "api/access.h"
#include "base/clock.h"
#include "directory/directory.h"
#include "http/router.h"

namespace playhead::api {

/// `GET /mm-apis/getAIAlerts/{customerId}`, `POST …/{alertId}/ack`, and
/// `/mm-apis/alertrules/{customerId}[/{ruleId}]` with `POST …/backtest`. Must outlive the server.
/// Thread safe.
class AlertEndpoints {
public:
    AlertEndpoints(const Access& access, directory::Directory& directory, alerts::AlertBook& book,
                   const alerts::Sampler& sampler, const notify::WebhookPolicy& webhooks,
                   const Clock& clock, std::int64_t retention_days);

    void add_routes(http::Router& router);

private:
    void list_alerts(net::Request& request, net::Responder responder);
    void acknowledge(net::Request& request, net::Responder responder);
    void list_rules(net::Request& request, net::Responder responder);
    void show_rule(net::Request& request, net::Responder responder);
    void create_rule(net::Request& request, net::Responder responder);
    void replace_rule(net::Request& request, net::Responder responder);
    void remove_rule(net::Request& request, net::Responder responder);
    void backtest(net::Request& request, net::Responder responder);

    /// The rule of the body, checked against the dictionary by asking for its newest values; a
    /// secret that is not given is that of `before`.
    Result<alerts::Rule> rule_of(const net::Request& request, const Caller& caller,
                                 const alerts::Rule* before = nullptr) const;
    Result<alerts::Rule> stored(const Caller& caller, std::string_view rule_id) const;
    Result<void> store(const alerts::Rule& rule, const Caller& caller, const char* action,
                       const net::Request& request);
    std::string new_id();

    const Access& access_;
    directory::Directory& directory_;
    alerts::AlertBook& book_;
    const alerts::Sampler& sampler_;
    const notify::WebhookPolicy& webhooks_;
    const Clock& clock_;
    std::int64_t retention_days_;
    std::uint64_t id_seed_;
    std::atomic<std::uint64_t> ids_given_{0};
};

}  // namespace playhead::api
