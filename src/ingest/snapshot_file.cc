#include "ingest/snapshot_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/hash.h"

namespace playhead::ingest {

namespace {

constexpr std::string_view kMagic = "PHSNAP01";
constexpr std::string_view kSuffix = ".snapshot";
constexpr std::size_t kHeaderBytes = 8 + 8 + 8 + 8 + 4;

template <class T>
void put(std::string& out, T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out.append(bytes, sizeof(T));
}

template <class T>
T get(std::string_view bytes, std::size_t at) {
    T value{};
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    return value;
}

std::string system_error(std::string_view what, const std::string& path) {
    return fmt::format("snapshot: cannot {} {}: {}", what, path, std::strerror(errno));
}

bool write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(file, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

/// Part by part: a large snapshot is not copied into one buffer.
Result<void> write_synced(const std::string& path, const Snapshot& snapshot) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (file < 0) return fail(ErrorCode::Unavailable, system_error("create", path));
    std::uint32_t checksum = 0;
    const auto write_part = [&](std::string_view bytes) {
        checksum = crc32c(bytes.data(), bytes.size(), checksum);
        return write_all(file, bytes);
    };
    std::string head(kMagic);
    put(head, snapshot.cut);
    put(head, snapshot.next.segment);
    put(head, snapshot.next.offset);
    put(head, static_cast<std::uint32_t>(snapshot.partitions.size()));
    bool good = write_part(head);
    for (const std::string& partition : snapshot.partitions) {
        std::string length;
        put(length, static_cast<std::uint64_t>(partition.size()));
        good = good && write_part(length) && write_part(partition);
    }
    std::string tail;
    put(tail, checksum);
    good = good && write_all(file, tail) && ::fsync(file) == 0;
    const std::string message = good ? "" : system_error("write", path);
    ::close(file);
    if (!good) {
        ::unlink(path.c_str());
        return fail(ErrorCode::Unavailable, message);
    }
    return {};
}

/// Where replay goes on after the snapshot, by its header alone; nothing for a foreign file.
std::optional<journal::Position> next_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string head(kHeaderBytes, '\0');
    if (!file.read(head.data(), static_cast<std::streamsize>(head.size()))) return {};
    if (!head.starts_with(kMagic)) return {};
    return journal::Position{get<std::uint64_t>(head, 16), get<std::uint64_t>(head, 24)};
}

void sync_directory(const std::string& dir) {
    const int handle = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0) return;
    ::fsync(handle);
    ::close(handle);
}

}  // namespace

std::vector<std::string> list_snapshots(const std::string& dir) {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(dir, ignored)) {
        const std::string name = entry.path().filename().string();
        if (name.size() == 16 + kSuffix.size() && name.ends_with(kSuffix)) {
            names.push_back(entry.path().string());
        }
    }
    // Fixed-width hex names: text order is cut order.
    std::sort(names.rbegin(), names.rend());
    return names;
}

Result<journal::Position> write_snapshot(const std::string& dir, const Snapshot& snapshot) {
    const std::string path = fmt::format("{}/{:016x}{}", dir, snapshot.cut, kSuffix);
    const std::string temporary = path + ".tmp";
    if (auto written = write_synced(temporary, snapshot); !written) return fail(written.error());
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        return fail(ErrorCode::Unavailable, system_error("rename", temporary));
    }
    sync_directory(dir);

    journal::Position needed = snapshot.next;
    const auto names = list_snapshots(dir);
    for (std::size_t index = 0; index < names.size(); ++index) {
        if (index >= kSnapshotsKept) {
            std::error_code ignored;
            std::filesystem::remove(names[index], ignored);
        } else if (const auto next = next_of(names[index])) {
            needed = std::min(needed, *next);
        }
    }
    return needed;
}

Result<Snapshot> read_snapshot(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(ErrorCode::Internal, system_error("read", path));
    std::ostringstream buffer;
    buffer << file.rdbuf();
    const std::string bytes = std::move(buffer).str();
    const auto damaged = [&path] {
        return fail(ErrorCode::Internal, fmt::format("snapshot: {} is damaged", path));
    };
    if (bytes.size() < kHeaderBytes + 4 || !bytes.starts_with(kMagic)) return damaged();
    const std::size_t end = bytes.size() - 4;
    if (crc32c(bytes.data(), end) != get<std::uint32_t>(bytes, end)) return damaged();
    Snapshot snapshot;
    snapshot.cut = get<std::uint64_t>(bytes, 8);
    snapshot.next = {get<std::uint64_t>(bytes, 16), get<std::uint64_t>(bytes, 24)};
    const auto partitions = get<std::uint32_t>(bytes, 32);
    std::size_t at = kHeaderBytes;
    for (std::uint32_t index = 0; index < partitions; ++index) {
        if (end - at < 8) return damaged();
        const auto size = get<std::uint64_t>(bytes, at);
        at += 8;
        if (end - at < size) return damaged();
        snapshot.partitions.emplace_back(bytes, at, size);
        at += size;
    }
    return snapshot;
}

}  // namespace playhead::ingest
