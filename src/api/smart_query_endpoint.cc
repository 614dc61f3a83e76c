#include "api/smart_query_endpoint.h"

#include "api/envelope_reply.h"
#include "api/query_operations.h"
#include "net/problem.h"

namespace playhead::api {

void SmartQueryEndpoint::add_operations(Contract& contract) {
    contract.add(
        smart_query_operation(), {http::RunOn::Pool, 0, false},
        [this](Call& call, net::Responder responder) { answer(call, std::move(responder)); });
}

void SmartQueryEndpoint::answer(Call& call, net::Responder responder) {
    auto query = query::smart::parse(call.given(), engine_);
    if (!query) return responder.send(net::problem_response(query.error()));
    if (query->common.query_id.empty()) query->common.query_id = desk_.new_id();
    const auto customer_id = call.customer_id();
    const auto id = query->common.query_id;
    const std::string known(call.request.header("If-None-Match"));
    desk_.hand_in(customer_id, id, std::move(responder),
                  [this, query = std::move(*query), customer_id, known](net::Responder& to,
                                                                        RunningQuery& running) {
                      run(query, customer_id, known, to, running);
                  });
}

void SmartQueryEndpoint::run(const query::smart::SmartRequest& query, std::uint64_t customer_id,
                             const std::string& if_none_match, net::Responder& responder,
                             RunningQuery& running) {
    const query::smart::Context context{engine_, customer_id, engine_.now_ms() / 1000};
    auto answer = query::smart::run(query, context);
    if (!answer) {
        running.end({answer.error().code});
        return responder.send(desk_.refusal(answer.error(), query.common.query_id));
    }
    running.end({std::nullopt, answer->meta.rows_read});
    answer->meta.watermark_s = watermark_() / 1000;
    responder.send(
        envelope_reply(*answer, customer_id, if_none_match, responder.facts().coding == 0));
}

}  // namespace playhead::api
