/// Sums and maxima of a session by minute of the client's clock and column.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/rows.h"

namespace playhead::timeline {

/// X(name) of what is summed or maximized per minute besides the additive counters.
#define PLAYHEAD_HIDDEN_COLUMNS(X) \
    X(ActiveMs)                    \
    X(Present)                     \
    X(DroppedFramesMax)            \
    X(UpShiftsMax)                 \
    X(DownShiftsMax)               \
    X(RequestCount)                \
    X(RequestBytes) X(RequestMediaMs) X(RequestStarved) X(StallSumCirr) X(StallSumVrt)

/// Columns of a minute: the additive counters by their names, then the hidden ones.
enum class Column : std::uint8_t {
#define PLAYHEAD_ENUMERATOR(name, meaning) name,
    PLAYHEAD_ADDITIVE_COUNTERS(PLAYHEAD_ENUMERATOR)
#undef PLAYHEAD_ENUMERATOR
#define PLAYHEAD_ENUMERATOR(name) name,
        PLAYHEAD_HIDDEN_COLUMNS(PLAYHEAD_ENUMERATOR)
#undef PLAYHEAD_ENUMERATOR
            End
};

/// A sum or maximum of one minute of the client's clock.
struct Cell {
    std::uint32_t minute = 0;  ///< since the epoch
    Column column{};
    std::int64_t value = 0;
};

/// Sorted by minute, then column. The newest minutes are a list, those before are packed: nearly
/// all records are about the last minutes. A record about a packed one unpacks them all until the
/// next minute begins, so a session does that at most once per minute.
class Cells {
public:
    /// The value, a new 0 when there was none. Valid until the next call.
    std::int64_t& at(std::uint32_t minute, Column column);
    std::size_t size() const noexcept { return packed_count_ + recent_.size(); }
    bool empty() const noexcept { return size() == 0; }
    /// Whether any minute has the column.
    bool has(Column column) const noexcept { return columns_[place_of(column)]; }
    /// Of what is not empty.
    std::uint32_t first_minute() const noexcept {
        return packed_count_ > 0 ? packed_first_ : recent_.front().minute;
    }
    /// f(cell), in order.
    template <class F>
    void each(F&& f) const {
        std::string_view in = packed_;
        Cell cell;
        while (take(in, cell)) f(std::as_const(cell));
        for (const Cell& recent : recent_) f(recent);
    }
    std::vector<Cell> list() const;
    /// Replaces all. At most one cell per minute and column.
    void assign(std::vector<Cell> list);
    std::size_t bytes() const noexcept {
        return packed_.capacity() + recent_.capacity() * sizeof(Cell);
    }
    void shrink();

private:
    static constexpr std::uint32_t kRecentMinutes = 3;

    /// Numbers of an older snapshot may be past the end until they are translated.
    static std::size_t place_of(Column column) noexcept {
        return static_cast<std::size_t>(column < Column::End ? column : Column::End);
    }

    /// Reads one packed cell; `cell` is the one before, at first minute 0. False at the end.
    static bool take(std::string_view& in, Cell& cell) noexcept;
    void settle();
    void unsettle();

    std::vector<Cell> recent_;
    std::string packed_;  ///< per cell: minutes after the one before, column, value
    std::bitset<static_cast<std::size_t>(Column::End) + 1> columns_;  ///< those that are there
    std::uint32_t packed_count_ = 0;
    std::uint32_t packed_first_ = 0, packed_last_ = 0;  ///< minutes
};

}  // namespace playhead::timeline
