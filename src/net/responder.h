/// The handle by which a request is answered, now or later, from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/message.h"

namespace playhead::net {

class Exchange;

/// Bytes of a streamed reply that may wait for the socket before `write` blocks.
inline constexpr std::size_t kStreamBufferBytesMax = 256 * 1024;

/// What the router and the middleware note about a request for its reply. Written by the reactor
/// before the handler runs, read-only afterwards.
struct ExchangeFacts {
    Method method = Method::Other;
    std::uint8_t coding = 0;  ///< the client's preferred http::Coding
    std::string_view route;   ///< the matched pattern, static storage; "" when none matched
    std::string target;       ///< filled in where an access log wants it
    std::string remote;       ///< likewise
    std::int64_t received_ms = 0;
    std::int64_t started_ns = 0;  ///< monotonic
};

/// Move-only. One thread at a time uses a responder; which one does not matter. Destroyed without
/// an answer, it sends a 500 problem document; destroyed in mid-stream, it cuts the connection so
/// that the client sees the body is incomplete.
class Responder {
public:
    Responder() = default;
    explicit Responder(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
    Responder(Responder&&) noexcept = default;
    Responder& operator=(Responder&& other) noexcept;
    Responder(const Responder&) = delete;
    Responder& operator=(const Responder&) = delete;
    ~Responder();

    /// Sends the whole reply; the handle is spent. On the shard's own thread the reply is written
    /// in place; from elsewhere many replies share one wake-up of the shard. Never blocks.
    void send(Response response);

    /// Begins a reply of unknown length (chunked). False when the client has gone.
    bool begin(Response head);
    /// Appends to the stream. Off the reactor it blocks while more than `kStreamBufferBytesMax`
    /// wait for the socket; on the reactor it never blocks. False when the client has gone or the
    /// reply has no body (HEAD): stop producing.
    bool write(std::string_view chunk);
    /// Completes the stream; the handle is spent.
    void end();

    /// True when the client closed or the connection failed: the answer has no reader.
    bool gone() const noexcept;
    /// Runs `callback` once when the client goes away before the answer is complete; at once when
    /// it has gone already. It runs on the reactor: must not block.
    void on_disconnect(std::function<void()> callback);

    /// False once spent.
    explicit operator bool() const noexcept { return exchange_ != nullptr; }
    /// For the router and middleware, before the handler runs.
    ExchangeFacts& facts() noexcept;

private:
    void abandon() noexcept;

    std::shared_ptr<Exchange> exchange_;
    bool streaming_ = false;
};

}  // namespace playhead::net
