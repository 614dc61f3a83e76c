/// The threads that run queries, in the order of `FairQueue`.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "query/schedule/fair_queue.h"
#include "query/schedule/turn.h"

namespace playhead::query {

/// Thread safe. Everything passed must outlive it.
class Schedule {
public:
    /// Called once: on a worker, with the turn as the thread's own, when it is the query's turn; on
    /// another thread with an error when it never comes (cancelled, waited too long, stopping).
    using Job = std::function<void(const Result<void>& admitted)>;

    Schedule(FairLimits limits, double wait_limit_s, const Clock& clock, MetricsRegistry& metrics);
    ~Schedule() { stop(); }
    Schedule(const Schedule&) = delete;
    Schedule& operator=(const Schedule&) = delete;

    /// Queues the job; its turn is filled in when it starts. Errors as of FairQueue::push, and
    /// Unavailable when stopping: the job is not called then.
    Result<void> submit(const std::shared_ptr<Turn>& turn, Job job);

    /// Marks the customer's queries of this id as cancelled; one that waits leaves the queue. False
    /// when there is none. Does not wait for anything: fit for a reactor.
    bool cancel(std::uint64_t customer_id, std::string_view query_id);

    /// All that wait or run.
    std::vector<std::shared_ptr<Turn>> turns() const;

    /// Ends the threads: what runs is waited for, what waits is refused. Safe to repeat.
    void stop();

private:
    struct Entry {
        std::shared_ptr<Turn> turn;
        Job job;
    };
    struct Refused {
        Job job;
        Error reason;
    };
    void work();
    void keep();
    void refuse(std::uint64_t number, ErrorCode code, const char* message);
    void run_refused(std::unique_lock<std::mutex>& lock);
    void register_metrics(MetricsRegistry& metrics);

    const Clock& clock_;
    double wait_limit_s_;
    int workers_max_;
    Histogram& wait_seconds_;
    Counter& prompt_;
    Counter& patient_;
    Counter& refused_tenant_;
    Counter& refused_all_;

    mutable std::mutex mutex_;
    std::condition_variable work_;    ///< something may be started
    std::condition_variable refuse_;  ///< something was refused
    FairQueue queue_;
    std::map<std::uint64_t, Entry> entries_;  ///< waiting and running, by number
    std::deque<Refused> refused_;             ///< at most as many as may wait
    bool stopping_ = false;
    std::vector<std::thread> workers_;
    std::thread keeper_;
};

}  // namespace playhead::query
