/// Internal to net: one reactor thread with its acceptor and its connections. For .cc files that
/// include Asio anyway.
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "net/connection.h"
#include "net/transport_asio.h"

namespace playhead::net {

/// Created and destroyed by `Server`; everything else happens on its own thread.
class Shard {
public:
    Shard(const ServerOptions& options, std::shared_ptr<Service> service, const Clock& clock,
          ServerCounters& counters, asio::ssl::context* tls, int shard_count);
    ~Shard();
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    /// Binds with SO_REUSEPORT and listens. Call before `run`.
    boost::system::error_code listen(const Tcp::endpoint& endpoint);
    Tcp::endpoint local_endpoint() const;
    void run();

    /// Stops accepting and closes idle connections; the rest get `Connection: close`. Any thread.
    void drain();
    /// Cuts all connections, ends the thread; returns how many were cut. Any other thread; once.
    std::size_t stop();

private:
    void accept();
    void take(Socket socket);
    void tick();
    void deliver_replies();

    ServerCounters& counters_;
    asio::ssl::context* tls_;
    std::size_t connections_max_;
    asio::io_context io_;
    Acceptor acceptor_;
    Timer reaper_;
    ShardState state_;
    std::vector<std::shared_ptr<Exchange>> replies_;
    std::thread thread_;
    std::size_t cut_ = 0;
    bool accepting_ = false;
    bool stopping_ = false;
};

}  // namespace playhead::net
