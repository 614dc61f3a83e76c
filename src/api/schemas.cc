#include "api/schemas.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "api/alert_operations.h"
#include "api/export_operations.h"
#include "base/json_writer.h"
#include "query/session_detail.h"

namespace playhead::api {

namespace {

constexpr const char* kProblem = R"({
"type":"object","description":"RFC 9457","required":["type","title","status"],
"properties":{"type":{"type":"string"},"title":{"type":"string"},
"status":{"type":"integer","minimum":400,"maximum":599},"detail":{"type":"string"},
"parameter":{"type":"string"},"value":{"type":"string"},
"expected":{"type":"string",
"description":"What would have been right, with the nearest known name"}}})";

constexpr const char* kMeta = R"({
"type":"object","required":["view","tables","timezone","approximate","queryId","elapsedms",
"definitions"],
"properties":{"view":{"type":"string"},"tables":{"type":"array","items":{"type":"string"}},
"reason":{"type":"string"},"granularity":{"type":"string"},"filled":{"type":"boolean"},
"timezone":{"type":"string"},"approximate":{"type":"boolean"},
"watermark":{"type":["integer","null"],"description":"Complete up to, epoch seconds"},
"latebeacons":{"type":["number","null"]},"lostbeacons":{"type":["number","null"]},
"numberedbeacons":{"type":["number","null"]},"lostbeaconsreason":{"type":"string"},
"queryId":{"type":"string"},"elapsedms":{"type":"number","minimum":0},
"cached":{"type":"boolean"},"cacheage":{"type":"integer","minimum":0},
"rowsread":{"type":"integer","minimum":0},
"definitions":{"type":"array","items":{"type":"object",
"required":["metric","definition","unit","numerator","denominator"],
"additionalProperties":{"type":"string"}}},"sql":{"type":"string"}}})";

constexpr const char* kDictionaryDocument = R"({
"type":"object","required":["metrics","dimensions","operators","views","definitions"],
"properties":{"metrics":{"type":"array","items":{"type":"object","required":["key","title","unit",
"definition","form","numerator","denominator","good","decimals","concurrency"],
"properties":{"key":{"type":"string"},"aliases":{"type":"array","items":{"type":"string"}},
"title":{"type":"string"},"unit":{"type":"string"},"definition":{"type":"string"},
"good":{"enum":["up","down","none"]},"decimals":{"type":"integer"},
"concurrency":{"type":"boolean"},"definitions":{"type":"object"}}}},
"dimensions":{"type":"array","items":{"type":"object","required":["key","title","type","tables"],
"properties":{"key":{"type":"string"},"title":{"type":"string"},
"type":{"enum":["string","number","boolean","time"]},
"tables":{"type":"array","items":{"type":"string"}}}}}}})";

constexpr const char* kTokens = R"({
"type":"object","required":["access_token","token_type","expires_in"],
"properties":{"access_token":{"type":"string"},"refresh_token":{"type":"string"},
"id_token":{"type":"string"},"token_type":{"type":"string"},
"expires_in":{"type":"integer"},"refresh_expires_in":{"type":"integer"},
"scope":{"type":"string"}}})";

constexpr const char* kOauthError = R"({
"type":"object","description":"RFC 6749 section 5.2","required":["error"],
"properties":{"error":{"type":"string"},"error_description":{"type":"string"}}})";

/// A schema of the known keys and of a pattern for the rest.
std::string names_schema(const std::vector<std::string>& keys, std::string_view pattern) {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.member("type", "string");
    json.key("anyOf");
    json.begin_array();
    json.begin_object();
    json.key("enum");
    json.begin_array();
    for (const auto& key : keys) json.value(key);
    json.end_array();
    json.end_object();
    json.begin_object();
    json.member("pattern", pattern);
    json.end_object();
    json.end_array();
    json.end_object();
    return out;
}

template <class Entries>
std::vector<std::string> keys_of(const Entries& entries) {
    std::vector<std::string> out;
    for (const auto& entry : entries) {
        out.push_back(entry.key);
        out.insert(out.end(), entry.aliases.begin(), entry.aliases.end());
    }
    return out;
}

/// The types of an `object_schema` line.
std::string type_schema(std::string_view type) {
    if (type.ends_with("[]")) {
        type.remove_suffix(2);
        return fmt::format(R"({{"type":"array","items":{}}})", type_schema(type));
    }
    if (type.starts_with('#')) return schema_of(type.substr(1));
    const bool nullable = type.ends_with('?');
    if (nullable) type.remove_suffix(1);
    return nullable ? fmt::format(R"({{"type":["{}","null"]}})", type)
                    : fmt::format(R"({{"type":"{}"}})", type);
}

std::vector<std::pair<std::string, std::string>> dimension_types(
    const query::Dictionary& dictionary) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& dimension : dictionary.dimensions()) {
        const char* type = dimension.type == query::ValueType::String    ? "string"
                           : dimension.type == query::ValueType::Boolean ? "boolean"
                                                                         : "number";
        out.emplace_back(dimension.key, type);
        for (const auto& alias : dimension.aliases) out.emplace_back(alias, type);
    }
    return out;
}

