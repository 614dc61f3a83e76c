/// Endpoints that answer questions: metrics, sessions, one session, the dictionary, the plan level.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "api/answer_forms.h"
#include "api/contract.h"
#include "api/query_desk.h"
#include "directory/directory.h"
#include "directory/tenant_snapshot.h"
#include "query/engine.h"

namespace playhead::api {

/// Up to when the store is complete, epoch ms. Called per request: quick and thread safe.
using Watermark = std::function<std::int64_t()>;

/// `GET /mm-apis/qbrData/vod/{customerId}`, `qbrData/live`, `error`, `metricquery`, `listsessions`,
/// `session`, `dictionary` and `/planLevelByCustId/{customerId}`. Must outlive the server. Thread
/// safe.
class QueryEndpoints {
public:
    QueryEndpoints(const query::Engine& engine, const directory::Directory& directory,
                   const directory::TenantWatch& tenants, QueryDesk& desk, Watermark watermark);

    void add_operations(Contract& contract);

private:
    void answer_query(query::Endpoint endpoint, Call& call, net::Responder responder);
    void answer_session(Call& call, net::Responder responder);
    void answer_plan_level(Call& call, net::Responder responder);
    void answer_rows(const query::QueryRequest& query, std::uint64_t customer_id,
                     const std::string& if_none_match, net::Responder& responder,
                     RunningQuery& running);
    void stream_rows(const query::QueryRequest& query, std::uint64_t customer_id,
                     const AnswerForm& form, net::Responder& responder, RunningQuery& running);

    const query::Engine& engine_;
    const directory::Directory& directory_;
    const directory::TenantWatch& tenants_;
    QueryDesk& desk_;
    Watermark watermark_;
};

}  // namespace playhead::api
