/// Internal to net: a byte stream below a connection, plain or TLS.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace playhead::net {

class Connection;

/// Shard's thread only. Completions call the connection's `on_…` and keep it alive meanwhile.
class Transport {
public:
    virtual ~Transport() = default;
    /// Calls `on_ready` when bytes may flow (after a TLS handshake), or `on_failed`.
    virtual void start(std::shared_ptr<Connection> connection) = 0;
    /// One read of at most `bytes`: `on_read(n)`, or `on_read_end(reset)`.
    virtual void read(std::shared_ptr<Connection> connection, char* into, std::size_t bytes) = 0;
    /// Writes what the socket takes now: bytes, 0 when none, -1 when the connection is broken.
    virtual long write_now(std::string_view bytes) = 0;
    /// One write of some of `bytes`: `on_written(n)`, or `on_failed`.
    virtual void write(std::shared_ptr<Connection> connection, std::string_view bytes) = 0;
    /// Tells the peer that no more bytes follow.
    virtual void shutdown_send() = 0;
    virtual void close() = 0;
    virtual std::string remote_address() const = 0;
    virtual bool secure() const = 0;
};

}  // namespace playhead::net
