/// Where the shared captures are: the environment's PLAYHEAD_SHARED_DATA, else beside the repo.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace playhead::wire {

inline std::filesystem::path shared_data() {
    const char* given = std::getenv("PLAYHEAD_SHARED_DATA");
    return given != nullptr ? given : PLAYHEAD_SHARED_DATA;
}

inline std::vector<std::string> lines_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

}  // namespace playhead::wire
