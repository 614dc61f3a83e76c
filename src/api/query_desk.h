/// Where every query of the API is handed in: it gets an id, waits for its turn, runs on a thread
/// of the schedule, can be watched and cancelled, and is timed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/running_queries.h"
#include "base/metrics.h"
#include "net/responder.h"
#include "query/engine.h"
#include "query/schedule/schedule.h"

namespace playhead::api {

/// Thread safe. Everything passed must outlive it; it must outlive the schedule's threads.
class QueryDesk {
public:
    /// Answers the request, having said how the query ended.
    using Work = std::function<void(net::Responder&, RunningQuery&)>;

    QueryDesk(const query::Engine& engine, query::Schedule& schedule, RunningQueries& running,
              MetricsRegistry& metrics);

    std::string new_id() { return running_.new_id(); }

    /// Queues the work and returns. A client that goes away cancels its query, waiting or running.
    /// Refusals (429 and 503 with Retry-After) are answered here.
    void hand_in(std::uint64_t customer_id, const std::string& query_id, net::Responder responder,
                 Work work);

    /// A query that was answered from what is kept, without a turn.
    void note_kept(std::uint64_t customer_id, const std::string& query_id);

    /// Runs the work here and now, as a query of its own that gives way to others; for what no
    /// client waits for.
    void run_aside(std::uint64_t customer_id, const std::function<Outcome()>& work);

    /// False when no query of the customer has this id. Does not wait for anything.
    bool cancel(std::string_view query_id, std::uint64_t customer_id);

    /// Cancels what waits and runs, and ends the schedule.
    void close();

    /// The problem document of a query that failed, with its id; counts what is our fault.
    net::Response refusal(const Error& error, std::string_view query_id);

private:
    void refuse(const Error& error, std::string_view query_id, net::Responder& responder,
                RunningQuery& entry);

    const query::Engine& engine_;
    query::Schedule& schedule_;
    RunningQueries& running_;
    Histogram& seconds_;
    Counter& failures_;
};

}  // namespace playhead::api
