/// `GET /mm-apis/smartQuery/{customerId}`: the named queries.
#pragma once

#include "api/contract.h"
#include "api/query_endpoints.h"
#include "query/engine.h"

namespace playhead::api {

/// Must outlive the server. Thread safe.
class SmartQueryEndpoint {
public:
    SmartQueryEndpoint(const query::Engine& engine, RunningQueries& running, Watermark watermark)
        : engine_(engine), running_(running), watermark_(std::move(watermark)) {}

    void add_operations(Contract& contract);

private:
    void answer(Call& call, net::Responder responder);

    const query::Engine& engine_;
    RunningQueries& running_;
    Watermark watermark_;
};

}  // namespace playhead::api
