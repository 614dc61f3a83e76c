#include "http/server.h"

#include <utility>

#include "http/cors.h"

namespace playhead::http {

namespace {

net::ServerOptions with_reply_lines(net::ServerOptions options) {
    if (options.reply_lines.empty()) options.reply_lines = fixed_reply_lines();
    return options;
}

}  // namespace

Server::Server(ServerOptions options, const Clock& clock, MetricsRegistry& metrics)
    : application_(std::make_shared<Application>(std::move(options.application), metrics)),
      server_(with_reply_lines(std::move(options.net)), application_, clock, metrics) {}

Server::~Server() {
    drain_and_stop(0);
}

std::size_t Server::drain_and_stop(std::int64_t timeout_ms) {
    const std::size_t cut = server_.drain_and_stop(timeout_ms);
    application_->stop();
    return cut;
}

}  // namespace playhead::http
