#include "store/chdb/engine_library.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <mutex>

namespace playhead::store::chdb {
namespace {

template <class Function>
bool resolve(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    return function != nullptr;
}

const char* missing_symbol(void* library, EngineApi& api) {
#define PLAYHEAD_RESOLVE(name) \
    if (!resolve(library, "chdb_" #name, api.name)) return "chdb_" #name
    PLAYHEAD_RESOLVE(connect);
    PLAYHEAD_RESOLVE(close_conn);
    PLAYHEAD_RESOLVE(query_with_params_n);
    PLAYHEAD_RESOLVE(stream_query_with_params_n);
    PLAYHEAD_RESOLVE(stream_fetch_result);
    PLAYHEAD_RESOLVE(stream_cancel_query);
    PLAYHEAD_RESOLVE(destroy_query_result);
    PLAYHEAD_RESOLVE(result_buffer);
    PLAYHEAD_RESOLVE(result_length);
    PLAYHEAD_RESOLVE(result_error);
    PLAYHEAD_RESOLVE(result_elapsed);
    PLAYHEAD_RESOLVE(result_storage_rows_read);
    PLAYHEAD_RESOLVE(result_storage_bytes_read);
    PLAYHEAD_RESOLVE(stream_insert_n);
    PLAYHEAD_RESOLVE(stream_append);
    PLAYHEAD_RESOLVE(stream_done);
    PLAYHEAD_RESOLVE(stream_cancel_insert);
    PLAYHEAD_RESOLVE(stream_insert_error);
    PLAYHEAD_RESOLVE(destroy_insert_stream);
    PLAYHEAD_RESOLVE(set_signal_handlers_enabled);
#undef PLAYHEAD_RESOLVE
    return nullptr;
}

}  // namespace

std::string default_library_path() {
    if (const char* given = std::getenv("PLAYHEAD_CHDB_LIBRARY"); given != nullptr && *given) {
        return given;
    }
    std::string cache;
    if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg) {
        cache = xdg;
    } else if (const char* home = std::getenv("HOME"); home != nullptr) {
        cache = std::string(home) + "/.cache";
    }
    return fmt::format("{}/playhead/engine/{}/libchdb.so", cache, kEngineVersion);
}

Result<const EngineApi*> load_engine(const std::string& path) {
    static std::mutex mutex;
    static EngineApi api;
    static bool loaded = false;
    const std::lock_guard lock(mutex);
    if (loaded) return &api;
    if (path.empty() || path.front() != '/') {
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("the engine library's path must be absolute: {}", path));
    }
    if (access(path.c_str(), R_OK) != 0) {
        return fail(ErrorCode::NotFound,
                    fmt::format("the engine library is not at {}: run `./dev setup`", path));
    }
    // Loading blocks SIGPIPE in the calling thread, and threads made later would inherit that.
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    pthread_sigmask(SIG_SETMASK, &mask, nullptr);
    if (library == nullptr) {
        return fail(ErrorCode::Unavailable,
                    fmt::format("the engine library does not load: {}", dlerror()));
    }
    if (const char* missing = missing_symbol(library, api); missing != nullptr) {
        return fail(ErrorCode::Unavailable,
                    fmt::format("the engine library at {} has no {}: run `./dev setup` for version "
                                "{}",
                                path, missing, kEngineVersion));
    }
    api.set_signal_handlers_enabled(0);
    loaded = true;
    return &api;
}

Result<void> prepare_process() {
    const int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null_fd < 0) return fail(ErrorCode::Internal, "/dev/null does not open");
    const bool moved = dup2(null_fd, STDIN_FILENO) == STDIN_FILENO;
    if (null_fd != STDIN_FILENO) close(null_fd);
    if (!moved) return fail(ErrorCode::Internal, "stdin cannot be replaced by /dev/null");
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, nullptr);
    return {};
}

}  // namespace playhead::store::chdb
