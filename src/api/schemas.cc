#include "api/schemas.h"

#include <fmt/format.h>

#include "base/json_writer.h"

namespace playhead::api {

namespace {

constexpr const char* kProblem = R"({
"type":"object","description":"RFC 9457","required":["type","title","status"],
"properties":{"type":{"type":"string"},"title":{"type":"string"},
"status":{"type":"integer","minimum":400,"maximum":599},"detail":{"type":"string"},
"parameter":{"type":"string"},"value":{"type":"string"},
"expected":{"type":"string",
"description":"What would have been right, with the nearest known name"}}})";

constexpr const char* kRow = R"({
"type":"object","description":"One value per name of metrics and aggby; null where there is none",
"required":["totalpages"],"properties":{"totalpages":{"type":"integer","minimum":0}},
"additionalProperties":{"type":["string","number","boolean","null"]}})";

constexpr const char* kEnvelope = R"({
"type":"object","required":["totalcount","pagecount","totalrecords","response"],
"properties":{"totalcount":{"type":"integer","minimum":0,"description":"Rows in this answer"},
"pagecount":{"type":"integer","minimum":0,"description":"Pages of the full result at this limit"},
"totalrecords":{"type":"integer","minimum":0,"description":"Rows of the full result"},
"response":{"type":"array","items":{"$ref":"#/components/schemas/Row"}},
"meta":{"$ref":"#/components/schemas/Meta"}}})";

constexpr const char* kMeta = R"({
"type":"object","required":["view","tables","timezone","approximate","queryId","elapsedms",
"definitions"],
"properties":{"view":{"type":"string"},"tables":{"type":"array","items":{"type":"string"}},
"reason":{"type":"string"},"granularity":{"type":"string"},"filled":{"type":"boolean"},
"timezone":{"type":"string"},"approximate":{"type":"boolean"},
"watermark":{"type":["integer","null"],"description":"Complete up to, epoch seconds"},
"latebeacons":{"type":["number","null"]},"lostbeacons":{"type":["number","null"]},
"queryId":{"type":"string"},"elapsedms":{"type":"number","minimum":0},
"cached":{"type":"boolean"},"rowsread":{"type":"integer","minimum":0},
"definitions":{"type":"array","items":{"type":"object",
"required":["metric","definition","unit","numerator","denominator"],
"additionalProperties":{"type":"string"}}},"sql":{"type":"string"}}})";

constexpr const char* kSessionDetail = R"({
"type":"object","required":["session","scorebreakdown","stalls","pauses","seeks","renditions",
"errors","ads","events","slices"],
"properties":{"session":{"type":"object"},"scorebreakdown":{"type":"object"},
"stalls":{"type":"array"},"pauses":{"type":"array"},"seeks":{"type":"array"},
"renditions":{"type":"array"},"errors":{"type":"array"},"ads":{"type":"array"},
"events":{"type":"array"},"slices":{"type":"array"}}})";

constexpr const char* kDictionaryDocument = R"({
"type":"object","required":["metrics","dimensions"],
"properties":{"metrics":{"type":"array","items":{"type":"object","required":["key","title"]}},
"dimensions":{"type":"array","items":{"type":"object","required":["key","title","type"]}}}})";

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

}  // namespace

std::string schema_of(std::string_view name) {
    return fmt::format(R"({{"$ref":"#/components/schemas/{}"}})", name);
}

void add_schemas(Contract& contract, const query::Dictionary& dictionary) {
    contract.add_schema("Problem", kProblem);
    contract.add_schema("Row", kRow);
    contract.add_schema("Envelope", kEnvelope);
    contract.add_schema("Meta", kMeta);
    contract.add_schema("SessionDetail", kSessionDetail);
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
