#include "net/server.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "net/shard.h"

namespace playhead::net {

using boost::system::error_code;

struct Server::Running {
    explicit Running(MetricsRegistry& metrics) : counters(metrics) {}

    ServerCounters counters;
    std::optional<asio::ssl::context> tls;
    std::vector<std::unique_ptr<Shard>> shards;
    std::uint16_t port = 0;
    bool stopped = false;
};

namespace {

Result<Tcp::endpoint> parse_endpoint(const std::string& listen) {
    const auto bad = [&listen] {
        return fail_parameter("listen", listen, "host:port, e.g. 0.0.0.0:8080 or [::]:8080",
                              "The address to listen on cannot be read.");
    };
    const auto colon = listen.rfind(':');
    if (colon == std::string::npos) return bad();
    std::string host = listen.substr(0, colon);
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    if (host == "localhost") host = "127.0.0.1";
    if (host.empty() || host == "*") host = "0.0.0.0";
    std::uint16_t port = 0;
    const char* end = listen.data() + listen.size();
    const auto read = std::from_chars(listen.data() + colon + 1, end, port);
    if (read.ec != std::errc() || read.ptr != end) return bad();
    error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (error) return bad();
    return Tcp::endpoint(address, port);
}

Error bind_error(const std::string& listen, const error_code& error) {
    if (error == asio::error::address_in_use) {
        return {ErrorCode::Conflict, "Another process listens on this port.", "listen", listen,
                "a free port, or 0 to pick one"};
    }
    return {ErrorCode::InvalidArgument, "Cannot listen there: " + error.message() + ".", "listen",
            listen, "an address of this machine"};
}

/// SO_REUSEPORT would let two servers of one user share a port unnoticed, so an ordinary socket
/// asks first.
error_code probe(const Tcp::endpoint& endpoint) {
    asio::io_context io(1);
    Acceptor acceptor(io);
    error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(Acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(1, error);
    return error;
}

Result<void> load_tls(asio::ssl::context& context, const TlsOptions& options) {
    error_code error;
    context.use_certificate_chain_file(options.certificate_chain_file, error);
    if (error) {
        return fail_parameter("tls.certificate", options.certificate_chain_file,
                              "a readable PEM file", "The certificate cannot be used.");
    }
    context.use_private_key_file(options.private_key_file, asio::ssl::context::pem, error);
    if (error) {
        return fail_parameter("tls.key", options.private_key_file, "the certificate's PEM key",
                              "The private key cannot be used.");
    }
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
    return {};
}

}  // namespace

Server::Server(ServerOptions options, std::shared_ptr<Service> service, const Clock& clock,
               MetricsRegistry& metrics)
    : options_(std::move(options)),
      service_(std::move(service)),
      clock_(clock),
      metrics_(metrics) {}

Server::~Server() {
    drain_and_stop(0);
}

Result<void> Server::start() {
    auto endpoint = parse_endpoint(options_.listen);
    if (!endpoint) return fail(std::move(endpoint.error()));
    if (const auto error = probe(*endpoint)) return fail(bind_error(options_.listen, error));
    auto running = std::make_unique<Running>(metrics_);
    if (options_.tls.enabled()) {
        running->tls.emplace(asio::ssl::context::tls_server);
        if (auto loaded = load_tls(*running->tls, options_.tls); !loaded) return loaded;
    }
    const int count = options_.shards > 0
                          ? options_.shards
                          : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    for (int index = 0; index < count; ++index) {
        auto shard = std::make_unique<Shard>(options_, service_, clock_, running->counters,
                                             running->tls ? &*running->tls : nullptr, count);
        if (const auto error = shard->listen(*endpoint)) {
            return fail(bind_error(options_.listen, error));
        }
        // Port 0: the first shard's port is everyone's.
        endpoint->port(shard->local_endpoint().port());
        running->shards.push_back(std::move(shard));
    }
    running->port = endpoint->port();
    for (auto& shard : running->shards) shard->run();
    running_ = std::move(running);
    return {};
}

std::uint16_t Server::port() const noexcept {
    return running_ ? running_->port : 0;
}

std::size_t Server::connection_count() const noexcept {
    if (!running_) return 0;
    const auto count = running_->counters.gauges->connections.load(std::memory_order_relaxed);
    return static_cast<std::size_t>(std::max<std::int64_t>(0, count));
}

std::size_t Server::drain_and_stop(std::int64_t timeout_ms) {
    if (!running_ || running_->stopped) return 0;
    running_->stopped = true;
    for (auto& shard : running_->shards) shard->drain();
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (connection_count() > 0 && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    std::size_t cut = 0;
    for (auto& shard : running_->shards) cut += shard->stop();
    return cut;
}

}  // namespace playhead::net
