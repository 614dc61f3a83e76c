/// Suggestions for misspelt names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace playhead::query {

/// The name with the smallest edit distance to `given`, at most a third of its length (and at
/// least 2); empty when none is near. Names longer than 64 bytes get no suggestion.
std::string nearest_name(std::string_view given, const std::vector<std::string>& names);

}  // namespace playhead::query
