/// Internal to net: one client connection's HTTP/1.1 loop, without any Asio.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/exchange.h"
#include "net/http1_parser.h"
#include "net/server.h"
#include "net/server_counters.h"
#include "net/transport.h"

namespace playhead::net {

/// What a shard's connections share. Shard's thread only, except the link.
struct ShardState {
    const ServerOptions& options;
    const Clock& clock;
    ServerCounters& counters;
    std::shared_ptr<ShardLink> link;
    std::uint64_t bytes_in_flight_max = 0;
    std::uint64_t bytes_in_flight = 0;
    bool draining = false;
    std::vector<std::shared_ptr<Connection>> connections;
};

/// Requests of one connection that may wait for their replies at once.
inline constexpr std::size_t kPipelineMax = 64;

/// Reads, parses all that is buffered, dispatches, and writes replies in the order of requests with
/// one write. Shard's thread only.
class Connection final : public std::enable_shared_from_this<Connection> {
public:
    Connection(ShardState& shard, std::unique_ptr<Transport> transport);

    void start();
    /// Enforces deadlines; the shard's reaper calls it every 250 ms.
    void on_tick(std::int64_t now_ns);
    /// An exchange of this connection has something to send.
    void on_reply_progress();
    void close();
    bool closed() const noexcept { return closed_; }
    /// Place in the shard's list.
    std::size_t index = 0;

    // From the transport.
    void on_ready();
    void on_read(std::size_t bytes);
    void on_read_end(bool reset);
    void on_written(std::size_t bytes);
    void on_failed() { close(); }

private:
    void process();
    bool admit();
    void dispatch();
    void refuse(const Error& error, Refusal reason);
    std::shared_ptr<Exchange> make_exchange();
    bool charge_to(std::uint64_t bytes);
    void pump();
    void pump_stream(Exchange& exchange);
    void write_head(Exchange& exchange, bool stream);
    void finish_front();
    void flush();
    void after_write();
    void start_linger();
    void arm_read();
    void compact();
    bool busy() const noexcept { return !pipeline_.empty() || writing_ || !out_.empty(); }
    std::int64_t now_ns() const noexcept { return shard_.clock.monotonic_ns(); }

    ShardState& shard_;
    std::unique_ptr<Transport> transport_;
    Http1RequestParser parser_;
    Request request_;
    std::vector<std::shared_ptr<Exchange>> pipeline_;

    std::unique_ptr<char[]> buffer_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;

    std::string out_;
    std::string sending_;
    std::size_t sent_ = 0;

    std::uint64_t charged_bytes_ = 0;
    std::int64_t request_began_ns_ = 0;  ///< 0 between requests
    std::int64_t last_activity_ns_ = 0;
    std::int64_t write_progress_ns_ = 0;
    std::int64_t linger_until_ns_ = 0;
    bool started_ = false;
    bool reading_ = false;
    bool writing_ = false;
    bool flushing_ = false;
    bool processing_ = false;
    bool stop_parsing_ = false;
    bool close_after_flush_ = false;
    bool lingering_ = false;
    bool read_ended_ = false;
    bool closed_ = false;
};

}  // namespace playhead::net
