#include "http/application.h"

#include <string>

#include "http/content_coding.h"
#include "http/cors.h"
#include "http/query_string.h"
#include "net/problem.h"

namespace playhead::http {

namespace {

// Enough to read a small stray body and still say 404 instead of cutting the connection.
constexpr std::uint64_t kStrayBodyBytesMax = 64 * 1024;

Response not_found(const Request& request) {
    return net::problem_response({ErrorCode::NotFound,
                                  "There is nothing at this path.",
                                  "path",
                                  std::string(request.path()),
                                  {}});
}

Response method_not_allowed(const Request& request, std::string_view allow) {
    auto response =
        net::problem_response({ErrorCode::MethodNotAllowed, "This path does not take this method.",
                               "method", std::string(request.method_text()), std::string(allow)});
    response.add("Allow", allow);
    return response;
}

}  // namespace

void run_route(const Route& route, Request& request, Responder responder) {
    const auto encoding = request.header("Content-Encoding");
    if (route.options.decode_body && !encoding.empty() && !request.body().empty()) {
        auto decoded = decode_content(encoding, request.body(), route.options.body_bytes_max);
        if (!decoded) {
            responder.send(net::problem_response(decoded.error()));
            return;
        }
        request.set_body(std::move(*decoded));
    }
    route.handler(request, std::move(responder));
}

Application::Application(ApplicationOptions options, MetricsRegistry& metrics)
    : options_(std::move(options)),
      pool_refused_(metrics.counter("playhead_http_refused_total", "reason=\"pool_full\"",
                                    "Connections and requests refused before a handler.")),
      pool_(options_.workers, options_.pool_queue_max) {}

void Application::handle(Request& request, Responder responder) {
    auto& facts = responder.facts();
    facts.coding = static_cast<std::uint8_t>(preferred_coding(request.header("Accept-Encoding")));
    if (options_.access_log) {
        facts.target = request.target();
        facts.remote = request.remote_address();
    }
    if (is_preflight(request)) {
        responder.send(preflight_response(request));
        return;
    }
    const Match match = router_.match(request.method(), request.path());
    if (match.kind == Match::Kind::Found) {
        facts.route = match.route->pattern;
        run(match, request, std::move(responder));
    } else if (match.kind == Match::Kind::NoPath) {
        responder.send(not_found(request));
    } else if (request.method() == Method::Options) {
        Response response(204);
        response.add("Allow", match.allow);
        responder.send(std::move(response));
    } else {
        responder.send(method_not_allowed(request, match.allow));
    }
}

void Application::run(const Match& match, Request& request, Responder responder) {
    const Route& route = *match.route;
    for (std::size_t index = 0; index < match.value_count; ++index) {
        auto value = percent_decode(match.values[index], false);
        if (!value) {
            responder.send(net::problem_response(
                {ErrorCode::InvalidArgument, "A percent escape in the path is malformed.",
                 route.names[index], std::string(match.values[index]),
                 "'%' followed by two hexadecimal digits"}));
            return;
        }
        request.add_param(route.names[index], std::move(*value));
    }
    if (route.options.run_on == RunOn::Reactor) {
        run_route(route, request, std::move(responder));
        return;
    }
    PooledCall call{&route, request.take(), std::move(responder)};
    if (pool_.try_run(call)) return;
    pool_refused_.add();
    call.responder.send(net::problem_response(
        {ErrorCode::Unavailable, "Too many requests wait for a worker.", {}, {}, {}}));
}

std::uint64_t Application::body_bytes_max(const Request& head) const {
    const Match match = router_.match(head.method(), head.path());
    return match.route == nullptr ? kStrayBodyBytesMax : match.route->options.body_bytes_max;
}

void Application::finish_reply(Response& response, const net::ExchangeFacts& facts) const {
    if (response.body.size() < options_.compress_bytes_min || response.status == 206) return;
    if (!is_compressible(response.header("Content-Type")) || response.has("Content-Encoding")) {
        return;
    }
    response.add("Vary", "Accept-Encoding");
    const auto coding = static_cast<Coding>(facts.coding);
    if (coding == Coding::Identity) return;
    auto encoded = encode_content(coding, response.body);
    if (encoded.empty() || encoded.size() >= response.body.size()) return;
    response.body = std::move(encoded);
    response.add("Content-Encoding", coding_name(coding));
}

void Application::on_replied(const net::ReplyRecord& record) noexcept {
    if (options_.access_log) options_.access_log(record);
}

}  // namespace playhead::http
