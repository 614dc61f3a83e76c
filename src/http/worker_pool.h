/// The bounded pool that runs pooled handlers. Thread safe.
#pragma once

#include <cstddef>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "http/router.h"

namespace playhead::http {

/// A matched route with all its handler needs to run later.
struct PooledCall {
    const Route* route = nullptr;
    Request request;
    Responder responder;
};

class WorkerPool {
public:
    WorkerPool(int threads, std::size_t queue_max);
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    /// False when the queue is full or the pool stops; the call is left with the caller then.
    bool try_run(PooledCall& call) { return queue_.try_push(call); }
    std::size_t queued() const { return queue_.size(); }
    /// Runs what is queued, then ends the threads. Safe to call twice.
    void stop();

private:
    BoundedQueue<PooledCall> queue_;
    std::vector<std::thread> threads_;
};

}  // namespace playhead::http
