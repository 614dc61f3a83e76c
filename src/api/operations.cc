#include "api/operations.h"

#include "net/problem.h"

namespace playhead::api {

namespace {

Operation probe(std::string path, std::string id, std::string summary, std::string content_type) {
    Operation out;
    out.path = std::move(path);
    out.id = std::move(id);
    out.tag = "operations";
    out.summary = std::move(summary);
    out.replies = {{200, std::move(content_type), R"({"type":"string"})", {}}};
    out.examples = {{.name = "asked"}};
    out.tolerant = true;
    return out;
}

}  // namespace

void add_operations_routes(Contract& contract, MetricsRegistry& metrics, ReadinessProbe ready) {
    const http::RouteOptions quick{http::RunOn::Reactor, 0, false};
    contract.add(probe("/healthz", "healthz", "The process answers", "text/plain"), quick,
                 [](Call&, net::Responder responder) {
                     responder.send(net::Response(200, "text/plain; charset=utf-8", "ok\n"));
                 });
    contract.add(
        probe("/readyz", "readyz", "May the server take traffic", "text/plain"), quick,
        [ready = std::move(ready)](Call&, net::Responder responder) {
            const std::string trouble = ready();
            if (trouble.empty()) {
                return responder.send(net::Response(200, "text/plain; charset=utf-8", "ready\n"));
            }
            responder.send(
                net::problem_response(Error{ErrorCode::Unavailable, trouble, {}, {}, {}}));
        });
    contract.add(probe("/metrics", "prometheusMetrics", "Counters, Prometheus text", "text/plain"),
                 http::RouteOptions{http::RunOn::Pool, 0, false},
                 [&metrics](Call&, net::Responder responder) {
                     responder.send(net::Response(200, "text/plain; version=0.0.4; charset=utf-8",
                                                  metrics.render()));
                 });
}

}  // namespace playhead::api
