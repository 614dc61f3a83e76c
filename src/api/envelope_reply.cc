#include "api/envelope_reply.h"

#include <fmt/format.h>

#include "http/entity_tag.h"
#include "query/envelope.h"

namespace playhead::api {

net::Response envelope_reply(const query::Answer& answer, std::uint64_t customer_id,
                             const std::string& if_none_match, bool no_coding) {
    auto envelope = query::envelope_of(answer);
    // Never another customer's, even where both have nothing.
    const auto tag = fmt::format("{}-{:x}", envelope.tag, customer_id);
    const bool known = http::matches_entity_tag(if_none_match, tag);
    net::Response response(known ? 304 : 200);
    if (!known) {
        response.add("Content-Type", "application/json");
        response.body = std::move(envelope.body);
    }
    // Equal bytes only where neither the coding nor the times in `meta` differ.
    response.add("ETag", http::entity_tag(tag, !answer.with_meta && no_coding))
        .add("Cache-Control", "private, no-cache")
        .add("Vary", "Authorization, X-API-Key, Accept")
        .add("X-Query-Id", answer.meta.query_id);
    return response;
}

}  // namespace playhead::api
