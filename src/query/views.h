/// Which views of a request are answered from which rows, and whether its dimensions are there.
/// Pure.
#pragma once

#include <set>
#include <string_view>

#include "base/result.h"
#include "query/request.h"

namespace playhead::query {

/// The views that are answered from a source, as a request names them.
std::string_view views_of(Source source) noexcept;

/// Unprocessable (422) naming the first dimension that one of the sources does not have, with the
/// views where it would work.
Result<void> check_dimensions(const QueryRequest& request, const std::set<Source>& sources);

}  // namespace playhead::query
