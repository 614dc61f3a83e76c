#include "journal/directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "journal/file_system.h"
#include "journal/replay.h"
#include "journal/segment_reader.h"

namespace playhead::journal {
namespace {

constexpr mode_t kLockMode = 0640;

struct SegmentEnd {
    std::uint64_t bytes = 0;
    std::uint64_t torn_bytes = 0;
};

Result<SegmentEnd> find_end(SegmentReader& reader) {
    RecordHeader header;
    std::string_view payload;
    for (;;) {
        const auto outcome = reader.next(header, payload);
        if (!outcome) return fail(outcome.error());
        if (*outcome == ReadOutcome::End || *outcome == ReadOutcome::BadHeader) {
            return SegmentEnd{reader.bytes(), 0};
        }
        if (*outcome == ReadOutcome::Torn) {
            return SegmentEnd{reader.offset(), reader.bytes() - reader.offset()};
        }
    }
}

}  // namespace

Result<DirectoryLock> DirectoryLock::acquire(const std::string& dir) {
    std::error_code failed;
    std::filesystem::create_directories(dir, failed);
    if (failed) return fail(system_error("create the journal directory", dir, failed.value()));
    const std::string path = dir + "/lock";
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kLockMode);
    if (descriptor < 0) return fail(system_error("write to the journal directory", dir, errno));
    DirectoryLock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return fail(system_error("lock", path, errno));
        return fail(ErrorCode::Conflict,
                    fmt::format("the journal directory {} is in use by another process", dir));
    }
    return lock;
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

DirectoryLock::~DirectoryLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<Continuation> recover(const std::string& dir) {
    auto segments = list_segments(dir);
    if (!segments) return fail(segments.error());
    Continuation continuation;
    bool unbegun = false;
    while (!segments->empty()) {
        const auto [segment, file_bytes] = segments->back();
        segments->pop_back();
        // Behind a segment that was never quite begun, only its direct predecessor matters.
        if (unbegun && segment + 1 != continuation.segment) break;
        if (!unbegun) continuation.segment = segment + 1;
        continuation.previous_bytes = file_bytes;
        const std::string path = dir + "/" + segment_file_name(segment);
        auto reader = SegmentReader::open(path, std::numeric_limits<std::uint64_t>::max());
        if (!reader) {
            if (reader.error().code != ErrorCode::Internal) return fail(reader.error());
            if (unbegun || file_bytes > kSegmentHeaderBytes) break;
            continuation = {segment, 0, file_bytes};
            unbegun = true;
            continue;
        }
        const auto end = find_end(*reader);
        if (!end) return fail(end.error());
        if (end->torn_bytes > 0 && ::truncate(path.c_str(), static_cast<off_t>(end->bytes)) != 0) {
            return fail(system_error("cut off the unfinished end of", path, errno));
        }
        continuation.torn_bytes += end->torn_bytes;
        continuation.previous_bytes = end->bytes;
        if (end->bytes == kSegmentHeaderBytes && !unbegun) {
            // No records: write it anew rather than leave an empty file at each restart.
            continuation.segment = segment;
            continuation.previous_bytes = reader->header().previous_bytes;
        }
        break;
    }
    return continuation;
}

}  // namespace playhead::journal
