/// The text of a tenant's SQL, before the engine sees it: one SELECT, made of plain tokens. The
/// first of the layers of docs/decisions/0008. Pure; thread safe.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace playhead::query {

inline constexpr std::size_t kSqlBytesMax = 64 * 1024;
inline constexpr std::size_t kSqlTokensMax = 10'000;
inline constexpr std::size_t kSqlDepthMax = 100;
inline constexpr std::size_t kSqlParametersMax = 100;

struct CleanSql {
    /// The statement again, without comments and closing semicolon, parameters renamed.
    std::string text;
    std::set<std::string> words;  ///< bare and quoted names
    std::vector<store::Parameter> parameters;
};

/// Reads `sql`; `given` are the values of its `{name:Type}` places. InvalidArgument naming what is
/// not allowed: anything but one SELECT (with or without WITH), characters outside ASCII beyond
/// string literals, FORMAT, INTO, SETTINGS, braces that are no parameter of a plain type.
Result<CleanSql> clean_sql(std::string_view sql, const std::vector<store::Parameter>& given);

}  // namespace playhead::query
