#include "alerts/webhooks.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/hash.h"

namespace playhead::alerts {

namespace {

const char* kind_of(const Alert& alert) {
    return alert.status == Status::Resolved ? "resolved" : "opened";
}

}  // namespace

std::string webhook_body(const Alert& alert) {
    const auto time_ms = alert.status == Status::Resolved ? alert.end_ms : alert.start_ms;
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.member("type", fmt::format("alert.{}", kind_of(alert)));
    json.member("timestamp", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                                         fmt::gmtime(static_cast<std::time_t>(time_ms / 1000))));
    json.key("data");
    write_alert(json, alert);
    json.end_object();
    return out;
}

Result<void> Webhooks::announce(const Rule& rule, const Alert& alert) {
    for (const auto& url : rule.notify) {
        notify::Notification message;
        message.id = fmt::format("{}.{}.{:08x}", alert.id, kind_of(alert),
                                 static_cast<std::uint32_t>(stable_hash(url)));
        message.customer_id = static_cast<std::int64_t>(rule.customer_id);
        message.subject = alert.id;
        message.url = url;
        message.secret = rule.notify_secret;
        message.body = webhook_body(alert);
        if (auto added = outbox_.add(message); !added) return added;
    }
    return {};
}

Result<void> check_webhooks(const Rule& rule, const notify::WebhookPolicy& policy) {
    for (const auto& url : rule.notify) {
        if (auto good = policy.check(url); !good) return good;
    }
    if (rule.notify.empty() && rule.notify_secret.empty()) return {};
    const auto key = notify::key_of_secret(rule.notify_secret);
    return key ? Result<void>{} : fail(key.error());
}

}  // namespace playhead::alerts
