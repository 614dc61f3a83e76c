#include "importers/ledger.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

namespace playhead::importers {

namespace {

constexpr std::int64_t kDayMs = 86'400'000;

tl::unexpected<Error> trouble(const std::string& path) {
    return fail(ErrorCode::Unavailable,
                fmt::format("the list of imported lines {}: {}", path, std::strerror(errno)));
}

}  // namespace

Ledger::Ledger(std::string directory, std::uint64_t customer_id)
    : folder_(fmt::format("{}/{}", directory, customer_id)) {}

std::string Ledger::path_of(std::int64_t day) const {
    return fmt::format("{}/{}.seen", folder_, day);
}

Result<void> Ledger::open_day(std::int64_t day) {
    seen_.clear();
    day_ = day;
    const std::string path = path_of(day);
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    if (!error) {
        // A write that was cut short leaves a part of an id, which is none.
        std::vector<std::uint64_t> ids(bytes / sizeof(std::uint64_t));
        std::ifstream file(path, std::ios::binary);
        file.read(reinterpret_cast<char*>(ids.data()),
                  static_cast<std::streamsize>(ids.size() * sizeof(std::uint64_t)));
        if (!file) return trouble(path);
        seen_.insert(ids.begin(), ids.end());
    }
    for (const auto& [fresh_day, id] : fresh_) {
        if (fresh_day == day) seen_.insert(id);
    }
    return {};
}

Result<bool> Ledger::note(std::int64_t time_ms, std::uint64_t line_id) {
    const std::int64_t day = time_ms / kDayMs;
    if (day != day_) {
        if (auto opened = open_day(day); !opened) return fail(opened.error());
    }
    if (seen_.size() >= kLinesOfDayMax) {
        return fail(ErrorCode::PayloadTooLarge,
                    fmt::format("more than {} lines of one day", kLinesOfDayMax));
    }
    if (!seen_.insert(line_id).second) return false;
    fresh_.emplace_back(day, line_id);
    return true;
}

Result<void> Ledger::commit(std::size_t keep) {
    const std::size_t count = fresh_.size() - std::min(keep, fresh_.size());
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    for (std::size_t at = 0; at < count;) {
        const std::int64_t day = fresh_[at].first;
        std::string bytes;
        for (; at < count && fresh_[at].first == day; ++at) {
            bytes.append(reinterpret_cast<const char*>(&fresh_[at].second),
                         sizeof fresh_[at].second);
        }
        const std::string path = path_of(day);
        const int fd = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
        if (fd < 0) return trouble(path);
        // Behind the last whole id.
        const off_t end = ::lseek(fd, 0, SEEK_END);
        const off_t whole = end - end % static_cast<off_t>(sizeof(std::uint64_t));
        const bool good = end >= 0 && ::pwrite(fd, bytes.data(), bytes.size(), whole) ==
                                          static_cast<ssize_t>(bytes.size());
        const int synced = good ? ::fsync(fd) : -1;
        ::close(fd);
        if (synced != 0) return trouble(path);
    }
    fresh_.erase(fresh_.begin(), fresh_.begin() + static_cast<std::ptrdiff_t>(count));
    return {};
}

}  // namespace playhead::importers
