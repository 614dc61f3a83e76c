#include "api/operations.h"

#include "net/problem.h"

namespace playhead::api {

void add_operations_routes(http::Router& router, MetricsRegistry& metrics, ReadinessProbe ready) {
    const http::RouteOptions quick{http::RunOn::Reactor, 0, false};
    router.add(net::Method::Get, "/healthz", quick, [](net::Request&, net::Responder responder) {
        responder.send(net::Response(200, "text/plain; charset=utf-8", "ok\n"));
    });
    router.add(
        net::Method::Get, "/readyz", quick,
        [ready = std::move(ready)](net::Request&, net::Responder responder) {
            const std::string trouble = ready();
            if (trouble.empty()) {
                return responder.send(net::Response(200, "text/plain; charset=utf-8", "ready\n"));
            }
            responder.send(
                net::problem_response(Error{ErrorCode::Unavailable, trouble, {}, {}, {}}));
        });
    router.add(net::Method::Get, "/metrics", http::RouteOptions{http::RunOn::Pool, 0, false},
               [&metrics](net::Request&, net::Responder responder) {
                   responder.send(net::Response(200, "text/plain; version=0.0.4; charset=utf-8",
                                                metrics.render()));
               });
}

}  // namespace playhead::api
