#include "api/query_operations.h"

#include "api/schemas.h"
#include "query/smart/smart_query.h"

namespace playhead::api {

namespace {

/// The forms of an answer with rows.
std::vector<Reply> row_replies(std::string schema) {
    std::vector<Reply> out;
    out.push_back({200, "application/json", std::move(schema), "The rows."});
    out.push_back({200, "application/x-ndjson", R"({"type":"string"})", {}});
    out.push_back({200, "text/csv", R"({"type":"string"})", {}});
    for (const char* type :
         {"application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"}) {
        out.push_back({200, type, {}, {}});
    }
    return out;
}

Reply not_modified() {
    return {304, {}, {}, "The client has this answer: its `If-None-Match` names the `ETag`."};
}

bool needs_plan(query::Endpoint endpoint) {
    // Generations 1 to 3; the newest has none.
    return endpoint != query::Endpoint::MetricQuery && endpoint != query::Endpoint::ListSessions;
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
        case query::Endpoint::QbrDataLive:
            out = base_operation("/mm-apis/qbrData/live/{customerId}", "qbrDataLive", "queries",
                                 "Metrics of live content, older generation");
            out.description = "By what happened inside the period, from slices by minute.";
            out.examples = {
                {.name = "concurrent viewers by minute",
                 .query =
                     "planlevel=6831&metrics=timestamp,concurviewmax,attempts&period=last%3D24h"
                     "&granularity=hour"}};
            break;
        case query::Endpoint::Error:
            out = base_operation("/mm-apis/error/{customerId}", "error", "queries",
                                 "Errors one by one, and their heatmap");
            out.description =
                "Each error counts when it happens. `dimension=heatmap` with two names in `aggby` "
                "answers every pair of values with `count`, `rate` and `share`.";
            out.examples = {
                {.name = "by message",
                 .query = "planlevel=6831&metrics=errors,errorrate,affectedsessions&aggby="
                          "errormessage&period=last%3D24h"},
                {.name = "the heatmap",
                 .query = "planlevel=6831&dimension=heatmap&aggby=dayofweek,hourofday&period="
                          "last%3D24h"},
                {.name = "a heatmap of one dimension",
                 .query = "planlevel=6831&dimension=heatmap&aggby=hourofday&period=last%3D24h",
                 .status = 400},
                {.name = "a metric that single errors do not have",
                 .query = "planlevel=6831&metrics=latency&aggby=errorcode&period=last%3D24h",
                 .status = 422}};
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
    if (needs_plan(endpoint)) require_plan_level(out.parameters);
    out.replies =
        row_replies(schema_of(endpoint == query::Endpoint::Error ? "ErrorEnvelope" : "Envelope"));
    out.replies.push_back(not_modified());
    out.problems = {422, 429, 499, 504};
    return out;
}

Operation smart_query_operation() {
    auto out = base_operation("/mm-apis/smartQuery/{customerId}", "smartQuery", "queries",
                              "The named queries");
    out.variant_by = "queryname";
    out.description = "Each name with its own inputs; rows and limits are in `x-variants`.\n\n";
    std::string answers;
    for (const auto& query : query::smart::registry()) {
        auto parameters = query::smart::parameters_of(query);
        require_plan_level(parameters);
        auto schema = envelope_schema(query.row_schema);
        answers += (answers.empty() ? "" : ",") + schema;
        std::string inputs, names;
        for (const auto& input : query.inputs) {
            names += (names.empty() ? ": " : ", ") + ("`" + input.name + "`");
            if (!input.required) continue;
            inputs += "&" + input.name + "=" +
                      (input.example.empty() ? std::string("nobody") : input.example);
        }
        // Of a subscriber or an asset that the demo may not have.
        const bool one = query.name == "subscriberinsight";
        out.examples.push_back(
            {.name = query.name,
             .query = "planlevel=6831&queryname=" + query.name + "&period=last%3D24h" + inputs,
             .status = one ? 404 : 200});
        out.description += "- `" + query.name + "`, " + query.title + names + "\n";
        out.variants.push_back(
            {query.name, query.title, query.description, std::move(parameters), std::move(schema)});
    }
    out.examples.push_back({.name = "an unknown query",
                            .query = "planlevel=6831&queryname=contentpath&period=last%3D24h",
                            .status = 400});
    out.replies = {{200, "application/json", "{\"anyOf\":[" + answers + "]}", "The rows."},
                   not_modified()};
    out.problems = {422, 429, 499, 504};
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
    out.replies = row_replies("{\"anyOf\":[" + schema_of("SessionDetail") + "," +
                              schema_of("Envelope") + "]}");
    out.replies.push_back(not_modified());
    out.problems = {422, 429, 499, 504};
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

Operation sql_operation() {
    auto out = base_operation("/mm-apis/sql/{customerId}", "sql", "queries",
                              "One SELECT over your own rows");
    out.method = net::Method::Post;
    out.description =
        "Over `sessions`, `live_sessions`, `slices`, `events`, `ad_views`, `app_events` and "
        "`alerts`; revisions are applied. Values go into `parameters`: `{name:Type}` in the text.";
    out.body = RequestBody{
        .content_types = {"application/json", "text/plain"},
        .schema = R"({"type":["object","string"],"required":["sql"],"properties":{)"
                  R"("sql":{"type":"string"},"parameters":{"type":["object","null"],)"
                  R"("additionalProperties":{"type":["string","number","boolean","array"]}},)"
                  R"("format":{"type":["string","null"],)"
                  R"("enum":["json","ndjson","csv","arrow","parquet",null]},)"
                  R"("queryId":{"type":["string","null"],"pattern":"^[A-Za-z0-9_-]+$",)"
                  R"("maxLength":64}},"additionalProperties":false})",
        .example = R"({"sql":"SELECT cdn, count() AS n FROM sessions WHERE country = {c:String} )"
                   R"(GROUP BY cdn ORDER BY n DESC","parameters":{"c":"DE"}})"};
    out.replies = row_replies(
        R"({"type":"object","required":["meta","data","rows"],"properties":{)"
        R"("meta":{"type":"array","items":{"type":"object","required":["name","type"]}},)"
        R"("data":{"type":"array","items":{"type":"object"}},"rows":{"type":"integer"}}})");
    out.problems = {413, 415, 422, 429, 499, 504};
    out.examples = {
        {.name = "by CDN", .body = out.body->example},
        {.name = "not a SELECT", .body = R"({"sql":"DROP TABLE sessions"})", .status = 400},
        {.name = "an unknown member", .body = R"({"slq":"SELECT 1"})", .status = 400}};
    return out;
}

Operation query_state_operation(net::Method method) {
    const bool cancel = method == net::Method::Delete;
    auto out =
        base_operation("/mm-apis/query/{queryId}", cancel ? "cancelQuery" : "queryState", "queries",
                       cancel ? "Cancel a query of yours" : "How far a query of yours is");
    out.method = method;
    out.admits_itself = true;
    out.parameters = {{.name = "queryId",
                       .type = query::ParameterType::Id,
                       .description = "As given by `queryId`, or from `X-Query-Id`.",
                       .example = "none",
                       .in_path = true}};
    for (const int status : {200, 202}) {
        if (status == 202 && !cancel) continue;
        out.replies.push_back({status, "application/json",
                               object_schema({"queryId string", "state string", "rowsread integer",
                                              "bytesread integer", "elapsedms number"}),
                               status == 202 ? "It has been asked to end." : ""});
    }
    out.examples = {{.name = "no such query", .status = 404}};
    return out;
}

}  // namespace playhead::api
