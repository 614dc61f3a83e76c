/// `GET /mm-apis/smartQuery/{customerId}`: the named queries.
#pragma once

#include <atomic>

#include "api/query_endpoints.h"
#include "http/router.h"
#include "query/engine.h"

namespace playhead::api {

/// Must outlive the server. Thread safe.
class SmartQueryEndpoint {
public:
    SmartQueryEndpoint(const Access& access, const query::Engine& engine, Watermark watermark)
        : access_(access), engine_(engine), watermark_(std::move(watermark)) {}

    void add_routes(http::Router& router);

private:
    void answer(net::Request& request, net::Responder responder);

    const Access& access_;
    const query::Engine& engine_;
    Watermark watermark_;
    std::atomic<std::uint64_t> ids_given_{0};
};

}  // namespace playhead::api
