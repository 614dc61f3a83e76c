/// The counters of a session by minute, dense while computing, packed while kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "timeline/session.h"

namespace playhead::timeline {

struct Minute {
    model::AdditiveCounters counters;
    std::int64_t active_ms = 0;
    std::int64_t present = 0;
    bool is_zero() const noexcept { return active_ms == 0 && present == 0 && counters.is_zero(); }
    friend bool operator==(const Minute&, const Minute&) = default;
};

/// Minutes from `first` on (number of minutes since the epoch).
class Minutes {
public:
    static constexpr std::int64_t kMinuteMs = 60'000;

    void reset(std::int64_t first_ms, std::int64_t last_ms);
    Minute& at(std::int64_t time_ms) noexcept;
    /// Splits [begin, end) at minute borders: f(minute, begin, end).
    template <class F>
    void spread(std::int64_t begin, std::int64_t end, F&& f) {
        while (begin < end) {
            const std::int64_t border = (begin / kMinuteMs + 1) * kMinuteMs;
            const std::int64_t stop = border < end ? border : end;
            f(at(begin), begin, stop);
            begin = stop;
        }
    }
    /// Adds the length of [begin, end) to a counter.
    void spread(std::int64_t begin, std::int64_t end,
                std::int64_t model::AdditiveCounters::* counter) {
        spread(begin, end, [counter](Minute& minute, std::int64_t from, std::int64_t to) {
            minute.counters.*counter += to - from;
        });
    }

    std::int64_t first = 0;
    std::vector<Minute> list;
};

/// Minutes as kept (`packed`): only what is not zero, as variable-length integers. Becomes `now`;
/// returns `now` minus what it was, minutes without a difference left out, ascending.
std::vector<std::pair<std::int64_t, Minute>> replace_packed(std::string& packed,
                                                            const Minutes& now);

/// Rewrites `packed` for other column numbers: columns[old] is the new one, nullopt drops it.
bool repack(std::string& packed, const std::vector<std::optional<std::uint8_t>>& columns);

}  // namespace playhead::timeline
