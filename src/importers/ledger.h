/// Which lines were imported already, for ever: a file per customer and day of the lines' times
/// with their 64-bit ids (two different lines of a day of ten million have the same one with a
/// chance of 3 in a million). One day is held at a time, since reports come in the order of time.
/// The timeline knows the records of sessions of the last two hours; this knows the rest.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/result.h"

namespace playhead::importers {

class Ledger {
public:
    /// Lines of a day beyond this are refused: 16 bytes each while the day is open.
    static constexpr std::size_t kLinesOfDayMax = 200'000'000;

    /// Files are `<directory>/<customer>/<days since 1970>.seen`.
    Ledger(std::string directory, std::uint64_t customer_id);

    /// True when the line is new; it is kept in mind. Unavailable when a file cannot be read.
    Result<bool> note(std::int64_t time_ms, std::uint64_t line_id);
    /// Writes what was noted, but for the `keep` newest. To be called when the lines are durable
    /// elsewhere: what is lost before is imported again, which the timeline tells as repeats.
    Result<void> commit(std::size_t keep = 0);

private:
    Result<void> open_day(std::int64_t day);
    std::string path_of(std::int64_t day) const;

    std::string folder_;
    std::int64_t day_ = -1;
    std::unordered_set<std::uint64_t> seen_;
    /// Noted and not yet written, of this and of earlier days.
    std::vector<std::pair<std::int64_t, std::uint64_t>> fresh_;
};

}  // namespace playhead::importers
