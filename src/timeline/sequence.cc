#include "timeline/sequence.h"

#include <algorithm>

namespace playhead::timeline {

bool SequenceSet::insert(std::int64_t number) {
    // Streams are almost always in order: look at the end first.
    if (!intervals.empty() && intervals.back().second + 1 == number) {
        intervals.back().second = number;
        return true;
    }
    auto after = std::upper_bound(
        intervals.begin(), intervals.end(), number,
        [](std::int64_t value, const auto& interval) { return value < interval.first; });
    if (after != intervals.begin() && std::prev(after)->second >= number) return false;
    const bool joins_before = after != intervals.begin() && std::prev(after)->second + 1 == number;
    const bool joins_after = after != intervals.end() && after->first == number + 1;
    if (joins_before && joins_after) {
        std::prev(after)->second = after->second;
        intervals.erase(after);
    } else if (joins_before) {
        std::prev(after)->second = number;
    } else if (joins_after) {
        after->first = number;
    } else {
        intervals.insert(after, {number, number});
    }
    if (intervals.size() > kIntervalsMax) {
        std::size_t smallest = 0;
        for (std::size_t index = 0; index + 1 < intervals.size(); ++index) {
            const auto hole = [this](std::size_t at) {
                return intervals[at + 1].first - intervals[at].second;
            };
            if (hole(index) < hole(smallest)) smallest = index;
        }
        intervals[smallest].second = intervals[smallest + 1].second;
        intervals.erase(intervals.begin() + static_cast<std::ptrdiff_t>(smallest) + 1);
    }
    return true;
}

std::int64_t SequenceSet::missing() const noexcept {
    std::int64_t sum = 0;
    for (std::size_t index = 0; index + 1 < intervals.size(); ++index) {
        sum += intervals[index + 1].first - intervals[index].second - 1;
    }
    return sum;
}

}  // namespace playhead::timeline
