#include "journal/segment_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/hash.h"
#include "journal/file_system.h"

namespace playhead::journal {

Result<SegmentReader> SegmentReader::open(const std::string& path, std::uint64_t bytes_limit) {
    SegmentReader reader;
    reader.path_ = path;
    reader.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (reader.descriptor_ < 0) return fail(system_error("open", path, errno));
    struct stat status{};
    if (::fstat(reader.descriptor_, &status) != 0) return fail(system_error("stat", path, errno));
    reader.bytes_ = std::min(static_cast<std::uint64_t>(status.st_size), bytes_limit);
    if (reader.bytes_ < kSegmentHeaderBytes) {
        return fail(ErrorCode::Internal,
                    fmt::format("{}: the file is shorter than a segment header", path));
    }
    const auto bytes = reader.view(0, kSegmentHeaderBytes);
    if (!bytes) return fail(bytes.error());
    auto header = decode_segment_header(*bytes);
    if (!header) {
        header.error().message = fmt::format("{}: {}", path, header.error().message);
        return fail(header.error());
    }
    reader.header_ = *header;
    return reader;
}

SegmentReader::SegmentReader(SegmentReader&& other) noexcept {
    *this = std::move(other);
}

SegmentReader& SegmentReader::operator=(SegmentReader&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(descriptor_, other.descriptor_);
    header_ = other.header_;
    bytes_ = other.bytes_;
    offset_ = other.offset_;
    std::swap(window_, other.window_);
    std::swap(window_offset_, other.window_offset_);
    return *this;
}

SegmentReader::~SegmentReader() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

/// Returns `size` bytes at `offset`, which lie within `bytes_`; invalidates earlier views.
Result<std::string_view> SegmentReader::view(std::uint64_t offset, std::size_t size) {
    const bool held = offset >= window_offset_ && offset + size <= window_offset_ + window_.size();
    if (!held) {
        const auto wanted = static_cast<std::size_t>(
            std::min<std::uint64_t>(std::max(size, kWindowBytes), bytes_ - offset));
        window_.resize(wanted);
        window_offset_ = offset;
        std::size_t filled = 0;
        while (filled < wanted) {
            const ssize_t got = ::pread(descriptor_, window_.data() + filled, wanted - filled,
                                        static_cast<off_t>(offset + filled));
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) {
                window_.clear();
                return fail(system_error("read", path_, got < 0 ? errno : EIO));
            }
            filled += static_cast<std::size_t>(got);
        }
    }
    return std::string_view(window_).substr(static_cast<std::size_t>(offset - window_offset_),
                                            size);
}

Result<bool> SegmentReader::zeros_to_the_end(std::uint64_t offset) {
    while (offset < bytes_) {
        const auto size =
            static_cast<std::size_t>(std::min<std::uint64_t>(bytes_ - offset, kWindowBytes));
        const auto bytes = view(offset, size);
        if (!bytes) return fail(bytes.error());
        if (bytes->find_first_not_of('\0') != std::string_view::npos) return false;
        offset += size;
    }
    return true;
}

Result<ReadOutcome> SegmentReader::next(RecordHeader& record, std::string_view& payload) {
    if (offset_ >= bytes_) return ReadOutcome::End;
    if (bytes_ - offset_ < kRecordHeaderBytes) return ReadOutcome::Torn;
    const auto header_bytes = view(offset_, kRecordHeaderBytes);
    if (!header_bytes) return fail(header_bytes.error());
    if (!decode_record_header(*header_bytes, record) || record.payload_bytes > kPayloadBytesMax) {
        const auto zeros = zeros_to_the_end(offset_);
        if (!zeros) return fail(zeros.error());
        return *zeros ? ReadOutcome::Torn : ReadOutcome::BadHeader;
    }
    const std::uint64_t begin = offset_ + kRecordHeaderBytes;
    if (bytes_ - begin < record.payload_bytes) return ReadOutcome::Torn;
    const auto whole = view(offset_, kRecordHeaderBytes + record.payload_bytes);
    if (!whole) return fail(whole.error());
    payload = whole->substr(kRecordHeaderBytes);
    const bool intact = crc32c(payload.data(), payload.size()) == record.payload_crc;
    const bool last = begin + record.payload_bytes == bytes_;
    // A wrong checksum at the very end is what a power cut leaves of the last write.
    if (!intact && last) return ReadOutcome::Torn;
    offset_ = begin + record.payload_bytes;
    return intact ? ReadOutcome::Record : ReadOutcome::BadRecord;
}

}  // namespace playhead::journal
