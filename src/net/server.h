/// The HTTP/1.1 server: shards (one thread, one reactor, one SO_REUSEPORT acceptor each) that read,
/// parse, call the service and write. No Asio in sight.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "net/service.h"

namespace playhead::net {

/// PEM files; both empty means plain HTTP.
struct TlsOptions {
    std::string certificate_chain_file;
    std::string private_key_file;
    bool enabled() const noexcept { return !certificate_chain_file.empty(); }
};

struct ServerOptions {
    std::string listen = "127.0.0.1:8080";  ///< "host:port" or "[v6]:port"; port 0 picks a free one
    int shards = 0;                         ///< 0: one per core
    TlsOptions tls;
    /// "Name: value\r\n" lines that every reply carries, those of the server's own making as well.
    std::string reply_lines;

    std::size_t connections_max = 100'000;                     ///< over all shards
    std::uint64_t bytes_in_flight_max = 512ULL * 1024 * 1024;  ///< requests not yet answered
    /// From a request's first byte; each body byte buys time at `body_bytes_per_s_min`.
    std::int64_t request_timeout_ms = 5'000;
    std::uint64_t body_bytes_per_s_min = 64 * 1024;
    std::int64_t idle_timeout_ms = 75'000;
    std::int64_t write_timeout_ms = 30'000;  ///< without any progress
    std::int64_t linger_ms = 2'000;  ///< reading on after the last reply, so that it arrives
};

/// Thread safe. Destroying a running server stops it at once.
class Server {
public:
    /// `clock` and `metrics` must outlive the server and every responder it made.
    Server(ServerOptions options, std::shared_ptr<Service> service, const Clock& clock,
           MetricsRegistry& metrics);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Binds and starts the threads. InvalidArgument for an address or certificate that cannot be
    /// used, Conflict when the port is taken.
    Result<void> start();

    /// The real port, after `start`.
    std::uint16_t port() const noexcept;

    /// Stops accepting, tells clients to close, closes idle connections, waits at most `timeout_ms`
    /// for requests under way, then cuts the rest. Returns how many connections were cut.
    /// Safe to call twice.
    std::size_t drain_and_stop(std::int64_t timeout_ms);

    std::size_t connection_count() const noexcept;

private:
    struct Running;

    ServerOptions options_;
    std::shared_ptr<Service> service_;
    const Clock& clock_;
    MetricsRegistry& metrics_;
    std::unique_ptr<Running> running_;
};

}  // namespace playhead::net
