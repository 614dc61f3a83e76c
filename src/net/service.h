/// What a server calls: the application behind the HTTP loop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/message.h"
#include "net/responder.h"

namespace playhead::net {

/// What is known of a finished exchange; for access logs.
struct ReplyRecord {
    const ExchangeFacts& facts;
    int status = 0;
    std::uint64_t body_bytes = 0;
    std::int64_t duration_ns = 0;
};

/// Implemented by `http::Application`. Every function must be thread safe: each shard calls it.
class Service {
public:
    virtual ~Service() = default;

    /// Handles one request on the reactor thread: must not block. `request` is valid until this
    /// returns; `responder` may be kept and used from any thread.
    virtual void handle(Request& request, Responder responder) = 0;

    /// The largest body wanted for this head (no body has been read yet).
    virtual std::uint64_t body_bytes_max(const Request& head) const = 0;

    /// Last touch to every reply (compression); runs on the thread that sends it.
    virtual void finish_reply(Response& response, const ExchangeFacts& facts) const = 0;

    /// Told after the reply was handed to the socket, on the reactor thread.
    virtual void on_replied(const ReplyRecord& record) noexcept = 0;
};

}  // namespace playhead::net
