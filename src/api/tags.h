/// The custom tags that a customer has declared (`/admin/v1/tags`).
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "directory/directory.h"

namespace playhead::api {

/// A JSON array of objects: `key` ("tag.<name>", as queries take it), name, title, description,
/// type; by name.
Result<std::string> declared_tags_json(const directory::Directory& directory,
                                       std::int64_t customer_id);

}  // namespace playhead::api
