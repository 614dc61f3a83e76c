/// Internal to net: turns a Response into bytes. Thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/message.h"

namespace playhead::net {

/// RFC 9110 date of an instant, e.g. "Mon, 23 Nov 2026 14:00:00 GMT". Cached per thread and second.
std::string_view http_date(std::int64_t epoch_ms);

struct ReplyShape {
    bool head_request = false;  ///< send the head alone
    bool close = false;         ///< this is the connection's last reply
    bool http10 = false;
    bool stream = false;  ///< chunked, or until close for HTTP/1.0; the body is not appended
};

/// Appends status line, Date, Server, `fixed_lines`, the response's headers and framing, and body.
void append_reply(std::string& out, const Response& response, ReplyShape shape,
                  std::string_view fixed_lines, std::int64_t now_ms);

}  // namespace playhead::net
