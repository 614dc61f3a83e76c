/// Checks of rows before they are written. Internal to `directory`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "directory/records.h"

namespace playhead::directory {

Result<void> validate(const Tenant& tenant);
Result<void> validate(const User& user);
Result<void> validate(const ApiKey& key);
Result<void> validate(const Document& document);

/// Lists are kept as lines of one text column.
std::string join_lines(const std::vector<std::string>& items);
std::vector<std::string> split_lines(std::string_view text);

}  // namespace playhead::directory
