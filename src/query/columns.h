/// Which columns each source has: those of model/rows.h, and those computed from them so that a sum
/// over rows is enough ("made" columns).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "query/dictionary.h"

namespace playhead::query {

/// SQL of a column that may be summed over the rows of a source (without sign); nullopt when the
/// source has no such column.
std::optional<std::string> summable_sql(Source source, std::string_view column);

/// True when a sum of the column is no whole number.
bool is_real_sum(Source source, std::string_view column);

/// True when the column can be named in the samples and uniques of a source.
bool has_column(Source source, std::string_view column);

/// True when the rollups of a source carry the column.
bool rollup_has_sum(Source source, std::string_view column);

/// True when the rollups of a source carry the dimension.
bool rollup_has_dimension(Source source, std::string_view key);

}  // namespace playhead::query
