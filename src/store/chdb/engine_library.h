/// The engine's C API, declared by us and loaded at run time (docs/decisions/0002). Loaded once per
/// process and never unloaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace playhead::store::chdb {

/// The version that scripts/fetch-engine installs and the tests run against.
inline constexpr const char* kEngineVersion = "26.7.3-stable.1";

struct EngineConnection;  ///< opaque
struct EngineResult;      ///< opaque
struct EngineInsert;      ///< opaque

/// The functions we call; names as in the library without the `chdb_` prefix.
struct EngineApi {
    EngineConnection** (*connect)(int, char**);
    void (*close_conn)(EngineConnection**);
    EngineResult* (*query_with_params_n)(EngineConnection*, const char* sql, std::size_t,
                                         const char* format, std::size_t, const char* const* names,
                                         const std::size_t*, const char* const* values,
                                         const std::size_t*, std::size_t count);
    EngineResult* (*stream_query_with_params_n)(EngineConnection*, const char* sql, std::size_t,
                                                const char* format, std::size_t,
                                                const char* const* names, const std::size_t*,
                                                const char* const* values, const std::size_t*,
                                                std::size_t count);
    EngineResult* (*stream_fetch_result)(EngineConnection*, EngineResult*);
    void (*stream_cancel_query)(EngineConnection*, EngineResult*);
    void (*destroy_query_result)(EngineResult*);
    char* (*result_buffer)(EngineResult*);
    std::size_t (*result_length)(EngineResult*);
    const char* (*result_error)(EngineResult*);
    double (*result_elapsed)(EngineResult*);
    std::uint64_t (*result_storage_rows_read)(EngineResult*);
    std::uint64_t (*result_storage_bytes_read)(EngineResult*);
    EngineInsert* (*stream_insert_n)(EngineConnection*, const char* sql, std::size_t,
                                     const char* format, std::size_t);
    int (*stream_append)(EngineInsert*, const void*, std::size_t);
    EngineResult* (*stream_done)(EngineInsert*);
    void (*stream_cancel_insert)(EngineInsert*);
    const char* (*stream_insert_error)(EngineInsert*);
    void (*destroy_insert_stream)(EngineInsert*);
    void (*set_signal_handlers_enabled)(int);
};

/// Where the library is looked for: `PLAYHEAD_CHDB_LIBRARY`, else the cache that
/// scripts/fetch-engine fills.
std::string default_library_path();

/// Loads the library from an absolute path. NotFound with the remedy when it is not there. The
/// first successful call decides; later calls return the same. Thread safe.
Result<const EngineApi*> load_engine(const std::string& path);

/// What the engine demands of its process: stdin is /dev/null (it eats what a pipe holds) and
/// SIGPIPE is ignored. Call once at start, before other threads.
Result<void> prepare_process();

}  // namespace playhead::store::chdb
