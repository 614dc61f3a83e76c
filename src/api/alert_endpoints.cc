#include "api/alert_endpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <random>

#include "alerts/backtest.h"
#include "alerts/evaluator.h"
#include "base/json_writer.h"
#include "base/random.h"
#include "http/query_string.h"
#include "net/problem.h"
#include "query/nearest.h"
#include "query/period.h"

namespace playhead::api {

namespace {

using alerts::Rule;
using net::Request;
using net::Responder;
using net::Response;

constexpr std::int64_t kLimitMax = 1'000'000;
/// Values shown per interval of a back-test beside the breaches, by attempts.
constexpr std::size_t kShownCombinationsMax = 20;
constexpr std::int64_t kMs = 1000;

Response json_reply(int status, std::string body) {
    Response response(status, "application/json", std::move(body));
    response.add("Cache-Control", "private, no-cache");
    return response;
}

/// The request's parameters; only names of `known` may be there.
Result<http::QueryString> parameters_of(const Request& request,
                                        const std::vector<std::string>& known) {
    auto parsed = http::QueryString::parse(request.query());
    if (!parsed) return parsed;
    for (const auto& parameter : parsed->all()) {
        if (std::find(known.begin(), known.end(), parameter.name) != known.end()) continue;
        const auto near = query::nearest_name(parameter.name, known);
        return fail_parameter(parameter.name.substr(0, 64), parameter.value.substr(0, 64),
                              near.empty() ? "a known parameter" : "did you mean \"" + near + "\"?",
                              "unknown parameter");
    }
    return parsed;
}

template <class List>
Result<std::string> choice_of(const http::QueryString& parameters, const char* name,
                              const List& allowed, const char* otherwise) {
    const std::string text(parameters.get(name, otherwise));
    std::vector<std::string> names(allowed.begin(), allowed.end());
    if (text.empty() || std::find(names.begin(), names.end(), text) != names.end()) return text;
    std::string expected;
    for (const auto& each : names) expected += (expected.empty() ? "" : ", ") + each;
    const auto near = query::nearest_name(text, names);
    if (!near.empty()) expected += "; did you mean \"" + near + "\"?";
    return fail_parameter(name, text.substr(0, 64), expected, "unknown value");
}

Result<std::int64_t> count_of(const http::QueryString& parameters, const char* name,
                              std::int64_t otherwise) {
    const auto text = parameters.get(name);
    if (text.empty()) return otherwise;
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 0 ||
        value > kLimitMax) {
        return fail_parameter(name, std::string(text.substr(0, 64)),
                              fmt::format("a whole number from 0 to {}", kLimitMax), "not a count");
    }
    return value;
}

Result<alerts::AlertQuery> alert_query(const http::QueryString& parameters, std::int64_t now_s,
                                       std::int64_t retention_days) {
    alerts::AlertQuery out;
    const auto* period = parameters.find("period");
    if (period == nullptr) {
        return fail_parameter("period", "", "start=<epoch s>,end=<epoch s>", "period is missing");
    }
    const auto range = query::parse_period(period->value, now_s, retention_days);
    if (!range) return fail(range.error());
    out.start_s = range->start_s;
    out.end_s = range->end_s;
    const std::array<std::pair<Result<std::string>, std::string*>, 3> choices{
        {{choice_of(parameters, "status", std::array{"Open", "Acknowledged", "Resolved"}, ""),
          &out.status},
         {choice_of(parameters, "severity", std::array{"Info", "Warning", "Critical"}, ""),
          &out.severity},
         {choice_of(parameters, "type", std::array{"AI", "Manual"}, ""), &out.type}}};
    for (const auto& [choice, target] : choices) {
        if (!choice) return fail(choice.error());
        *target = *choice;
    }
    const auto order_by = choice_of(parameters, "orderby", alerts::kAlertOrders, "starttime");
    if (!order_by) return fail(order_by.error());
    out.order_by = *order_by;
    const auto order = choice_of(parameters, "order", std::array{"asc", "desc"}, "desc");
    if (!order) return fail(order.error());
    out.descending = *order != "asc";
    const auto limit = count_of(parameters, "limit", out.limit);
    if (!limit) return fail(limit.error());
    const auto offset = count_of(parameters, "offset", 0);
    if (!offset) return fail(offset.error());
    out.limit = *limit;
    out.offset = *offset;
    return out;
}

void write_counts(JsonWriter& json, std::size_t rows, std::int64_t pages, std::int64_t total) {
    json.member("totalcount", rows);
    json.member("pagecount", pages);
    json.member("totalrecords", total);
}

/// The note of an acknowledgement: an empty body, or `{"note": "…"}`.
Result<std::string> note_of(std::string_view body) {
    if (body.empty()) return std::string();
    const auto json = nlohmann::json::parse(body, nullptr, false);
    if (!json.is_object()) {
        return fail_parameter("body", "", "{\"note\": \"…\"}", "the body is not a JSON object");
    }
    for (const auto& item : json.items()) {
        if (item.key() != "note") {
            return fail_parameter(item.key().substr(0, 64), "", "did you mean \"note\"?",
                                  "unknown field");
        }
        if (!item.value().is_string() ||
            item.value().get_ref<const std::string&>().size() > alerts::kNoteBytesMax) {
            return fail_parameter("note", "",
                                  fmt::format("text of at most {} bytes", alerts::kNoteBytesMax),
                                  "not a note");
        }
    }
    return json.value("note", std::string());
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

AlertEndpoints::AlertEndpoints(const Access& access, directory::Directory& directory,
                               alerts::AlertBook& book, const alerts::Sampler& sampler,
                               const notify::WebhookPolicy& webhooks, const Clock& clock,
                               std::int64_t retention_days)
    : access_(access),
      directory_(directory),
      book_(book),
      sampler_(sampler),
      webhooks_(webhooks),
      clock_(clock),
      retention_days_(retention_days),
      id_seed_((std::uint64_t{std::random_device{}()} << 32U) | std::random_device{}()) {}

void AlertEndpoints::add_routes(http::Router& router) {
    const http::RouteOptions pooled{http::RunOn::Pool, alerts::kRuleBytesMax, true};
    const auto add = [&](net::Method method, const char* pattern,
                         void (AlertEndpoints::*answer)(Request&, Responder)) {
        router.add(method, pattern, pooled, [this, answer](Request& request, Responder responder) {
            (this->*answer)(request, std::move(responder));
        });
    };
    using net::Method;
    using Self = AlertEndpoints;
    add(Method::Get, "/mm-apis/getAIAlerts/{customerId}", &Self::list_alerts);
    add(Method::Post, "/mm-apis/getAIAlerts/{customerId}/{alertId}/ack", &Self::acknowledge);
    add(Method::Get, "/mm-apis/alertrules/{customerId}", &Self::list_rules);
    add(Method::Post, "/mm-apis/alertrules/{customerId}", &Self::create_rule);
    add(Method::Post, "/mm-apis/alertrules/{customerId}/backtest", &Self::backtest);
    add(Method::Get, "/mm-apis/alertrules/{customerId}/{ruleId}", &Self::show_rule);
    add(Method::Put, "/mm-apis/alertrules/{customerId}/{ruleId}", &Self::replace_rule);
    add(Method::Delete, "/mm-apis/alertrules/{customerId}/{ruleId}", &Self::remove_rule);
}

void AlertEndpoints::list_alerts(Request& request, Responder responder) {
    const auto caller = access_.enter_with_plan(request, true, auth::Permission::Read);
    if (!caller) return responder.send(net::problem_response(caller.error()));
    const auto parameters =
        parameters_of(request, {"planlevel", "period", "limit", "offset", "orderby", "order",
                                "status", "severity", "type", "queryId", "token_info"});
    if (!parameters) return responder.send(net::problem_response(parameters.error()));
    const auto query = alert_query(*parameters, clock_.now_ms() / kMs, retention_days_);
    if (!query) return responder.send(net::problem_response(query.error()));
    const auto page = book_.list(static_cast<std::uint64_t>(caller->customer_id), *query);
    if (!page) return responder.send(net::problem_response(page.error()));
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
    responder.send(json_reply(200, std::move(body)));
}

void AlertEndpoints::acknowledge(Request& request, Responder responder) {
    const auto caller = access_.enter(request, std::nullopt, auth::Permission::Write);
    if (!caller) return responder.send(net::problem_response(caller.error()));
    const auto note = note_of(request.body());
    if (!note) return responder.send(net::problem_response(note.error()));
    const auto alert = book_.acknowledge(static_cast<std::uint64_t>(caller->customer_id),
                                         request.param("alertId"), *note);
    if (!alert) return responder.send(net::problem_response(alert.error()));
    std::string body;
    JsonWriter json(body);
    write_alert(json, *alert);
    responder.send(json_reply(200, std::move(body)));
}

Result<Rule> AlertEndpoints::rule_of(const Request& request, const Caller& caller,
                                     const Rule* before) const {
    auto rule = alerts::parse_rule(request.body());
    if (!rule) return rule;
    if (before != nullptr && rule->notify_secret.empty()) {
        rule->notify_secret = before->notify_secret;
    }
    rule->customer_id = static_cast<std::uint64_t>(caller.customer_id);
    const auto now_s = clock_.now_ms() / kMs / rule->detection_interval_s;
    const auto tried = sampler_.tick(*rule, now_s * rule->detection_interval_s);
    if (!tried) return fail(tried.error());
    return rule;
}

Result<Rule> AlertEndpoints::stored(const Caller& caller, std::string_view rule_id) const {
    const auto documents = directory_.documents(alerts::kRuleKind, caller.customer_id);
    if (!documents) return fail(documents.error());
    for (const auto& document : *documents) {
        if (document.id == rule_id) return alerts::stored_rule(document.body);
    }
    return fail(ErrorCode::NotFound, "there is no such rule");
}

Result<void> AlertEndpoints::store(const Rule& rule, const Caller& caller, const char* action,
                                   const Request& request) {
    directory::Document document;
    document.kind = alerts::kRuleKind;
    document.id = rule.id;
    document.customer_id = caller.customer_id;
    document.body = alerts::stored_rule_json(rule);
    if (auto put = directory_.put_document(document); !put) return put;
    directory::AuditEntry entry;
    entry.actor = caller.identity.email.empty() ? caller.identity.subject : caller.identity.email;
    entry.action = action;
    entry.target = rule.id;
    entry.customer_id = caller.customer_id;
    entry.address = std::string(request.remote_address());
    entry.detail = rule.name;
    return directory_.audit(entry);
}

void AlertEndpoints::list_rules(Request& request, Responder responder) {
    const auto caller = access_.enter(request, std::nullopt, auth::Permission::Read);
    if (!caller) return responder.send(net::problem_response(caller.error()));
    const auto documents = directory_.documents(alerts::kRuleKind, caller->customer_id);
    if (!documents) return responder.send(net::problem_response(documents.error()));
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
    responder.send(json_reply(200, std::move(body)));
}

void AlertEndpoints::show_rule(Request& request, Responder responder) {
    const auto caller = access_.enter(request, std::nullopt, auth::Permission::Read);
    if (!caller) return responder.send(net::problem_response(caller.error()));
    const auto rule = stored(*caller, request.param("ruleId"));
    if (!rule) return responder.send(net::problem_response(rule.error()));
    responder.send(json_reply(200, alerts::rule_json(*rule)));
}

void AlertEndpoints::create_rule(Request& request, Responder responder) {
    const auto caller = access_.enter(request, std::nullopt, auth::Permission::Write);
    if (!caller) return responder.send(net::problem_response(caller.error()));
    auto rule = rule_of(request, *caller);
    if (!rule) return responder.send(net::problem_response(rule.error()));
    if (auto good = alerts::check_webhooks(*rule, webhooks_); !good) {
        return responder.send(net::problem_response(good.error()));
    }
    const auto known = directory_.documents(alerts::kRuleKind, caller->customer_id);
    if (!known) return responder.send(net::problem_response(known.error()));
    if (known->size() >= alerts::kRulesPerCustomerMax) {
        return responder.send(net::problem_response(
            Error{ErrorCode::Conflict,
                  fmt::format("a customer has at most {} rules", alerts::kRulesPerCustomerMax),
                  {},
                  {},
                  {}}));
    }
    rule->id = new_id();
    if (auto done = store(*rule, *caller, "alert-rule-added", request); !done) {
        return responder.send(net::problem_response(done.error()));
    }
    auto response = json_reply(201, alerts::rule_json(*rule));
    response.add("Location",
                 fmt::format("/mm-apis/alertrules/{}/{}", caller->customer_id, rule->id));
    responder.send(std::move(response));
}

void AlertEndpoints::replace_rule(Request& request, Responder responder) {
    const auto caller = access_.enter(request, std::nullopt, auth::Permission::Write);
    if (!caller) return responder.send(net::problem_response(caller.error()));
    const auto before = stored(*caller, request.param("ruleId"));
    if (!before) return responder.send(net::problem_response(before.error()));
    auto rule = rule_of(request, *caller, &*before);
    if (!rule) return responder.send(net::problem_response(rule.error()));
    if (auto good = alerts::check_webhooks(*rule, webhooks_); !good) {
        return responder.send(net::problem_response(good.error()));
    }
    rule->id = before->id;
    rule->revision = before->revision + 1;
    if (auto done = store(*rule, *caller, "alert-rule-changed", request); !done) {
        return responder.send(net::problem_response(done.error()));
    }
    responder.send(json_reply(200, alerts::rule_json(*rule)));
}

void AlertEndpoints::remove_rule(Request& request, Responder responder) {
    const auto caller = access_.enter(request, std::nullopt, auth::Permission::Write);
    if (!caller) return responder.send(net::problem_response(caller.error()));
    const std::string rule_id(request.param("ruleId"));
    const auto done = directory_.remove_document(alerts::kRuleKind, caller->customer_id, rule_id);
    if (!done) return responder.send(net::problem_response(done.error()));
    directory::AuditEntry entry;
    entry.actor =
        caller->identity.email.empty() ? caller->identity.subject : caller->identity.email;
    entry.action = "alert-rule-removed";
    entry.target = rule_id;
    entry.customer_id = caller->customer_id;
    entry.address = std::string(request.remote_address());
    if (auto noted = directory_.audit(entry); !noted) {
        return responder.send(net::problem_response(noted.error()));
    }
    responder.send(Response(204));
}

void AlertEndpoints::backtest(Request& request, Responder responder) {
    const auto caller = access_.enter(request, std::nullopt, auth::Permission::Read);
    if (!caller) return responder.send(net::problem_response(caller.error()));
    const auto parameters = parameters_of(request, {"period", "planlevel"});
    if (!parameters) return responder.send(net::problem_response(parameters.error()));
    const auto period = query::parse_period(parameters->get("period", "last=1d"),
                                            clock_.now_ms() / kMs, retention_days_);
    if (!period) return responder.send(net::problem_response(period.error()));
    const auto rule = rule_of(request, *caller);
    if (!rule) return responder.send(net::problem_response(rule.error()));
    const auto tried = alerts::backtest(*rule, sampler_, period->start_s, period->end_s);
    if (!tried) return responder.send(net::problem_response(tried.error()));
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
        auto alert = alerts::alert_of(*rule, {kind, episode});
        const auto until_s = episode.end_s > 0 ? episode.end_s : period->end_s;
        alert.sample_sessions = sampler_.worst_sessions(*rule, episode, until_s);
        if (explained++ < alerts::kExplainedPerIntervalMax) {
            alert.root_cause_json = sampler_.root_cause(*rule, episode, until_s);
        }
        write_alert(json, alert);
    }
    json.end_array();
    json.key("intervals");
    json.begin_array();
    for (const auto& tick : tried->ticks) write_tick(json, *rule, tick);
    json.end_array();
    json.end_object();
    responder.send(json_reply(200, std::move(body)));
}

std::string AlertEndpoints::new_id() {
    Random random(id_seed_, ids_given_.fetch_add(1) + 1);
    return fmt::format("{:016x}", random.next_u64());
}

}  // namespace playhead::api
