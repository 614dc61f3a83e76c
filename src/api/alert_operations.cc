#include "api/alert_operations.h"

#include <fmt/format.h>

#include "alerts/alert_book.h"
#include "alerts/rule.h"
#include "api/schemas.h"

namespace playhead::api {

namespace {

constexpr std::int64_t kLimitMax = 1'000'000;

constexpr Field kNote[] = {
    {.name = "note", .type = FieldType::Text, .bytes_max = alerts::kNoteBytesMax}};

constexpr const char* kRuleExample =
    R"({"name":"CDN fails","metric":"failurerate","operator":"above","threshold":5,)"
    R"("dimensions":["cdn"],"minattempts":20,"calculationperiod":300,"detectioninterval":300,)"
    R"("severity":"Critical"})";

/// What `alerts::parse_rule` takes; tests/contract holds the two together.
std::string rule_input_schema() {
    return fmt::format(
        R"({{"type":"object","required":["name","metric"],"properties":{{)"
        R"("name":{{"type":"string","minLength":1,"maxLength":{0}}},"type":{{"enum":["Manual"]}},)"
        R"("enabled":{{"type":"boolean","default":true}},)"
        R"("metric":{{"type":"string","minLength":1,"maxLength":{0}}},)"
        R"("filter":{{"type":"string"}},)"
        R"("dimensions":{{"type":"array","maxItems":{1},"items":{{"type":"string"}}}},)"
        R"("operator":{{"enum":["above","below"],"default":"above"}},)"
        R"("threshold":{{"type":["number","null"]}},)"
        R"("referencewindow":{{"type":"integer","minimum":3600,"maximum":2678400,)"
        R"("multipleOf":60,"description":"In place of threshold: seconds before"}},)"
        R"("factor":{{"type":["number","null"],"minimum":0}},)"
        R"("calculationperiod":{{"type":"integer","minimum":60,"maximum":86400,"multipleOf":60}},)"
        R"("detectioninterval":{{"type":"integer","minimum":60,"maximum":86400,"multipleOf":60}},)"
        R"("minattempts":{{"type":["number","null"],"minimum":0}},)"
        R"("minusers":{{"type":["number","null"],"minimum":0}},)"
        R"("severity":{{"enum":["Info","Warning","Critical"],"default":"Warning"}},)"
        R"("persistence":{{"type":"integer","minimum":1,"maximum":60}},)"
        R"("resolution":{{"type":"integer","minimum":1,"maximum":60}},)"
        R"("cooldown":{{"type":"integer","minimum":0,"maximum":604800}},)"
        R"("notify":{{"type":"array","maxItems":{2},"items":{{"type":"string"}},)"
        R"("description":"https URLs of webhooks"}},)"
        R"("notifysecret":{{"type":"string","maxLength":{0},"writeOnly":true,)"
        R"("description":"whsec_ and the base64 of 24 to 64 bytes; signs what they get"}},)"
        R"("id":{{}},"customerid":{{}},"revision":{{}}}},"additionalProperties":false}})",
        alerts::kNameBytesMax, alerts::kRuleDimensionsMax, alerts::kNotifyMax);
}

query::Parameter choice(const char* name, std::vector<std::string> choices, std::string otherwise,
                        std::string description) {
    return {.name = name,
            .type = query::ParameterType::Choice,
            .description = std::move(description),
            .otherwise = std::move(otherwise),
            .choices = std::move(choices)};
}

query::Parameter plan_level(bool required) {
    return {.name = "planlevel",
            .type = query::ParameterType::Integer,
            .description = "The tenant's plan level; checked.",
            .example = "6831",
            .required = required};
}

query::Parameter id_in_path(const char* name) {
    return {.name = name, .type = query::ParameterType::Id, .example = "none", .in_path = true};
}

Operation alert_operation(net::Method method, std::string path, std::string id, std::string summary,
                          auth::Permission permission) {
    Operation out;
    out.method = method;
    out.path = "/mm-apis/" + std::move(path);
    out.id = std::move(id);
    out.tag = "alerts";
    out.summary = std::move(summary);
    out.permission = permission;
    return out;
}

Operation rule_operation(net::Method method, bool one, std::string id, std::string summary) {
    auto out = alert_operation(
        method, one ? "alertrules/{customerId}/{ruleId}" : "alertrules/{customerId}", std::move(id),
        std::move(summary),
        method == net::Method::Get ? auth::Permission::Read : auth::Permission::Write);
    if (one) out.parameters.push_back(id_in_path("ruleId"));
    out.parameters.push_back(plan_level(false));
    if (one) out.examples = {{.name = "no such rule", .status = 404}};
    return out;
}

void take_rule(Operation& operation) {
    operation.body = RequestBody{.schema = schema_of("AlertRuleInput"), .example = kRuleExample};
    operation.problems = {413, 422, 429, 499, 504};
}

}  // namespace

void add_alert_schemas(Contract& contract) {
    contract.add_schema("Alert", object_schema({"alertid string",
                                                "ruleid string",
                                                "alertname string",
                                                "alerttype string",
                                                "metric string",
                                                "dimension object",
                                                "severity string",
                                                "status string",
                                                "starttime integer",
                                                "endtime integer?",
                                                "value number?",
                                                "baseline number?",
                                                "lower number?",
                                                "upper number?",
                                                "deviation number?",
                                                "direction string",
                                                "attempts number",
                                                "users number",
                                                "affectedsessions number",
                                                "affectedusers number",
                                                "calculationperiod integer",
                                                "detectioninterval integer",
                                                "rootcause object[]",
                                                "sampleSessions string[]",
                                                "notified string[]",
                                                "note string"}));
    contract.add_schema("AlertPage", object_schema({"totalcount integer", "pagecount integer",
                                                    "totalrecords integer", "response #Alert[]"}));
    contract.add_schema("AlertRuleInput", rule_input_schema());
    contract.add_schema("AlertRule", object_schema({"id string",
                                                    "customerid integer",
                                                    "revision integer",
                                                    "name string",
                                                    "type string",
                                                    "enabled boolean",
                                                    "metric string",
                                                    "filter string",
                                                    "dimensions string[]",
                                                    "operator string",
                                                    "-threshold number",
                                                    "-referencewindow integer",
                                                    "-factor number",
                                                    "calculationperiod integer",
                                                    "detectioninterval integer",
                                                    "minattempts number",
                                                    "minusers number",
                                                    "severity string",
                                                    "persistence integer",
                                                    "resolution integer",
                                                    "cooldown integer",
                                                    "notify string[]"}));
    contract.add_schema("AlertRulePage",
                        object_schema({"totalcount integer", "pagecount integer",
                                       "totalrecords integer", "response #AlertRule[]"}));
    contract.add_schema("AlertTickValue",
                        object_schema({"dimension object", "value number?", "attempts number",
                                       "users number", "state string"}));
    contract.add_schema("AlertTick",
                        object_schema({"time integer", "threshold number?", "baseline number?",
                                       "values #AlertTickValue[]"}));
    contract.add_schema("Backtest", object_schema({"totalcount integer", "pagecount integer",
                                                   "totalrecords integer", "response #Alert[]",
                                                   "intervals #AlertTick[]"}));
}

Operation list_alerts_operation() {
    auto out = alert_operation(net::Method::Get, "getAIAlerts/{customerId}", "listAlerts",
                               "Alerts that were open in the period", auth::Permission::Read);
    out.parameters = {plan_level(true),
                      {.name = "period",
                       .description = "`start=<t>,end=<t>` or `last=<n><s|m|h|d|w>`.",
                       .example = "last=24h",
                       .required = true},
                      choice("status", {"Open", "Acknowledged", "Resolved"}, "", "Only those."),
                      choice("severity", {"Info", "Warning", "Critical"}, "", "Only those."),
                      choice("type", {"AI", "Manual"}, "", "Only those."),
                      choice("orderby", {alerts::kAlertOrders.begin(), alerts::kAlertOrders.end()},
                             "starttime", "What the list is ordered by."),
                      choice("order", {"asc", "desc"}, "desc", "Of `orderby`."),
                      {.name = "limit",
                       .type = query::ParameterType::Integer,
                       .description = "Alerts; 0 is no limit.",
                       .otherwise = "1000",
                       .most = kLimitMax},
                      {.name = "offset",
                       .type = query::ParameterType::Integer,
                       .description = "Alerts left out at the front.",
                       .otherwise = "0",
                       .most = kLimitMax}};
    for (const char* name : {"queryId", "token_info"}) {
        out.parameters.push_back({.name = name, .ignored = true});
    }
    out.replies = {{200, "application/json", schema_of("AlertPage"), {}}};
    out.problems = {499, 504};
    out.examples = {{.name = "the open ones, worst first",
                     .query = "planlevel=6831&period=last%3D24h&status=Open&orderby=severity"},
                    {.name = "an unknown status",
                     .query = "planlevel=6831&period=last%3D24h&status=Opened",
                     .status = 400}};
    return out;
}

Operation acknowledge_operation() {
    auto out = alert_operation(net::Method::Post, "getAIAlerts/{customerId}/{alertId}/ack",
                               "acknowledgeAlert", "Somebody looks after the alert",
                               auth::Permission::Write);
    out.parameters = {id_in_path("alertId"), plan_level(false)};
    out.body =
        RequestBody{.example = R"({"note":"The CDN knows."})", .required = false, .fields = kNote};
    out.replies = {{200, "application/json", schema_of("Alert"), {}}};
    out.problems = {409, 413};
    out.examples = {{.name = "no such alert", .body = "{}", .status = 404},
                    {.name = "an unknown member", .body = R"({"not":"x"})", .status = 400}};
    return out;
}

Operation list_rules_operation() {
    auto out = rule_operation(net::Method::Get, false, "listAlertRules", "Every rule");
    out.replies = {{200, "application/json", schema_of("AlertRulePage"), {}}};
    out.examples = {{.name = "all"}};
    return out;
}

Operation create_rule_operation() {
    auto out = rule_operation(net::Method::Post, false, "addAlertRule", "Add a rule");
    take_rule(out);
    out.problems.push_back(409);
    out.replies = {{201, "application/json", schema_of("AlertRule"), {}}};
    out.examples = {{.name = "by CDN", .body = kRuleExample, .status = 201},
                    {.name = "an unknown metric",
                     .body = R"({"name":"x","metric":"failurrate","threshold":5})",
                     .status = 400}};
    return out;
}

Operation backtest_operation() {
    auto out =
        alert_operation(net::Method::Post, "alertrules/{customerId}/backtest", "backtestAlertRule",
                        "A rule tried on history, not saved", auth::Permission::Read);
    out.parameters = {plan_level(false),
                      {.name = "period",
                       .description = "At most 300 intervals of the rule.",
                       .otherwise = "last=1d",
                       .example = "last=1h"}};
    take_rule(out);
    out.replies = {{200, "application/json", schema_of("Backtest"), {}}};
    out.examples = {{.name = "over an hour", .query = "period=last%3D1h", .body = kRuleExample}};
    return out;
}

Operation show_rule_operation() {
    auto out = rule_operation(net::Method::Get, true, "getAlertRule", "One rule");
    out.replies = {{200, "application/json", schema_of("AlertRule"), {}}};
    return out;
}

Operation replace_rule_operation() {
    auto out = rule_operation(net::Method::Put, true, "replaceAlertRule", "Replace a rule");
    take_rule(out);
    out.replies = {{200, "application/json", schema_of("AlertRule"), {}}};
    out.examples.front().body = kRuleExample;
    return out;
}

Operation remove_rule_operation() {
    auto out = rule_operation(net::Method::Delete, true, "removeAlertRule", "Remove a rule");
    out.replies = {{204, {}, {}, "Removed."}};
    return out;
}

}  // namespace playhead::api
