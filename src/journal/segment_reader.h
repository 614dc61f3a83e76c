/// Reads the records of one segment file.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "journal/format.h"

namespace playhead::journal {

enum class ReadOutcome {
    Record,     ///< a record that is whole
    End,        ///< the segment ends here, cleanly
    Torn,       ///< an unfinished write: the file ends within the record, or is zeros to the end
    BadRecord,  ///< the payload's checksum is wrong; the next record can be read
    BadHeader,  ///< the record's header is damaged: nothing behind it can be found
};

/// Used by one thread. Buffers `kWindowBytes`, or one record when that is longer.
class SegmentReader {
public:
    /// Opens the file and reads its header. `bytes_limit` is how much of the file counts at most.
    static Result<SegmentReader> open(const std::string& path, std::uint64_t bytes_limit);
    SegmentReader(SegmentReader&&) noexcept;
    SegmentReader& operator=(SegmentReader&&) noexcept;
    ~SegmentReader();

    const SegmentHeader& header() const noexcept { return header_; }
    /// Bytes that count: of the file, or of the limit when that is less.
    std::uint64_t bytes() const noexcept { return bytes_; }
    std::uint64_t offset() const noexcept { return offset_; }
    void seek(std::uint64_t offset) noexcept { offset_ = offset; }

    /// Reads the record at `offset()` and moves behind it on Record and BadRecord. The payload is
    /// valid until the next call. Fails when the file cannot be read.
    Result<ReadOutcome> next(RecordHeader& record, std::string_view& payload);

private:
    SegmentReader() = default;
    Result<std::string_view> view(std::uint64_t offset, std::size_t size);
    Result<bool> zeros_to_the_end(std::uint64_t offset);

    static constexpr std::size_t kWindowBytes = 1U << 20U;
    std::string path_;
    int descriptor_ = -1;
    SegmentHeader header_;
    std::uint64_t bytes_ = 0;
    std::uint64_t offset_ = kSegmentHeaderBytes;
    std::string window_;
    std::uint64_t window_offset_ = 0;
};

}  // namespace playhead::journal
