#include "net/shard.h"

#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <string_view>
#include <utility>

#include "base/log.h"

namespace playhead::net {

namespace {

using boost::system::error_code;

constexpr std::chrono::milliseconds kReaperPeriod{250};
constexpr int kBacklog = 4096;

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr std::string_view kTooManyConnections =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
    "Content-Length: 0\r\n\r\n";

}  // namespace

Shard::Shard(const ServerOptions& options, std::shared_ptr<Service> service, const Clock& clock,
             ServerCounters& counters, asio::ssl::context* tls, int shard_count)
    : counters_(counters),
      tls_(tls),
      connections_max_(
          std::max<std::size_t>(1, options.connections_max / static_cast<unsigned>(shard_count))),
      io_(1),
      acceptor_(io_),
      reaper_(io_),
      state_{options, clock, counters, std::make_shared<ShardLink>(std::move(service)),
             0,       0,     false,    {}} {
    state_.bytes_in_flight_max = options.bytes_in_flight_max / static_cast<unsigned>(shard_count);
    state_.link->set_wake([this] { asio::post(io_, [this] { deliver_replies(); }); });
}

Shard::~Shard() {
    if (thread_.joinable()) stop();
}

error_code Shard::listen(const Tcp::endpoint& endpoint) {
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(Acceptor::reuse_address(true), error);
    if (!error) acceptor_.set_option(ReusePort(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(kBacklog, error);
    return error;
}

Tcp::endpoint Shard::local_endpoint() const {
    error_code ignored;
    return acceptor_.local_endpoint(ignored);
}

void Shard::run() {
    accept();
    tick();
    thread_ = std::thread([this] {
        pthread_setname_np(pthread_self(), "ph-shard");
        state_.link->bind_to_this_thread();
        io_.run();
    });
}

void Shard::accept() {
    accepting_ = true;
    acceptor_.async_accept(io_, [this](error_code error, Socket socket) {
        accepting_ = false;
        if (state_.draining || stopping_) return;
        if (error) {
            // Out of descriptors, most likely: the reaper tries again.
            if (error != asio::error::connection_aborted) {
                log::warn("accept failed: {}", error.message());
                return;
            }
        } else {
            take(std::move(socket));
        }
        accept();
    });
}

void Shard::take(Socket socket) {
    error_code ignored;
    if (state_.connections.size() >= connections_max_) {
        counters_.refused(Refusal::Connections);
        if (tls_ == nullptr) {
            ::send(socket.native_handle(), kTooManyConnections.data(), kTooManyConnections.size(),
                   MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        return;
    }
    socket.set_option(Tcp::no_delay(true), ignored);
    auto transport = tls_ == nullptr ? make_plain_transport(std::move(socket))
                                     : make_tls_transport(std::move(socket), *tls_);
    auto connection = std::make_shared<Connection>(state_, std::move(transport));
    connection->index = state_.connections.size();
    state_.connections.push_back(connection);
    connection->start();
}

void Shard::tick() {
    reaper_.expires_after(kReaperPeriod);
    reaper_.async_wait([this](error_code error) {
        if (error || stopping_) return;
        const auto now_ns = state_.clock.monotonic_ns();
        // Backwards: a connection that closes is replaced by the last, which was visited.
        for (std::size_t index = state_.connections.size(); index-- > 0;) {
            if (index >= state_.connections.size()) continue;
            const auto connection = state_.connections[index];
            connection->on_tick(now_ns);
        }
        if (!accepting_ && !state_.draining) accept();
        tick();
    });
}

void Shard::deliver_replies() {
    state_.link->take(replies_);
    for (const auto& exchange : replies_) {
        if (const auto connection = exchange->connection.lock()) connection->on_reply_progress();
    }
    replies_.clear();
}

void Shard::drain() {
    asio::post(io_, [this] {
        state_.draining = true;
        error_code ignored;
        acceptor_.close(ignored);
        const auto now_ns = state_.clock.monotonic_ns();
        for (std::size_t index = state_.connections.size(); index-- > 0;) {
            if (index >= state_.connections.size()) continue;
            const auto connection = state_.connections[index];
            connection->on_tick(now_ns);
        }
    });
}

std::size_t Shard::stop() {
    asio::post(io_, [this] {
        stopping_ = true;
        error_code ignored;
        acceptor_.close(ignored);
        reaper_.cancel();
        cut_ = state_.connections.size();
        while (!state_.connections.empty()) {
            const auto connection = state_.connections.back();
            connection->close();
        }
        state_.link->set_wake(nullptr);
    });
    // Nothing is left to wait for then, so the reactor returns by itself.
    thread_.join();
    return cut_;
}

}  // namespace playhead::net
