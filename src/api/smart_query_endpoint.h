/// `GET /mm-apis/smartQuery/{customerId}`: the named queries.
#pragma once

#include "api/contract.h"
#include "api/query_endpoints.h"
#include "query/engine.h"
#include "query/smart/smart_query.h"

namespace playhead::api {

/// Must outlive the server. Thread safe.
class SmartQueryEndpoint {
public:
    SmartQueryEndpoint(const query::Engine& engine, QueryDesk& desk, Watermark watermark)
        : engine_(engine), desk_(desk), watermark_(std::move(watermark)) {}

    void add_operations(Contract& contract);

private:
    void answer(Call& call, net::Responder responder);
    void run(const query::smart::SmartRequest& query, std::uint64_t customer_id,
             const std::string& if_none_match, net::Responder& responder, RunningQuery& running);

    const query::Engine& engine_;
    QueryDesk& desk_;
    Watermark watermark_;
};

}  // namespace playhead::api
