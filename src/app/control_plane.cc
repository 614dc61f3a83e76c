#include "app/control_plane.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace playhead::app {

namespace {

/// Layout of the data directory as a whole; modules version their own files beyond that.
constexpr int kLayoutVersion = 1;

}  // namespace

Result<std::string> prepare_data_dir(const std::string& path) {
    std::error_code error;
    std::string absolute = std::filesystem::absolute(path, error).lexically_normal().string();
    std::filesystem::create_directories(absolute, error);
    if (error || !std::filesystem::is_directory(absolute)) {
        return fail(ErrorCode::Unavailable,
                    fmt::format("cannot make the data directory {}: {}", absolute,
                                error ? error.message() : "a file is in the way"));
    }
    if (::access(absolute.c_str(), R_OK | W_OK | X_OK) != 0) {
        return fail(ErrorCode::Unavailable,
                    fmt::format("the data directory {} cannot be written by this user", absolute));
    }
    const std::string marker = absolute + "/LAYOUT";
    if (std::ifstream file(marker); file) {
        int version = 0;
        if (!(file >> version) || version < 1) {
            return fail(ErrorCode::Unprocessable,
                        fmt::format("{} is damaged: no layout version in it", marker));
        }
        if (version > kLayoutVersion) {
            return fail(ErrorCode::Unprocessable,
                        fmt::format("the data directory {} was written by a newer playhead "
                                    "(layout {}, this one knows {}); use that version",
                                    absolute, version, kLayoutVersion));
        }
        return absolute;
    }
    std::ofstream file(marker);
    file << kLayoutVersion << '\n';
    if (!file.flush()) {
        return fail(ErrorCode::Unavailable,
                    fmt::format("the data directory {} cannot be written", absolute));
    }
    return absolute;
}

Result<std::unique_ptr<directory::Directory>> open_directory(const std::string& data_dir,
                                                             const Clock& clock) {
    return directory::Directory::open(data_dir + "/directory.sqlite", clock);
}

int complain(const Error& error) {
    std::fprintf(stderr, "playhead: %s", error.message.c_str());
    if (!error.expected.empty()) std::fprintf(stderr, " (expected: %s)", error.expected.c_str());
    std::fputc('\n', stderr);
    return 1;
}

}  // namespace playhead::app
