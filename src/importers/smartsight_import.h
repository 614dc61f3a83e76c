/// All sessions of a SmartSight API between two times, into the store. Goes window by window and
/// notes in a file how far it is: killed at any moment and run again it neither loses nor doubles.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "enrich/privacy.h"
#include "importers/session_writer.h"
#include "importers/smartsight_source.h"
#include "importers/tally.h"

namespace playhead::importers {

struct SmartSightRun {
    std::int64_t since_s = 0, until_s = 0;
    std::string state_file;
    std::int64_t window_s = 86'400;  ///< asked for at once, at most
    std::uint64_t page_rows = 2000;
    enrich::AddressPolicy address_policy = enrich::AddressPolicy::Slash24;
};

/// How far an import is.
struct SmartSightState {
    std::string from;
    std::uint64_t customer_id = 0;
    std::int64_t since_s = 0;  ///< everything that began in [since, done) is in the store
    std::int64_t done_s = 0;
};

/// NotFound when there is no such file, Unprocessable when it is something else.
Result<SmartSightState> read_state(const std::string& path);
/// As a whole or not at all.
Result<void> write_state(const std::string& path, const SmartSightState& state);

/// `source` is connected. Sessions that still run there are left for a later run: the state does
/// not move past them. `progress` hears one line per window.
Result<WriteReport> import_smartsight(SmartSightSource& source, const SmartSightOptions& options,
                                      const SmartSightRun& run, SessionWriter& writer, Tally& tally,
                                      const std::function<void(std::string)>& progress);

}  // namespace playhead::importers
