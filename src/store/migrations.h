/// The schema's history: numbered SQL files, embedded at build time, applied in order through the
/// `Store` itself, so that the same files serve the embedded engine and a remote one.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/rows.h"
#include "store/store.h"

namespace playhead::store {

struct Migration {
    std::uint32_t version;
    std::string_view name;  ///< file name without suffix
    std::string_view sql;   ///< statements, each ends with a semicolon at the end of a line
};

/// All migrations this binary knows, by version.
const std::vector<Migration>& migrations();

/// Splits a migration into statements, without comment lines and the closing semicolons.
std::vector<std::string> statements_of(std::string_view sql);

/// Applies what is missing and records it in `schema_migrations`. Unavailable when the data were
/// written by a newer binary. Safe to repeat after a crash in between.
Result<void> run_migrations(Store& store);

/// Longest retention: the engine's expiry times end in 2106, beyond them rows would go at once.
inline constexpr std::uint32_t kRetentionDaysMax = 10'000;

struct Retention {
    Table table;
    std::uint32_t days;  ///< 0 = keep for ever
};

/// Sets how long the rows of tables are kept; does nothing where that is already so. Deletion is in
/// the background, by whole days. `sessions` and `slices` take their rollups along only when
/// `rollup_days` says so (0 = keep for ever). InvalidArgument beyond kRetentionDaysMax.
Result<void> apply_retention(Store& store, const std::vector<Retention>& retention,
                             std::uint32_t rollup_days);

}  // namespace playhead::store
