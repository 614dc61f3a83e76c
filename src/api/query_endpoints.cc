#include "api/query_endpoints.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "api/row_stream.h"
#include "api/tags.h"
#include "base/json_writer.h"
#include "http/query_string.h"
#include "net/problem.h"
#include "query/envelope.h"

namespace playhead::api {

namespace {

using net::Request;
using net::Responder;
using net::Response;

Response json_reply(std::string body) {
    Response response(200, "application/json", std::move(body));
    response.add("Cache-Control", "private, no-cache");
    return response;
}

struct StreamForm {
    std::string_view name;  ///< as `format=` has it
    std::string_view content_type;
    std::string_view engine_format;
};

constexpr StreamForm kStreamForms[] = {
    {"ndjson", "application/x-ndjson", "JSONEachRow"},
    {"csv", "text/csv; charset=utf-8; header=present", "CSVWithNames"},
    {"arrow", "application/vnd.apache.arrow.stream", "ArrowStream"},
    {"parquet", "application/vnd.apache.parquet", "Parquet"},
};

/// The form that `format=` or the Accept header names; null for JSON. InvalidArgument for an
/// unknown name.
Result<const StreamForm*> form_of(const query::QueryRequest& query, const Request& request) {
    if (!query.format.empty()) {
        if (query.format == "json") return nullptr;
        for (const StreamForm& form : kStreamForms) {
            if (query.format == form.name) return &form;
        }
        return fail_parameter("format", query.format, "json, ndjson, csv, arrow or parquet",
                              fmt::format("unknown format '{}'", query.format));
    }
    const std::string_view accept = request.header("accept");
    for (const StreamForm& form : kStreamForms) {
        const std::string_view type = form.content_type.substr(0, form.content_type.find(';'));
        if (accept.find(type) != std::string_view::npos) return &form;
    }
    return nullptr;
}

/// Times a query into the histogram, failed ones too.
class Timing {
public:
    explicit Timing(Histogram& histogram) : histogram_(histogram) {}
    ~Timing() {
        const auto passed = std::chrono::steady_clock::now() - begun_;
        histogram_.observe(std::chrono::duration<double>(passed).count());
    }
    Timing(const Timing&) = delete;
    Timing& operator=(const Timing&) = delete;

private:
    Histogram& histogram_;
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace

QueryEndpoints::QueryEndpoints(const Access& access, const query::Engine& engine,
                               const directory::Directory& directory,
                               const directory::TenantWatch& tenants, MetricsRegistry& metrics,
                               RunningQueries& running, Watermark watermark)
    : access_(access),
      engine_(engine),
      directory_(directory),
      tenants_(tenants),
      running_(running),
      watermark_(std::move(watermark)),
      query_seconds_(metrics.histogram("playhead_query_seconds", "", "Time of API queries")),
      query_failures_(metrics.counter("playhead_query_failures_total", "",
                                      "Queries that failed for a reason of ours")) {}

void QueryEndpoints::add_routes(http::Router& router) {
    const http::RouteOptions pooled{http::RunOn::Pool, 0, false};
    const auto add = [&](const char* pattern, query::Endpoint endpoint) {
        router.add(net::Method::Get, pattern, pooled,
                   [this, endpoint](Request& request, Responder responder) {
                       answer_query(endpoint, request, std::move(responder));
                   });
    };
    add("/mm-apis/qbrData/vod/{customerId}", query::Endpoint::QbrData);
    add("/mm-apis/qbrData/live/{customerId}", query::Endpoint::QbrDataLive);
    add("/mm-apis/error/{customerId}", query::Endpoint::Error);
    add("/mm-apis/metricquery/{customerId}", query::Endpoint::MetricQuery);
    add("/mm-apis/listsessions/{customerId}", query::Endpoint::ListSessions);
    router.add(net::Method::Get, "/mm-apis/session/{customerId}", pooled,
               [this](Request& request, Responder responder) {
                   answer_session(request, std::move(responder));
               });
    router.add(net::Method::Get, "/mm-apis/dictionary/{customerId}", pooled,
               [this](Request& request, Responder responder) {
                   answer_dictionary(request, std::move(responder));
               });
    router.add(net::Method::Get, "/planLevelByCustId/{customerId}", pooled,
               [this](Request& request, Responder responder) {
                   answer_plan_level(request, std::move(responder));
               });
}

void QueryEndpoints::answer_query(query::Endpoint endpoint, Request& request, Responder responder) {
    // Generations 1 to 3 require the plan level; the newest has none.
    const bool newest =
        endpoint == query::Endpoint::MetricQuery || endpoint == query::Endpoint::ListSessions;
    const auto caller = access_.enter_with_plan(request, !newest, auth::Permission::Read);
    if (!caller) return responder.send(net::problem_response(caller.error()));
    const auto parsed = http::QueryString::parse(request.query());
    if (!parsed) return responder.send(net::problem_response(parsed.error()));
    auto query = engine_.parse(parsed->pairs(), endpoint);
    if (!query) return responder.send(net::problem_response(query.error()));
    const auto form = form_of(*query, request);
    if (!form) return responder.send(net::problem_response(form.error()));

    if (query->query_id.empty()) query->query_id = running_.new_id();
    const auto customer_id = static_cast<std::uint64_t>(caller->customer_id);
    // Marks the query only, so the reactor does not wait.
    responder.on_disconnect(
        [this, customer_id, id = query->query_id] { engine_.cancel(id, customer_id); });
    if (responder.gone()) return;
    running_.begin(query->query_id, customer_id);
    const Timing timing(query_seconds_);
    if (*form != nullptr) {
        return stream_rows(*query, customer_id, (*form)->content_type, (*form)->engine_format,
                           std::move(responder));
    }
    auto answer = engine_.run(*query, customer_id);
    running_.finish(
        query->query_id, customer_id,
        answer ? Outcome{std::nullopt, answer->meta.rows_read} : Outcome{answer.error().code});
    if (!answer) {
        auto response = refusal(answer.error());
        response.add("X-Query-Id", query->query_id);
        return responder.send(std::move(response));
    }
    answer->meta.watermark_s = watermark_() / 1000;
    auto response = json_reply(query::envelope_json(*answer));
    response.add("X-Query-Id", query->query_id);
    responder.send(std::move(response));
}

void QueryEndpoints::stream_rows(const query::QueryRequest& query, std::uint64_t customer_id,
                                 std::string_view content_type, std::string_view engine_format,
                                 Responder responder) {
    Response head(200);
    head.add("Content-Type", content_type)
        .add("Cache-Control", "private, no-cache")
        .add("X-Query-Id", query.query_id);
    RowStream rows(responder, std::move(head));
    const auto done = engine_.stream(query, customer_id, engine_format,
                                     [&rows](std::string_view chunk) { return rows.add(chunk); });
    running_.finish(query.query_id, customer_id, done ? Outcome{} : Outcome{done.error().code});
    if (done) return rows.finish();
    if (rows.begun()) return;  // the connection is cut: the client sees that the body is incomplete
    auto response = refusal(done.error());
    response.add("X-Query-Id", query.query_id);
    responder.send(std::move(response));
}

Response QueryEndpoints::refusal(const Error& error) {
    auto response = net::problem_response(error);
    // Not the store's fault when the client left.
    if (response.status >= 500) query_failures_.add();
    return response;
}

void QueryEndpoints::answer_session(Request& request, Responder responder) {
    const auto caller = access_.enter(request, std::nullopt, auth::Permission::Read);
    if (!caller) return responder.send(net::problem_response(caller.error()));
    const auto parsed = http::QueryString::parse(request.query());
    if (!parsed) return responder.send(net::problem_response(parsed.error()));
    const auto* session_id = parsed->find("sessionid");
    if (session_id == nullptr || session_id->value.empty()) {
        // The published older form of this path is a metrics query; so is ours without an id.
        return answer_query(query::Endpoint::MetricQuery, request, std::move(responder));
    }
    const Timing timing(query_seconds_);
    auto json =
        engine_.session_json(session_id->value, static_cast<std::uint64_t>(caller->customer_id));
    if (!json) return responder.send(net::problem_response(json.error()));
    responder.send(json_reply(std::move(*json)));
}

void QueryEndpoints::answer_dictionary(Request& request, Responder responder) {
    const auto caller = access_.enter(request, std::nullopt, auth::Permission::Read);
    if (!caller) return responder.send(net::problem_response(caller.error()));
    const auto tags = declared_tags_json(directory_, caller->customer_id);
    if (!tags) return responder.send(net::problem_response(tags.error()));
    responder.send(json_reply(query::dictionary_json(engine_.dictionary(), *tags)));
}

void QueryEndpoints::answer_plan_level(Request& request, Responder responder) {
    const auto caller = access_.enter(request, std::nullopt, auth::Permission::Read);
    if (!caller) return responder.send(net::problem_response(caller.error()));
    const auto snapshot = tenants_.current();
    const auto* tenant = snapshot->find(caller->customer_id);
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    json.member("custId", caller->customer_id);
    json.member("planLevel", tenant == nullptr ? 0 : tenant->plan_level);
    json.end_object();
    responder.send(json_reply(std::move(text)));
}

}  // namespace playhead::api
