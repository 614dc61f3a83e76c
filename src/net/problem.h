/// RFC 9457 problem documents: the one shape of every error reply. Thread safe.
#pragma once

#include "base/result.h"
#include "net/message.h"

namespace playhead::net {

/// `application/problem+json` with type ("/problems/<name>"), title, status, detail and, where
/// known, parameter, value and expected. 401 carries `WWW-Authenticate: Bearer`, 503 `Retry-After`.
Response problem_response(const Error& error);

}  // namespace playhead::net
