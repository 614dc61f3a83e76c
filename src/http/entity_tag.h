/// Entity tags (RFC 9110 8.8.3, 13.1.2). Pure.
#pragma once

#include <string>
#include <string_view>

namespace playhead::http {

/// `"tag"`, or `W/"tag"` where equal tags do not mean equal bytes.
std::string entity_tag(std::string_view tag, bool strong);

/// True when `If-None-Match` lists the tag, strong or weak, or is `*`.
bool matches_entity_tag(std::string_view if_none_match, std::string_view tag);

}  // namespace playhead::http
