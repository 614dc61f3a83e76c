/// The schema of the directory file as numbered steps; `PRAGMA user_version` is the last one run.
#pragma once

#include "base/result.h"
#include "directory/sqlite.h"

namespace playhead::directory {

/// Number of the newest migration this program knows.
int newest_schema_version() noexcept;

/// Runs what is missing, in one transaction, so that two processes starting at once agree.
/// Unprocessable when the file was written by a newer program.
Result<void> migrate(Connection& connection);

}  // namespace playhead::directory
