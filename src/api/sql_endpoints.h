/// `POST /mm-apis/sql/{customerId}`, and `GET` and `DELETE /mm-apis/query/{queryId}`.
#pragma once

#include "api/answer_forms.h"
#include "api/contract.h"
#include "api/query_desk.h"
#include "base/metrics.h"
#include "query/engine.h"
#include "query/sql_gate.h"

namespace playhead::api {

inline constexpr std::uint64_t kSqlBodyBytesMax = 256 * 1024;

/// A tenant's own SQL. Must outlive the server. Thread safe.
class SqlEndpoints {
public:
    SqlEndpoints(const query::SqlGate& gate, const query::Engine& engine, QueryDesk& desk,
                 const RunningQueries& running, MetricsRegistry& metrics);
    void add_operations(Contract& contract);

private:
    void answer_sql(Call& call, net::Responder responder);
    void stream_rows(const query::TenantSql& statement, std::uint64_t customer_id,
                     const std::string& query_id, const AnswerForm& form, net::Responder& responder,
                     RunningQuery& running);
    /// The state of a query; with `cancel`, after asking it to end.
    void answer_query_state(Call& call, net::Responder responder, bool cancel);

    const query::SqlGate& gate_;
    const query::Engine& engine_;
    QueryDesk& desk_;
    const RunningQueries& running_;
    Histogram& seconds_;
    Counter& refused_;
};

}  // namespace playhead::api
