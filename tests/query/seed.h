// Rows of the tests, and the embedded engine that holds them.
#pragma once

#include <map>
#include <string>

#include "query/dictionary.h"
#include "store/store.h"

namespace playhead::query::test {

const Dictionary& dictionary();

/// The engine of this process with an empty, migrated store; null when it is not built in or its
/// library is not installed (the caller skips).
store::Store* engine_store();

/// Adds a row to `sessions`, `live_sessions`, `slices`, `ad_views` or `events`. Fields are column
/// names of the schema (times in epoch seconds: start, end, first_frame, minute, at, time) and
/// `tag.<name>`. Unknown: throws.
void seed(store::Store& store, const std::string& table,
          const std::map<std::string, std::string>& fields);

}  // namespace playhead::query::test
