#include "journal/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>

#include "journal/segment_reader.h"

namespace playhead::journal {
namespace {

std::string path_of(const std::string& dir, std::uint64_t segment) {
    return (std::filesystem::path(dir) / segment_file_name(segment)).string();
}

/// One run of `replay`: keeps the account while it walks the segments.
class Replayer {
public:
    Replayer(const std::string& dir, std::vector<SegmentInfo> segments,
             const ReplayOptions& options, const ReplayCallback& callback)
        : dir_(dir), segments_(std::move(segments)), options_(options), callback_(callback) {}

    Result<ReplayReport> run(Position from) {
        report_.end = from;
        auto first = std::find_if(segments_.begin(), segments_.end(),
                                  [&](const SegmentInfo& s) { return s.segment >= from.segment; });
        if (first == segments_.end()) return std::move(report_);
        report_.began_late = first->segment > from.segment && from.segment != 0;
        for (auto it = first; it != segments_.end() && !stopped_; ++it) {
            if (options_.until && it->segment > options_.until->segment) break;
            const auto index = static_cast<std::size_t>(it - segments_.begin());
            if (it != first && it->segment != (it - 1)->segment + 1) {
                const auto lost =
                    damage((it - 1)->segment + 1, 0, 0, "the segment file is missing");
                if (!lost) return fail(lost.error());
            }
            const std::uint64_t offset = it->segment == from.segment ? from.offset : 0;
            const auto walked = walk(index, std::max<std::uint64_t>(offset, kSegmentHeaderBytes));
            if (!walked) return fail(walked.error());
        }
        return std::move(report_);
    }

private:
    /// How much of a segment counts: what its successor recorded, or all of the last one.
    std::uint64_t limit_of(std::size_t index) {
        const std::uint64_t segment = segments_[index].segment;
        std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
        if (index + 1 < segments_.size() && segments_[index + 1].segment == segment + 1) {
            const auto next = SegmentReader::open(path_of(dir_, segment + 1), limit);
            if (next) limit = next->header().previous_bytes;
        }
        if (options_.until && options_.until->segment == segment) {
            limit = std::min(limit, options_.until->offset);
        }
        return limit;
    }

    Result<void> walk(std::size_t index, std::uint64_t offset) {
        const auto [segment, file_bytes] = segments_[index];
        const bool last = index + 1 == segments_.size();
        const std::uint64_t limit = limit_of(index);
        auto reader = SegmentReader::open(path_of(dir_, segment), limit);
        if (!reader) {
            // A crash while a segment was being created leaves a short file or none of its bytes.
            if (last && file_bytes <= kSegmentHeaderBytes) {
                report_.torn_bytes += file_bytes;
                return {};
            }
            return damage(segment, 0, file_bytes, reader.error().message);
        }
        if (reader->header().segment != segment) {
            return damage(segment, 0, file_bytes, "the header names another segment");
        }
        reader->seek(offset);
        auto read = read_records(*reader, last);
        if (!read) return read;
        const bool bounded = limit != std::numeric_limits<std::uint64_t>::max();
        if (bounded && !stopped_ && reader->bytes() < limit) {
            return damage(segment, reader->bytes(), limit - reader->bytes(),
                          "the file is shorter than the journal recorded");
        }
        return {};
    }

    Result<void> read_records(SegmentReader& reader, bool last) {
        const std::uint64_t segment = reader.header().segment;
        RecordHeader header;
        std::string_view payload;
        while (!stopped_) {
            const Position position{segment, reader.offset()};
            const auto outcome = reader.next(header, payload);
            if (!outcome) return fail(outcome.error());
            const Position next{segment, reader.offset()};
            const std::uint64_t rest = reader.bytes() - position.offset;
            switch (*outcome) {
                case ReadOutcome::Record: show(position, next, header.type, payload); break;
                case ReadOutcome::End: report_.end = position; return {};
                case ReadOutcome::Torn:
                    report_.end = position;
                    if (!last) return damage(segment, position.offset, rest, "a record is cut off");
                    report_.torn_bytes += rest;
                    return {};
                case ReadOutcome::BadRecord: {
                    const auto lost =
                        damage(segment, position.offset, next.offset - position.offset,
                               "a record's checksum is wrong");
                    if (!lost) return lost;
                    break;
                }
                case ReadOutcome::BadHeader:
                    return damage(segment, position.offset, rest, "a record's header is damaged");
            }
        }
        return {};
    }

    void show(Position position, Position next, std::uint8_t type, std::string_view payload) {
        report_.end = next;
        if (type == kInternalType) return;
        ++report_.records;
        report_.bytes += payload.size();
        stopped_ = !callback_(Record{position, next, type, payload});
    }

    /// Notes a loss, or makes it the error that ends the replay.
    Result<void> damage(std::uint64_t segment, std::uint64_t offset, std::uint64_t bytes,
                        std::string_view what) {
        auto sentence = fmt::format("{} at byte {}: {}; {} bytes lost", path_of(dir_, segment),
                                    offset, what, bytes);
        if (!options_.skip_corrupt) {
            return fail(ErrorCode::Internal, "the journal is damaged: " + std::move(sentence) +
                                                 " (replay can be told to skip damaged parts)");
        }
        report_.corrupt_bytes += bytes;
        if (report_.losses.size() < ReplayReport::kLossesMax) {
            report_.losses.push_back(std::move(sentence));
        }
        return {};
    }

    const std::string& dir_;
    std::vector<SegmentInfo> segments_;
    const ReplayOptions& options_;
    const ReplayCallback& callback_;
    ReplayReport report_;
    bool stopped_ = false;
};

}  // namespace

Result<std::vector<SegmentInfo>> list_segments(const std::string& dir) {
    std::error_code failed;
    std::vector<SegmentInfo> segments;
    std::filesystem::directory_iterator it(dir, failed);
    for (; !failed && it != std::filesystem::directory_iterator(); it.increment(failed)) {
        const std::uint64_t segment = segment_of_file_name(it->path().filename().string());
        if (segment == 0) continue;
        std::error_code gone;
        const auto bytes = it->file_size(gone);
        if (!gone) segments.push_back({segment, bytes});
    }
    if (failed) {
        return fail(ErrorCode::Unavailable,
                    fmt::format("cannot list the journal directory {}: {}", dir, failed.message()));
    }
    std::sort(segments.begin(), segments.end(),
              [](const SegmentInfo& a, const SegmentInfo& b) { return a.segment < b.segment; });
    return segments;
}

Result<ReplayReport> replay(const std::string& dir, Position from, const ReplayOptions& options,
                            const ReplayCallback& callback) {
    auto segments = list_segments(dir);
    if (!segments) return fail(segments.error());
    return Replayer(dir, std::move(*segments), options, callback).run(from);
}

}  // namespace playhead::journal
