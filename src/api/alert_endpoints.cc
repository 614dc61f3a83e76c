#include "api/alert_endpoints.h"

#include <fmt/format.h>

#include <random>

#include "alerts/backtest.h"
#include "alerts/evaluator.h"
#include "api/alert_operations.h"
#include "api/replies.h"
#include "base/json_writer.h"
#include "base/random.h"
#include "query/period.h"

namespace playhead::api {

namespace {

using alerts::Rule;
using net::Response;

/// Values shown per interval of a back-test beside the breaches, by attempts.
constexpr std::size_t kShownCombinationsMax = 20;
constexpr std::int64_t kMs = 1000;

Result<alerts::AlertQuery> alert_query(const Call& call, std::int64_t now_s,
                                       std::int64_t retention_days) {
    alerts::AlertQuery out;
    const auto range = query::parse_period(call.text("period"), now_s, retention_days);
    if (!range) return fail(range.error());
    out.start_s = range->start_s;
    out.end_s = range->end_s;
    out.status = call.text("status");
    out.severity = call.text("severity");
    out.type = call.text("type");
    out.order_by = call.text("orderby");
    out.descending = call.text("order") != "asc";
    out.limit = call.integer("limit");
    out.offset = call.integer("offset");
    return out;
}

void write_counts(JsonWriter& json, std::size_t rows, std::int64_t pages, std::int64_t total) {
    json.member("totalcount", rows);
    json.member("pagecount", pages);
    json.member("totalrecords", total);
}

void write_optional(JsonWriter& json, const char* name, const std::optional<double>& value) {
    json.key(name);
    value ? json.value(*value) : json.null();
}

void write_tick(JsonWriter& json, const Rule& rule, const alerts::Tick& tick) {
    json.begin_object();
    json.member("time", tick.time_s);
    write_optional(json, "threshold", tick.threshold);
    write_optional(json, "baseline", tick.baseline);
    json.key("values");
    json.begin_array();
    for (std::size_t i = 0; i < tick.samples.size(); ++i) {
        const auto& sample = tick.samples[i];
        const auto breach = alerts::is_breach(rule, tick, sample);
        if (i >= kShownCombinationsMax && !breach.value_or(false)) continue;
        json.begin_object();
        json.key("dimension");
        json.begin_object();
        for (std::size_t d = 0; d < rule.dimensions.size(); ++d) {
            json.member(rule.dimensions[d], sample.combination[d]);
        }
        json.end_object();
        write_optional(json, "value", sample.value);
        json.member("attempts", sample.attempts);
        json.member("users", sample.users);
        json.member("state", !breach ? "unknown" : *breach ? "breach" : "clean");
        json.end_object();
    }
    json.end_array();
    json.end_object();
}

}  // namespace

AlertEndpoints::AlertEndpoints(directory::Directory& directory, alerts::AlertBook& book,
                               const alerts::Sampler& sampler,
                               const notify::WebhookPolicy& webhooks, QueryDesk& desk,
                               const Clock& clock, std::int64_t retention_days)
    : directory_(directory),
      book_(book),
      sampler_(sampler),
      webhooks_(webhooks),
      desk_(desk),
      clock_(clock),
      retention_days_(retention_days),
      id_seed_((std::uint64_t{std::random_device{}()} << 32U) | std::random_device{}()) {}

void AlertEndpoints::add_operations(Contract& contract) {
    const http::RouteOptions pooled{http::RunOn::Pool, alerts::kRuleBytesMax, true};
    const auto add = [&](Operation operation, Answer (AlertEndpoints::*step)(const Call&)) {
        contract.add(std::move(operation), pooled,
                     answering([this, step](Call& call) { return (this->*step)(call); }));
    };
    add(list_alerts_operation(), &AlertEndpoints::list_alerts);
    add(acknowledge_operation(), &AlertEndpoints::acknowledge);
    add(list_rules_operation(), &AlertEndpoints::list_rules);
    add(create_rule_operation(), &AlertEndpoints::create_rule);
    contract.add(backtest_operation(), pooled, [this](Call& call, net::Responder responder) {
        backtest(call, std::move(responder));
    });
    add(show_rule_operation(), &AlertEndpoints::show_rule);
    add(replace_rule_operation(), &AlertEndpoints::replace_rule);
    add(remove_rule_operation(), &AlertEndpoints::remove_rule);
}

Result<Response> AlertEndpoints::list_alerts(const Call& call) {
    const auto query = alert_query(call, clock_.now_ms() / kMs, retention_days_);
    if (!query) return fail(query.error());
    const auto page = book_.list(call.customer_id(), *query);
    if (!page) return fail(page.error());
    std::string body;
    JsonWriter json(body);
    const auto pages = query->limit == 0 ? std::int64_t{page->total > 0}
                                         : (page->total + query->limit - 1) / query->limit;
    json.begin_object();
    write_counts(json, page->alerts.size(), pages, page->total);
    json.key("response");
    json.begin_array();
    for (const auto& alert : page->alerts) write_alert(json, alert);
    json.end_array();
    json.end_object();
    return json_reply(200, std::move(body), kAskAgain);
}

Result<Response> AlertEndpoints::acknowledge(const Call& call) {
    std::string note;
    call.fields().take("note", note);
    const auto alert = book_.acknowledge(call.customer_id(), call.text("alertId"), note);
    if (!alert) return fail(alert.error());
    std::string body;
    JsonWriter json(body);
    write_alert(json, *alert);
    return json_reply(200, std::move(body), kAskAgain);
}

Result<Rule> AlertEndpoints::rule_of(const Call& call, const Rule* before) const {
    auto rule = alerts::parse_rule(call.request.body());
    if (!rule) return rule;
    if (before != nullptr && rule->notify_secret.empty()) {
        rule->notify_secret = before->notify_secret;
    }
    if (auto good = alerts::check_webhooks(*rule, webhooks_); !good) return fail(good.error());
    rule->customer_id = call.customer_id();
    Result<void> known;
    desk_.run_aside(rule->customer_id, [&] {
        known = check(*rule);
        return known ? Outcome{} : Outcome{known.error().code};
    });
    if (!known) return fail(known.error());
    return rule;
}

Result<void> AlertEndpoints::check(const Rule& rule) const {
    const auto now_s = clock_.now_ms() / kMs / rule.detection_interval_s;
    const auto tried = sampler_.tick(rule, now_s * rule.detection_interval_s);
    if (!tried) return fail(tried.error());
    return {};
}

Result<Rule> AlertEndpoints::stored(const Call& call) const {
    const auto documents = directory_.documents(alerts::kRuleKind, call.caller.customer_id);
    if (!documents) return fail(documents.error());
    for (const auto& document : *documents) {
        if (document.id == call.text("ruleId")) return alerts::stored_rule(document.body);
    }
    return fail(Error{ErrorCode::NotFound,
                      "there is no such rule",
                      "ruleId",
                      std::string(call.text("ruleId")),
                      {}});
}

Result<void> AlertEndpoints::audit(const char* action, std::string_view target,
                                   std::string_view detail, const Call& call) {
    auto entry = audit_entry(call, action, target);
    entry.detail = detail;
    return directory_.audit(entry);
}

Result<void> AlertEndpoints::store(const Rule& rule, const char* action, const Call& call) {
    directory::Document document;
    document.kind = alerts::kRuleKind;
    document.id = rule.id;
    document.customer_id = call.caller.customer_id;
    document.body = alerts::stored_rule_json(rule);
    if (auto put = directory_.put_document(document); !put) return put;
    return audit(action, rule.id, rule.name, call);
}

Result<Response> AlertEndpoints::list_rules(const Call& call) {
    const auto documents = directory_.documents(alerts::kRuleKind, call.caller.customer_id);
    if (!documents) return fail(documents.error());
    std::string body;
    JsonWriter json(body);
    json.begin_object();
    write_counts(json, documents->size(), documents->empty() ? 0 : 1,
                 static_cast<std::int64_t>(documents->size()));
    json.key("response");
    json.begin_array();
    for (const auto& document : *documents) {
        if (const auto rule = alerts::stored_rule(document.body)) alerts::write_rule(json, *rule);
    }
    json.end_array();
    json.end_object();
    return json_reply(200, std::move(body), kAskAgain);
}

Result<Response> AlertEndpoints::show_rule(const Call& call) {
    const auto rule = stored(call);
    if (!rule) return fail(rule.error());
    return json_reply(200, alerts::rule_json(*rule), kAskAgain);
}

Result<Response> AlertEndpoints::create_rule(const Call& call) {
    auto rule = rule_of(call);
    if (!rule) return fail(rule.error());
    const auto known = directory_.documents(alerts::kRuleKind, call.caller.customer_id);
    if (!known) return fail(known.error());
    if (known->size() >= alerts::kRulesPerCustomerMax) {
        return fail(ErrorCode::Conflict,
                    fmt::format("a customer has at most {} rules", alerts::kRulesPerCustomerMax));
    }
    rule->id = new_id();
    if (auto done = store(*rule, "alert-rule-added", call); !done) return fail(done.error());
    auto response = json_reply(201, alerts::rule_json(*rule), kAskAgain);
    response.add("Location",
                 fmt::format("/mm-apis/alertrules/{}/{}", call.caller.customer_id, rule->id));
    return response;
}

Result<Response> AlertEndpoints::replace_rule(const Call& call) {
    const auto before = stored(call);
    if (!before) return fail(before.error());
    auto rule = rule_of(call, &*before);
    if (!rule) return fail(rule.error());
    rule->id = before->id;
    rule->revision = before->revision + 1;
    if (auto done = store(*rule, "alert-rule-changed", call); !done) return fail(done.error());
    return json_reply(200, alerts::rule_json(*rule), kAskAgain);
}

Result<Response> AlertEndpoints::remove_rule(const Call& call) {
    const auto id = call.text("ruleId");
    if (auto done = directory_.remove_document(alerts::kRuleKind, call.caller.customer_id, id);
        !done) {
        return fail(done.error());
    }
    if (auto noted = audit("alert-rule-removed", id, "", call); !noted) return fail(noted.error());
    return Response(204);
}

void AlertEndpoints::backtest(const Call& call, net::Responder responder) {
    const auto period =
        query::parse_period(call.text("period"), clock_.now_ms() / kMs, retention_days_);
    if (!period) return responder.send(net::problem_response(period.error()));
    auto rule = alerts::parse_rule(call.request.body());
    if (!rule) return responder.send(net::problem_response(rule.error()));
    rule->customer_id = call.customer_id();
    const auto id = desk_.new_id();
    desk_.hand_in(
        rule->customer_id, id, std::move(responder),
        [this, rule = *rule, period = *period, id](net::Responder& to, RunningQuery& running) {
            auto body = backtest_json(rule, period);
            running.end(body ? Outcome{} : Outcome{body.error().code});
            if (!body) return to.send(desk_.refusal(body.error(), id));
            auto response = json_reply(200, std::move(*body), kAskAgain);
            response.add("X-Query-Id", id);
            to.send(std::move(response));
        });
}

Result<std::string> AlertEndpoints::backtest_json(const Rule& rule,
                                                  const query::Period& period) const {
    if (auto known = check(rule); !known) return fail(known.error());
    const auto tried = alerts::backtest(rule, sampler_, period.start_s, period.end_s);
    if (!tried) return fail(tried.error());
    std::string body;
    JsonWriter json(body);
    json.begin_object();
    write_counts(json, tried->episodes.size(), tried->episodes.empty() ? 0 : 1,
                 static_cast<std::int64_t>(tried->episodes.size()));
    json.key("response");
    json.begin_array();
    int explained = 0;
    for (const auto& episode : tried->episodes) {
        const auto kind =
            episode.end_s > 0 ? alerts::Change::Kind::Resolved : alerts::Change::Kind::Opened;
        auto alert = alerts::alert_of(rule, {kind, episode});
        const auto until_s = episode.end_s > 0 ? episode.end_s : period.end_s;
        alert.sample_sessions = sampler_.worst_sessions(rule, episode, until_s);
        if (explained++ < alerts::kExplainedPerIntervalMax) {
            alert.root_cause_json = sampler_.root_cause(rule, episode, until_s);
        }
        write_alert(json, alert);
    }
    json.end_array();
    json.key("intervals");
    json.begin_array();
    for (const auto& tick : tried->ticks) write_tick(json, rule, tick);
    json.end_array();
    json.end_object();
    return body;
}

std::string AlertEndpoints::new_id() {
    Random random(id_seed_, ids_given_.fetch_add(1) + 1);
    return fmt::format("{:016x}", random.next_u64());
}

}  // namespace playhead::api
