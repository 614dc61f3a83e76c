/// Cross-origin answers. Every origin may ask: access is by key or token, never by cookie. Pure.
#pragma once

#include <string>
#include <string_view>

#include "net/message.h"

namespace playhead::http {

/// Header lines for every reply: CORS and the security headers.
std::string_view fixed_reply_lines() noexcept;

/// True for an OPTIONS request that a browser sends before the real one.
bool is_preflight(const net::Request& request) noexcept;

/// 204 with the allowed methods, headers and a day of Max-Age. Echoes the requested header names
/// when all are tokens, else names the usual ones: SDKs ask for odd ones, such as
/// "access-control-allow-origin".
net::Response preflight_response(const net::Request& request);

}  // namespace playhead::http
