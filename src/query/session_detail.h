/// `/mm-apis/session?sessionid=`: what `Engine::session_json` answers. Pure.
#pragma once

#include <vector>

#include "query/json_members.h"

namespace playhead::query {

/// SessionDetail and what it refers to, made of the lists that write it: the columns of the store's
/// tables and the members of `session_lists`.
std::vector<NamedSchema> session_detail_schemas();

}  // namespace playhead::query
