/// Reading a journal back: in order, checked, with a clear account of what could not be read.
/// Needs no lock; a journal that is being written may be read up to a known position.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "journal/format.h"

namespace playhead::journal {

/// One record as replay shows it. The payload is valid during the callback only.
struct Record {
    Position position;  ///< where it begins
    Position next;      ///< where to go on reading after it
    std::uint8_t type = 0;
    std::string_view payload;
};

struct ReplayOptions {
    /// Go on after damage: with the next record when the damaged one's length can be trusted, else
    /// with the next segment. Without it replay ends at the damage with an error.
    bool skip_corrupt = false;
    /// Stop before this position; default: read to the end.
    std::optional<Position> until;
};

struct ReplayReport {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    /// Where the next record would begin.
    Position end;
    /// Bytes of an unfinished write at the journal's end that were left out. None of them were
    /// acknowledged (durability Fsync).
    std::uint64_t torn_bytes = 0;
    std::uint64_t corrupt_bytes = 0;
    /// `from` names a segment that retention has dropped: reading began at the oldest one.
    bool began_late = false;
    /// One sentence per loss, at most kLossesMax of them; for the log.
    std::vector<std::string> losses;
    static constexpr std::size_t kLossesMax = 100;
};

/// Return false to stop.
using ReplayCallback = std::function<bool(const Record&)>;

struct SegmentInfo {
    std::uint64_t segment = 0;
    std::uint64_t bytes = 0;
};

/// The segments in a directory, ascending. Fails when the directory cannot be listed.
Result<std::vector<SegmentInfo>> list_segments(const std::string& dir);

/// Calls `callback` for every record from `from` (default: the oldest) on. A torn tail of the last
/// segment is cut off and reported; other damage is an Internal error that names file and offset.
Result<ReplayReport> replay(const std::string& dir, Position from, const ReplayOptions& options,
                            const ReplayCallback& callback);

}  // namespace playhead::journal
