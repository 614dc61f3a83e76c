/// Writes groups of records to segment files: rolls to a new file, and after a failure goes back to
/// the last durable byte before anything else is written.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/metrics.h"
#include "journal/file_system.h"
#include "journal/format.h"

namespace playhead::journal {

struct SegmentWriterOptions {
    std::string dir;
    bool sync = true;
    std::uint64_t segment_bytes_max = 0;
};

/// Used by one thread. References must outlive it.
class SegmentWriter {
public:
    SegmentWriter(SegmentWriterOptions options, FileSystem& files, const Clock& clock,
                  Histogram& sync_seconds)
        : options_(std::move(options)), files_(files), clock_(clock), sync_seconds_(sync_seconds) {}

    /// Creates the first segment to be written; `previous_bytes` as in SegmentHeader.
    Result<void> begin(std::uint64_t segment, std::uint64_t previous_bytes);

    /// Writes one group, whole, into one segment; on success it is as durable as was asked for.
    /// Returns where it begins. On failure nothing of it counts, and the next call tries afresh.
    Result<Position> write(std::string_view group);

    /// Where the next group would begin in this segment.
    Position end() const noexcept { return {segment_, durable_bytes_}; }

private:
    Result<void> repair();
    Result<void> sync();

    SegmentWriterOptions options_;
    FileSystem& files_;
    const Clock& clock_;
    Histogram& sync_seconds_;
    std::unique_ptr<SegmentFile> file_;
    std::uint64_t segment_ = 0;
    std::uint64_t durable_bytes_ = 0;
    /// The file may hold bytes behind `durable_bytes_` that do not count.
    bool dirty_ = false;
    /// A sync failed: the kernel may have dropped pages of this file, so write no more to it.
    bool abandoned_ = false;
};

}  // namespace playhead::journal
