/// Answers and refusals that the administration endpoints share. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/replies.h"
#include "base/json_writer.h"
#include "base/result.h"
#include "http/query_string.h"
#include "net/message.h"

namespace playhead::api {

/// Answers of administration are nobody's to keep.
inline net::Response admin_reply(int status, std::string body) {
    return json_reply(status, std::move(body), kNoStore);
}

/// `{"<name>":[…]}` with each item as `write(json, item)` writes it.
template <class Items, class Write>
net::Response admin_list(std::string_view name, const Items& items, const Write& write) {
    std::string body;
    JsonWriter json(body);
    json.begin_object();
    json.key(name);
    json.begin_array();
    for (const auto& item : items) write(json, item);
    json.end_array();
    json.end_object();
    return admin_reply(200, std::move(body));
}

template <class Item, class Write>
net::Response admin_item(int status, const Item& item, const Write& write) {
    std::string body;
    JsonWriter json(body);
    write(json, item);
    return admin_reply(status, std::move(body));
}

inline tl::unexpected<Error> fail_denied(std::string parameter, std::string value,
                                         std::string message) {
    return fail(Error{ErrorCode::PermissionDenied,
                      std::move(message),
                      std::move(parameter),
                      std::move(value),
                      {}});
}

inline tl::unexpected<Error> fail_full(std::string_view what, std::size_t limit) {
    return fail(ErrorCode::Conflict, "there are as many " + std::string(what) +
                                         " as there may be: " + std::to_string(limit));
}

}  // namespace playhead::api
