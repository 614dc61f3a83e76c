#include "http/worker_pool.h"

#include <pthread.h>

#include <exception>

#include "base/log.h"
#include "http/application.h"

namespace playhead::http {

namespace {

void run_call(PooledCall& call) {
    // Nobody waits for the answer any more.
    if (call.responder.gone()) return;
    try {
        run_route(*call.route, call.request, std::move(call.responder));
    } catch (const std::exception& failure) {
        // The responder has answered 500 when it was unwound.
        log::error("handler failed: {}", failure.what());
    }
}

}  // namespace

WorkerPool::WorkerPool(int threads, std::size_t queue_max) : queue_(queue_max) {
    for (int index = 0; index < threads; ++index) {
        threads_.emplace_back([this] {
            pthread_setname_np(pthread_self(), "ph-worker");
            while (auto call = queue_.pop()) run_call(*call);
        });
    }
}

WorkerPool::~WorkerPool() {
    stop();
}

void WorkerPool::stop() {
    queue_.close();
    for (auto& thread : threads_) {
        if (thread.joinable()) thread.join();
    }
}

}  // namespace playhead::http
