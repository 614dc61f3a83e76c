#include "app/default_paths.h"

#include <cstdlib>
#include <filesystem>

namespace playhead::app {

std::string default_user_agent_rules() {
    const char* cache = std::getenv("PLAYHEAD_CACHE");
    const char* xdg = std::getenv("XDG_CACHE_HOME");
    const char* home = std::getenv("HOME");
    const std::string base = cache != nullptr  ? cache
                             : xdg != nullptr  ? std::string(xdg) + "/playhead"
                             : home != nullptr ? std::string(home) + "/.cache/playhead"
                                               : "";
    const std::string path = base + "/data/uap-core-0.18.0/regexes.yaml";
    std::error_code ignored;
    return std::filesystem::exists(path, ignored) ? path : "";
}

}  // namespace playhead::app
