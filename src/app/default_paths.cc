#include "app/default_paths.h"

#include <cstdlib>
#include <filesystem>

namespace playhead::app {

namespace {

/// `name` below the cache's data folder; empty when it is not there.
std::string cached(const char* name) {
    const char* cache = std::getenv("PLAYHEAD_CACHE");
    const char* xdg = std::getenv("XDG_CACHE_HOME");
    const char* home = std::getenv("HOME");
    const std::string base = cache != nullptr  ? cache
                             : xdg != nullptr  ? std::string(xdg) + "/playhead"
                             : home != nullptr ? std::string(home) + "/.cache/playhead"
                                               : "";
    const std::string path = base + "/data/" + name;
    std::error_code ignored;
    return std::filesystem::exists(path, ignored) ? path : "";
}

}  // namespace

std::string default_user_agent_rules() {
    return cached("uap-core-0.18.0/regexes.yaml");
}

std::string default_docs_assets() {
    return cached("swagger-ui-5.35.0");
}

}  // namespace playhead::app
