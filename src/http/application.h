/// The service behind `http::Server`: routing and middleware. Thread safe once the routes are in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/metrics.h"
#include "http/router.h"
#include "http/worker_pool.h"
#include "net/service.h"

namespace playhead::http {

/// Called on the reactor for every finished reply: must not block.
using AccessLog = std::function<void(const net::ReplyRecord&)>;

struct ApplicationOptions {
    int workers = 8;
    std::size_t pool_queue_max = 256;
    std::size_t compress_bytes_min = 1024;
    AccessLog access_log;  ///< without it, facts.target and facts.remote stay empty
};

/// Decodes the body where the route wants it, then calls the handler.
void run_route(const Route& route, Request& request, Responder responder);

class Application final : public net::Service {
public:
    Application(ApplicationOptions options, MetricsRegistry& metrics);

    Router& router() noexcept { return router_; }
    /// Ends the workers after what is queued.
    void stop() { pool_.stop(); }

    void handle(Request& request, Responder responder) override;
    std::uint64_t body_bytes_max(const Request& head) const override;
    void finish_reply(Response& response, const net::ExchangeFacts& facts) const override;
    void on_replied(const net::ReplyRecord& record) noexcept override;

private:
    void run(const Match& match, Request& request, Responder responder);

    ApplicationOptions options_;
    Router router_;
    Counter& pool_refused_;
    WorkerPool pool_;
};

}  // namespace playhead::http
