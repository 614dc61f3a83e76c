#include "api/query_operations.h"

#include "api/schemas.h"

namespace playhead::api {

namespace {

/// The forms of an answer with rows.
std::vector<Reply> row_replies() {
    std::vector<Reply> out;
    out.push_back({200, "application/json", schema_of("Envelope"), "The rows."});
    out.push_back({200, "application/x-ndjson", R"({"type":"string"})", {}});
    out.push_back({200, "text/csv", R"({"type":"string"})", {}});
    for (const char* type :
         {"application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"}) {
        out.push_back({200, type, {}, {}});
    }
    return out;
}

void require_plan_level(std::vector<query::Parameter>& table) {
    for (auto& parameter : table) {
        if (parameter.name != "planlevel") continue;
        parameter.type = query::ParameterType::Integer;
        parameter.description = "The tenant's plan level; checked.";
        parameter.example = "6831";
        parameter.required = true;
        parameter.ignored = false;
    }
}

Operation base_operation(std::string path, std::string id, std::string tag, std::string summary) {
    Operation out;
    out.path = std::move(path);
    out.id = std::move(id);
    out.tag = std::move(tag);
    out.summary = std::move(summary);
    out.permission = auth::Permission::Read;
    return out;
}

constexpr const char* kSum = "metrics=attempts,viewercount,latency,p95_latency&period=last%3D24h";
constexpr const char* kSeries =
    "metrics=attempts,bufferingratio&period=last%3D24h&aggby=timestamp&granularity=hour&timezone="
    "Europe/Berlin";
constexpr const char* kByCdn =
    "metrics=attempts,failurerate&period=last%3D7d&aggby=cdn&filter=%5Bdevice!%3Dtv%5D&orderby="
    "attempts&order=desc&limit=5";

}  // namespace

Operation query_operation(query::Endpoint endpoint) {
    Operation out;
    switch (endpoint) {
        case query::Endpoint::ListSessions:
            out = base_operation("/mm-apis/listsessions/{customerId}", "listSessions", "queries",
                                 "One row per session");
            out.examples = {{.name = "the slowest starts",
                             .query = "metrics=latency,starttime,assetname,watchtime&orderby="
                                      "latency&limit=20&period=last%3D24h"}};
            break;
        case query::Endpoint::QbrData:
            out = base_operation("/mm-apis/qbrData/vod/{customerId}", "qbrDataVod", "queries",
                                 "Metrics, older generation");
            out.description = "Counts sessions at their start, in every state.";
            out.examples = {{.name = "totals", .query = std::string("planlevel=6831&") + kSum}};
            break;
        default:
            out = base_operation("/mm-apis/metricquery/{customerId}", "metricQuery", "queries",
                                 "Metrics, newest generation");
            out.examples = {
                {.name = "totals", .query = kSum},
                {.name = "a time series", .query = kSeries},
                {.name = "by CDN", .query = kByCdn},
                {.name = "as CSV",
                 .query = "metrics=attempts&aggby=country&limit=0&format=csv&period=last%3D24h"},
                {.name = "a misspelt name",
                 .query = "metrics=atempts&period=last%3D24h",
                 .status = 400}};
    }
    out.parameters = query::query_parameters(endpoint);
    if (endpoint == query::Endpoint::QbrData) require_plan_level(out.parameters);
    out.replies = row_replies();
    out.problems = {422, 499, 504};
    return out;
}

Operation session_operation() {
    auto out = base_operation("/mm-apis/session/{customerId}", "session", "queries",
                              "Everything of one session");
    out.description = "Without `sessionid` a metrics query, as `metricquery`.";
    out.parameters = query::query_parameters(query::Endpoint::MetricQuery);
    for (auto& parameter : out.parameters) parameter.required = false;
    out.parameters.insert(out.parameters.begin(),
                          {.name = "sessionid", .description = "The id the player gave it."});
    out.replies = row_replies();
    out.replies.front().schema =
        "{\"anyOf\":[" + schema_of("SessionDetail") + "," + schema_of("Envelope") + "]}";
    out.problems = {422, 499, 504};
    out.examples = {{.name = "no such session", .query = "sessionid=nobody", .status = 404},
                    {.name = "without an id", .query = kSum}};
    return out;
}

Operation dictionary_operation() {
    auto out = base_operation("/mm-apis/dictionary/{customerId}", "dictionary", "queries",
                              "Metrics, dimensions, operators and views");
    out.replies = {{200, "application/json", schema_of("DictionaryDocument"), "The dictionary."}};
    out.examples = {{.name = "all of it"}};
    return out;
}

Operation plan_level_operation() {
    auto out = base_operation("/planLevelByCustId/{customerId}", "planLevel", "customer",
                              "The customer's plan level");
    out.replies = {{200, "application/json",
                    R"({"type":"object","required":["custId","planLevel"],"properties":)"
                    R"({"custId":{"type":"integer"},"planLevel":{"type":"integer"}}})",
                    "The plan level."}};
    out.examples = {{.name = "of the customer"}};
    return out;
}

}  // namespace playhead::api
