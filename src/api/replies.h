/// What the handlers of several endpoints answer with, and write into the audit log. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "api/contract.h"
#include "directory/records.h"
#include "net/problem.h"

namespace playhead::api {

/// Values of Cache-Control: of answers that are nobody's to keep, and of those that the client may
/// keep but has to ask about.
inline constexpr std::string_view kNoStore = "no-store";
inline constexpr std::string_view kAskAgain = "private, no-cache";

inline net::Response json_reply(int status, std::string body, std::string_view cache_control) {
    net::Response response(status, "application/json", std::move(body));
    response.add("Cache-Control", cache_control);
    return response;
}

/// The handler that sends what `step` returns for the call: a response, or its error as a problem.
template <class Step>
CallHandler answering(Step step) {
    return [step = std::move(step)](Call& call, net::Responder responder) {
        Result<net::Response> answer = step(call);
        responder.send(answer ? std::move(*answer) : net::problem_response(answer.error()));
    };
}

/// Who did `action` to `target`, for which customer and from where.
inline directory::AuditEntry audit_entry(const Call& call, std::string_view action,
                                         std::string_view target) {
    directory::AuditEntry entry;
    entry.actor = call.caller.identity.actor();
    entry.action = action;
    entry.target = target;
    entry.customer_id = call.caller.customer_id;
    entry.address = call.request.remote_address();
    return entry;
}

}  // namespace playhead::api
