/// Endpoints that answer questions: metrics, sessions, one session, the dictionary, the plan level.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "api/access.h"
#include "api/running_queries.h"
#include "base/metrics.h"
#include "directory/directory.h"
#include "directory/tenant_snapshot.h"
#include "http/router.h"
#include "query/engine.h"

namespace playhead::api {

/// Up to when the store is complete, epoch ms. Called per request: quick and thread safe.
using Watermark = std::function<std::int64_t()>;

/// `GET /mm-apis/qbrData/vod/{customerId}`, `qbrData/live`, `error`, `metricquery`, `listsessions`,
/// `session`, `dictionary` and `/planLevelByCustId/{customerId}`. Must outlive the server. Thread
/// safe.
class QueryEndpoints {
public:
    QueryEndpoints(const Access& access, const query::Engine& engine,
                   const directory::Directory& directory, const directory::TenantWatch& tenants,
                   MetricsRegistry& metrics, RunningQueries& running, Watermark watermark);

    void add_routes(http::Router& router);

private:
    void answer_query(query::Endpoint endpoint, net::Request& request, net::Responder responder);
    void answer_session(net::Request& request, net::Responder responder);
    void answer_dictionary(net::Request& request, net::Responder responder);
    void answer_plan_level(net::Request& request, net::Responder responder);
    void stream_rows(const query::QueryRequest& query, std::uint64_t customer_id,
                     std::string_view content_type, std::string_view engine_format,
                     net::Responder responder);
    net::Response refusal(const Error& error);

    const Access& access_;
    const query::Engine& engine_;
    const directory::Directory& directory_;
    const directory::TenantWatch& tenants_;
    RunningQueries& running_;
    Watermark watermark_;
    Histogram& query_seconds_;
    Counter& query_failures_;
};

}  // namespace playhead::api
