/// Tables of finished sessions into the store, by a mapping.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "enrich/privacy.h"
#include "importers/mapping.h"
#include "importers/session_table.h"
#include "importers/session_writer.h"
#include "importers/tally.h"

namespace playhead::importers {

struct SessionRun {
    enrich::AddressPolicy address_policy = enrich::AddressPolicy::Slash24;
    std::int64_t oldest_ms = 0;  ///< sessions that began before are older than retention
    std::int64_t newest_ms = 0;  ///< and those after are in the future
};

/// Reads all of the table. `mapping` is bound to its columns.
Result<WriteReport> import_sessions(SessionTable& table, const std::string& name,
                                    const Mapping& mapping, const SessionRun& run,
                                    SessionWriter& writer, Tally& tally,
                                    const std::function<void()>& progress);

/// For a trial: the first `rows` rows as they would be stored, and the columns that nothing reads.
Result<std::string> show_sessions(SessionTable& table, const Mapping& mapping,
                                  const SessionRun& run, std::size_t rows);

/// What the source does not tell, for the end of an import.
std::string unknown_text(const Mapping& mapping);

}  // namespace playhead::importers
