#include "journal/segment_writer.h"

namespace playhead::journal {

Result<void> SegmentWriter::begin(std::uint64_t segment, std::uint64_t previous_bytes) {
    const std::string path = options_.dir + "/" + segment_file_name(segment);
    auto file = files_.create(path);
    if (!file) return fail(file.error());
    const auto header = encode_segment_header({segment, clock_.now_ms(), previous_bytes});
    auto written = (*file)->write_at(0, {header.data(), header.size()});
    if (written && options_.sync) written = (*file)->sync();
    if (written && options_.sync) written = files_.sync_directory(options_.dir);
    if (!written) {
        file->reset();
        // When the removal fails too, the next attempt empties the file, and a crash before that
        // leaves a last segment without records.
        static_cast<void>(files_.remove(path));
        return written;
    }
    file_ = std::move(*file);
    segment_ = segment;
    durable_bytes_ = kSegmentHeaderBytes;
    dirty_ = false;
    abandoned_ = false;
    return {};
}

Result<Position> SegmentWriter::write(std::string_view group) {
    const auto repaired = repair();
    if (!repaired) return fail(repaired.error());
    const bool has_records = durable_bytes_ > kSegmentHeaderBytes;
    const bool full = durable_bytes_ + group.size() > options_.segment_bytes_max;
    if (abandoned_ || (has_records && full)) {
        const auto begun = begin(segment_ + 1, durable_bytes_);
        if (!begun) return fail(begun.error());
    }
    const Position position = end();
    dirty_ = true;
    auto written = file_->write_at(durable_bytes_, group);
    if (written && options_.sync) {
        written = sync();
        abandoned_ = !written;
    }
    if (!written) {
        // At once, not only before the next write: a crash should find as little as possible that
        // was never acknowledged.
        static_cast<void>(repair());
        return fail(written.error());
    }
    dirty_ = false;
    durable_bytes_ += group.size();
    return position;
}

Result<void> SegmentWriter::repair() {
    if (!dirty_) return {};
    auto done = file_->truncate(durable_bytes_);
    if (done && options_.sync) done = file_->sync();
    if (done) dirty_ = false;
    return done;
}

Result<void> SegmentWriter::sync() {
    const std::int64_t begin_ns = clock_.monotonic_ns();
    auto done = file_->sync();
    sync_seconds_.observe(static_cast<double>(clock_.monotonic_ns() - begin_ns) * 1e-9);
    return done;
}

}  // namespace playhead::journal
