#include "api/smart_query_endpoint.h"

#include "http/query_string.h"
#include "net/problem.h"
#include "query/envelope.h"
#include "query/smart/smart_query.h"

namespace playhead::api {

void SmartQueryEndpoint::add_routes(http::Router& router) {
    router.add(net::Method::Get, "/mm-apis/smartQuery/{customerId}",
               http::RouteOptions{http::RunOn::Pool, 0, false},
               [this](net::Request& request, net::Responder responder) {
                   answer(request, std::move(responder));
               });
}

void SmartQueryEndpoint::answer(net::Request& request, net::Responder responder) {
    const auto caller = access_.enter_with_plan(request, true, auth::Permission::Read);
    if (!caller) return responder.send(net::problem_response(caller.error()));
    const auto parsed = http::QueryString::parse(request.query());
    if (!parsed) return responder.send(net::problem_response(parsed.error()));
    auto query = query::smart::parse(parsed->pairs(), engine_);
    if (!query) return responder.send(net::problem_response(query.error()));
    auto& id = query->common.query_id;
    // Ids are per customer; only the customer could cancel a query by guessing one.
    if (id.empty()) id = "smart-" + std::to_string(ids_given_.fetch_add(1));
    const auto customer_id = static_cast<std::uint64_t>(caller->customer_id);
    responder.on_disconnect([this, customer_id, id] { engine_.cancel(id, customer_id); });
    if (responder.gone()) return;
    const query::smart::Context context{engine_, customer_id, engine_.now_ms() / 1000};
    auto answer = query::smart::run(*query, context);
    if (!answer) {
        auto response = net::problem_response(answer.error());
        response.add("X-Query-Id", id);
        return responder.send(std::move(response));
    }
    answer->meta.watermark_s = watermark_() / 1000;
    net::Response response(200, "application/json", query::envelope_json(*answer));
    response.add("Cache-Control", "private, no-cache").add("X-Query-Id", id);
    responder.send(std::move(response));
}

}  // namespace playhead::api
