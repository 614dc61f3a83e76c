/// Endpoints that answer questions: metrics, sessions, one session, the dictionary, the plan level.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "api/access.h"
#include "base/metrics.h"
#include "directory/tenant_snapshot.h"
#include "http/router.h"
#include "query/engine.h"

namespace playhead::api {

/// Up to when the store is complete, epoch ms. Called per request: quick and thread safe.
using Watermark = std::function<std::int64_t()>;

/// `GET /mm-apis/qbrData/vod/{customerId}`, `metricquery`, `listsessions`, `session`, `dictionary`
/// and `/planLevelByCustId/{customerId}`. Must outlive the server. Thread safe.
class QueryEndpoints {
public:
    QueryEndpoints(const Access& access, const query::Engine& engine,
                   const directory::TenantWatch& tenants, MetricsRegistry& metrics,
                   Watermark watermark);

    void add_routes(http::Router& router);

private:
    void answer_query(query::Endpoint endpoint, net::Request& request, net::Responder responder);
    void answer_session(net::Request& request, net::Responder responder);
    void answer_dictionary(net::Request& request, net::Responder responder);
    void answer_plan_level(net::Request& request, net::Responder responder);

    const Access& access_;
    const query::Engine& engine_;
    const directory::TenantWatch& tenants_;
    Watermark watermark_;
    Histogram& query_seconds_;
    Counter& query_failures_;
    std::atomic<std::uint64_t> next_query_{1};
};

}  // namespace playhead::api
