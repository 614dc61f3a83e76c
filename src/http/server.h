/// The HTTP server as the application sees it: add routes, start, drain.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "http/application.h"
#include "http/router.h"
#include "net/problem.h"
#include "net/server.h"

namespace playhead::http {

using net::problem_response;

struct ServerOptions {
    net::ServerOptions net;  ///< empty `reply_lines` become CORS and security headers
    ApplicationOptions application;
};

/// Add routes before `start`; from then on thread safe.
class Server {
public:
    /// `clock` and `metrics` must outlive the server and every responder it made.
    Server(ServerOptions options, const Clock& clock, MetricsRegistry& metrics);
    ~Server();

    Router& router() noexcept { return application_->router(); }
    /// Errors as of `net::Server::start`.
    Result<void> start() { return server_.start(); }
    std::uint16_t port() const noexcept { return server_.port(); }
    std::size_t connection_count() const noexcept { return server_.connection_count(); }

    /// Stops accepting, lets requests under way finish for at most `timeout_ms`, cuts the rest and
    /// ends the workers. Returns how many connections were cut. Blocks until running handlers have
    /// returned. Safe to call twice.
    std::size_t drain_and_stop(std::int64_t timeout_ms);

private:
    std::shared_ptr<Application> application_;
    net::Server server_;
};

}  // namespace playhead::http
