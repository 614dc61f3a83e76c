/// An answer of the query engine as a reply.
#pragma once

#include <cstdint>
#include <string>

#include "net/message.h"
#include "query/engine.h"

namespace playhead::api {

/// 200 with the envelope, or 304 without a body when the client's `If-None-Match` names it.
/// `no_coding`: the reply will not be compressed.
net::Response envelope_reply(const query::Answer& answer, std::uint64_t customer_id,
                             const std::string& if_none_match, bool no_coding);

}  // namespace playhead::api
