/// The embedded engine as a `Store`. One per process at a time (a rule of the engine), one process
/// per directory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/store.h"

namespace playhead::store::chdb {

struct ChdbOptions {
    std::string directory;                      ///< absolute; made when missing
    std::string library_path;                   ///< empty = default_library_path()
    int readers = 4;                            ///< connections for queries
    int patient_readers = 2;                    ///< connections for patient ones
    int query_threads = 0;                      ///< per query; 0 = the engine's choice (cores)
    std::uint64_t server_memory_bytes_max = 0;  ///< of all queries; 0 = the engine's (90 %)
    std::uint64_t query_memory_bytes_max = 4ULL << 30U;
    double wait_limit_s = 10;  ///< for a free connection
};

/// Opens the engine. `prepare_process` must have been called. Unavailable when the library is
/// missing, the directory is not writable or another process has it open. The engine holds
/// per-query limits of the pool: `QueryOptions::time_limit_s` is obeyed, `memory_bytes_max` and
/// `threads_max` are those of the options here (query connections refuse changes of settings).
Result<std::unique_ptr<Store>> open_chdb_store(const ChdbOptions& options);

}  // namespace playhead::store::chdb
