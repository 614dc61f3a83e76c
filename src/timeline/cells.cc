#include "timeline/cells.h"

#include <algorithm>

#include "timeline/growth.h"

namespace playhead::timeline {
namespace {

void put(std::string& out, std::uint64_t value) {
    while (value >= 0x80) {
        out.push_back(static_cast<char>(value | 0x80U));
        value >>= 7U;
    }
    out.push_back(static_cast<char>(value));
}

/// Only of what `put` wrote.
std::uint64_t get(std::string_view& in) noexcept {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
        const auto byte = static_cast<std::uint8_t>(in.front());
        in.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
        if (byte < 0x80) break;
    }
    return value;
}

bool before(const Cell& left, const Cell& right) noexcept {
    return left.minute != right.minute ? left.minute < right.minute : left.column < right.column;
}

}  // namespace

bool Cells::take(std::string_view& in, Cell& cell) noexcept {
    if (in.empty()) return false;
    cell.minute += static_cast<std::uint32_t>(get(in));
    cell.column = static_cast<Column>(get(in));
    const std::uint64_t value = get(in);
    cell.value = static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
    return true;
}

std::int64_t& Cells::at(std::uint32_t minute, Column column) {
    if (packed_count_ > 0 && minute <= packed_last_) unsettle();
    if (!recent_.empty() && minute > recent_.back().minute) settle();
    const Cell wanted{minute, column, 0};
    const auto place = std::lower_bound(recent_.begin(), recent_.end(), wanted, before);
    if (place != recent_.end() && place->minute == minute && place->column == column) {
        return place->value;
    }
    columns_.set(place_of(column));
    const auto index = place - recent_.begin();
    grow_tightly(recent_);
    return recent_.insert(recent_.begin() + index, wanted)->value;
}

std::vector<Cell> Cells::list() const {
    std::vector<Cell> out;
    out.reserve(size());
    each([&out](const Cell& cell) { out.push_back(cell); });
    return out;
}

void Cells::assign(std::vector<Cell> list) {
    packed_.clear();
    packed_count_ = 0;
    recent_ = std::move(list);
    std::sort(recent_.begin(), recent_.end(), before);
    columns_.reset();
    for (const Cell& cell : recent_) columns_.set(place_of(cell.column));
    if (!recent_.empty()) settle();
}

void Cells::shrink() {
    recent_.shrink_to_fit();
    packed_.shrink_to_fit();
}

/// Packs what is older than the newest minutes of the list, which is not empty.
void Cells::settle() {
    const std::uint64_t newest = recent_.back().minute;
    const auto end = std::find_if(recent_.begin(), recent_.end(), [newest](const Cell& cell) {
        return std::uint64_t{cell.minute} + kRecentMinutes > newest;
    });
    if (end == recent_.begin()) return;
    std::string more;
    std::uint32_t previous = packed_count_ > 0 ? packed_last_ : 0;
    for (auto cell = recent_.begin(); cell != end; ++cell) {
        put(more, cell->minute - previous);
        put(more, static_cast<std::uint64_t>(cell->column));
        put(more, (static_cast<std::uint64_t>(cell->value) << 1U) ^
                      static_cast<std::uint64_t>(cell->value >> 63));
        previous = cell->minute;
    }
    if (packed_count_ == 0) packed_first_ = recent_.front().minute;
    packed_last_ = previous;
    packed_count_ += static_cast<std::uint32_t>(end - recent_.begin());
    if (packed_.size() + more.size() > packed_.capacity()) {
        // A string that grows by itself doubles.
        std::string grown;
        grown.reserve(packed_.size() + packed_.size() / 8 + 2 * more.size());
        packed_ = std::move(grown.append(packed_));
    }
    packed_.append(more);
    recent_.erase(recent_.begin(), end);
    if (recent_.capacity() > 4 * recent_.size() + 16) recent_.shrink_to_fit();
}

void Cells::unsettle() {
    recent_ = list();
    packed_.clear();
    packed_count_ = 0;
}

}  // namespace playhead::timeline
