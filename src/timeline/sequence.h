/// Which sequence numbers of one report stream were seen, as intervals: dedupe and gaps in one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace playhead::timeline {

class SequenceSet {
public:
    static constexpr std::size_t kIntervalsMax = 128;

    /// Adds `number`; false when it was there already. Past `kIntervalsMax` holes the smallest hole
    /// is closed: its numbers then count as seen.
    bool insert(std::int64_t number);
    /// Numbers missing between the smallest and the largest seen, holes closed by the limit
    /// excluded.
    std::int64_t missing() const noexcept;

    std::vector<std::pair<std::int64_t, std::int64_t>> intervals;  ///< closed, ascending
};

}  // namespace playhead::timeline
