/// Rows on their way to a client: compressed as they come, the head held back until there is
/// something to send.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/content_coding.h"
#include "net/responder.h"

namespace playhead::api {

/// Bytes that wait before the reply begins, so that a short answer that fails is still a problem
/// document and not half a body.
inline constexpr std::size_t kRowsHeldBackMax = 1U << 20U;

/// One answer; one thread. The responder must outlive it and is spent by `finish`.
class RowStream {
public:
    /// `head` has the content type; the coding is the client's choice where the type shrinks.
    RowStream(net::Responder& responder, net::Response head);

    /// False when the client has gone or the coding failed: stop producing.
    bool add(std::string_view chunk);
    void finish();
    /// True once a part of the reply has gone out: the status cannot change any more.
    bool begun() const noexcept { return begun_; }

private:
    bool flush();

    net::Responder& responder_;
    net::Response head_;
    std::unique_ptr<http::StreamEncoder> encoder_;
    std::string held_;
    bool begun_ = false;
};

}  // namespace playhead::api
