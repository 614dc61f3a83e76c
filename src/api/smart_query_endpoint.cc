#include "api/smart_query_endpoint.h"

#include "api/query_operations.h"
#include "net/problem.h"
#include "query/envelope.h"
#include "query/smart/smart_query.h"

namespace playhead::api {

void SmartQueryEndpoint::add_operations(Contract& contract) {
    contract.add(
        smart_query_operation(), {http::RunOn::Pool, 0, false},
        [this](Call& call, net::Responder responder) { answer(call, std::move(responder)); });
}

void SmartQueryEndpoint::answer(Call& call, net::Responder responder) {
    auto query = query::smart::parse(call.given(), engine_);
    if (!query) return responder.send(net::problem_response(query.error()));
    auto& id = query->common.query_id;
    if (id.empty()) id = running_.new_id();
    const auto customer_id = call.customer_id();
    responder.on_disconnect([this, customer_id, id] { engine_.cancel(id, customer_id); });
    if (responder.gone()) return;
    running_.begin(id, customer_id);
    const query::smart::Context context{engine_, customer_id, engine_.now_ms() / 1000};
    auto answer = query::smart::run(*query, context);
    running_.finish(
        id, customer_id,
        answer ? Outcome{std::nullopt, answer->meta.rows_read} : Outcome{answer.error().code});
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