/// A row of a metrics query: what each name of the dictionary may hold.
std::string row_schema(const query::Dictionary& dictionary) {
    std::map<std::string, std::set<std::string>> types;
    for (const auto& metric : dictionary.metrics()) {
        types[metric.key].insert("number");
        for (const auto& alias : metric.aliases) types[alias].insert("number");
    }
    for (const auto& dimension : dimension_types(dictionary)) {
        types[dimension.first].insert(dimension.second);
    }
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.member("type", "object");
    json.member("description", "One value per name of metrics and aggby; null where there is none");
    json.key("required");
    json.raw(R"(["totalpages"])");
    json.key("properties");
    json.begin_object();
    json.key("totalpages");
    json.raw(R"({"type":"integer","minimum":0})");
    for (auto& [name, of_name] : types) {
        of_name.insert("null");
        json.key(name);
        json.begin_object();
        json.key("type");
        json.begin_array();
        for (const auto& type : of_name) json.value(type);
        json.end_array();
        json.end_object();
    }
    json.end_object();
    json.key("patternProperties");
    json.raw(R"({"^(avg|median|p[0-9]{1,2}([.][0-9]+)?)_":{"type":["number","null"]},)"
             R"("_(lo|hi|n)$":{"type":["number","null"]},"^tag[.]":{"type":["string","null"]}})");
    json.key("additionalProperties");
    json.raw(R"({"type":["number","string","boolean","null"]})");
    json.end_object();
    return out;
}

void add_administration(Contract& contract) {
    contract.add_schema("Tenant",
                        object_schema({"customerId integer", "name string", "planLevel integer",
                                       "enabled boolean", "parentCustomerId integer?",
                                       "allowedOrigins string[]", "ingestKeys string[]",
                                       "statsIntervalSeconds integer", "createdMs integer"}));
    contract.add_schema(
        "User", object_schema({"id string", "email string", "customerId integer", "role string",
                               "furtherCustomers integer[]", "enabled boolean", "givenName string",
                               "familyName string", "createdMs integer"}));
    contract.add_schema("ApiKey", object_schema({"id string", "name string", "customerId integer",
                                                 "scope string", "createdMs integer",
                                                 "revokedMs integer?", "lastUsedMs integer?"}));
    contract.add_schema("NewApiKey",
                        object_schema({"id string", "name string", "customerId integer",
                                       "scope string", "createdMs integer", "revokedMs integer?",
                                       "lastUsedMs integer?", "key string"}));
    contract.add_schema(
        "Tag", object_schema({"name string", "title string", "description string", "type string"}));
    contract.add_schema(
        "AuditEntry",
        object_schema({"id integer", "atMs integer", "actor string", "action string",
                       "target string", "customerId integer", "address string", "detail string"}));
    contract.add_schema("AuditPage", object_schema({"entries #AuditEntry[]", "before integer?"}));
}

}  // namespace

std::string schema_of(std::string_view name) {
    return fmt::format(R"({{"$ref":"#/components/schemas/{}"}})", name);
}

std::string object_schema(std::initializer_list<const char*> members) {
    std::string properties, required;
    for (std::string_view line : members) {
        const bool optional = line.starts_with('-');
        if (optional) line.remove_prefix(1);
        const auto blank = line.find(' ');
        const auto name = line.substr(0, blank);
        properties += fmt::format("{}\"{}\":{}", properties.empty() ? "" : ",", name,
                                  type_schema(line.substr(blank + 1)));
        if (!optional) required += fmt::format("{}\"{}\"", required.empty() ? "" : ",", name);
    }
    return fmt::format(
        R"({{"type":"object","required":[{}],"properties":{{{}}},"additionalProperties":false}})",
        required, properties);
}

std::string envelope_schema(std::string_view row) {
    return fmt::format(
        R"({{"type":"object","required":["totalcount","pagecount","totalrecords","response"],)"
        R"("properties":{{)"
        R"("totalcount":{{"type":"integer","minimum":0,"description":"Rows in this answer"}},)"
        R"("pagecount":{{"type":"integer","minimum":0,)"
        R"("description":"Pages of the full result at this limit"}},)"
        R"("totalrecords":{{"type":"integer","minimum":0,)"
        R"("description":"Rows of the full result"}},)"
        R"("response":{{"type":"array","items":{}}},"meta":{}}}}})",
        row, schema_of("Meta"));
}

void add_schemas(Contract& contract, const query::Dictionary& dictionary) {
    contract.add_schema("Problem", kProblem);
    contract.add_schema("Row", row_schema(dictionary));
    contract.add_schema("Envelope", envelope_schema(schema_of("Row")));
    contract.add_schema("ErrorEnvelope", envelope_schema(schema_of("ErrorRow")));
    contract.add_schema(
        "ErrorRow",
        R"({"allOf":[{"$ref":"#/components/schemas/Row"}],"properties":{)"
        R"("count":{"type":"integer","minimum":0,"description":"Of a cell of the heatmap"},)"
        R"("rate":{"type":["number","null"],"description":"Per 100 attempts"},)"
        R"("share":{"type":["number","null"],"description":"Percent of all"}}})");
    contract.add_schema("Meta", kMeta);
    for (auto& [name, schema] : query::session_detail_schemas()) {
        contract.add_schema(std::move(name), std::move(schema));
    }
    add_administration(contract);
    add_alert_schemas(contract);
    add_export_schemas(contract);
    contract.add_schema("DictionaryDocument", kDictionaryDocument);
    contract.add_schema("Tokens", kTokens);
    contract.add_schema("OAuthError", kOauthError);
    contract.add_schema("Metric",
                        names_schema(keys_of(dictionary.metrics()),
                                     R"(^(avg|median|p[0-9]{1,2}([.][0-9]+)?)_[a-z_]+$)"));
    contract.add_schema("Dimension",
                        names_schema(keys_of(dictionary.dimensions()), R"(^tag\..+$)"));
    contract.add_schema(
        "MetricOrDimension",
        fmt::format(R"({{"anyOf":[{},{}]}})", schema_of("Metric"), schema_of("Dimension")));
}

}  // namespace playhead::api
