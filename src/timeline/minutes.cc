#include "timeline/minutes.h"

#include <algorithm>
#include <array>

namespace playhead::timeline {
namespace {

constexpr std::size_t kGrowthBytes = 128;  ///< two minutes or so
constexpr std::size_t kVisible = model::kCounterColumns.size();
constexpr std::uint8_t kActive = static_cast<std::uint8_t>(Column::ActiveMs);
constexpr std::uint8_t kPresent = static_cast<std::uint8_t>(Column::Present);

void put(std::string& out, std::uint64_t value) {
    while (value >= 0x80) {
        out.push_back(static_cast<char>(value | 0x80U));
        value >>= 7U;
    }
    out.push_back(static_cast<char>(value));
}

std::uint64_t zigzag(std::int64_t value) noexcept {
    return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unzigzag(std::uint64_t value) noexcept {
    return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
}

bool take(std::string_view& in, std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
        const auto byte = static_cast<std::uint8_t>(in.front());
        in.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

std::int64_t* field(Minute& minute, std::uint64_t column) noexcept {
    if (column < kVisible) return &(minute.counters.*model::kCounterColumns[column].field);
    if (column == kActive) return &minute.active_ms;
    if (column == kPresent) return &minute.present;
    return nullptr;
}

/// One minute, packed: how many minutes after the one before, (column + 1, value) pairs, 0.
class PackedMinute {
public:
    PackedMinute(std::int64_t step, const Minute& minute) {
        put(static_cast<std::uint64_t>(step));
        for (std::uint64_t column = 0; column < kVisible; ++column) {
            put(column, minute.counters.*model::kCounterColumns[column].field);
        }
        put(kActive, minute.active_ms);
        put(kPresent, minute.present);
        put(0);
    }
    std::string_view text() const noexcept { return {bytes_.data(), size_}; }

private:
    static constexpr std::size_t kVarintBytesMax = 10;

    void put(std::uint64_t value) noexcept {
        while (value >= 0x80) {
            bytes_[size_++] = static_cast<char>(value | 0x80U);
            value >>= 7U;
        }
        bytes_[size_++] = static_cast<char>(value);
    }
    void put(std::uint64_t column, std::int64_t value) noexcept {
        if (value == 0) return;
        put(column + 1);
        put(zigzag(value));
    }

    std::array<char, kVarintBytesMax * (2 * (kVisible + 2) + 2)> bytes_;
    std::size_t size_ = 0;
};

/// Appends (minute number, minute) pairs; `number`: of the minute before. False when damaged.
bool unpack(std::string_view packed, std::int64_t number,
            std::vector<std::pair<std::int64_t, Minute>>& out) {
    while (!packed.empty()) {
        std::uint64_t step = 0, column = 0, value = 0;
        if (!take(packed, step)) return false;
        number += static_cast<std::int64_t>(step);
        auto& minute = out.emplace_back(number, Minute{}).second;
        while (true) {
            if (!take(packed, column)) return false;
            if (column == 0) break;
            if (!take(packed, value)) return false;
            std::int64_t* target = field(minute, column - 1);
            if (target == nullptr) return false;
            *target = unzigzag(value);
        }
    }
    return true;
}

}  // namespace

void Minutes::reset(std::int64_t first_ms, std::int64_t last_ms) {
    first = std::max<std::int64_t>(0, first_ms) / kMinuteMs;
    const std::int64_t last = std::max(first, std::max<std::int64_t>(0, last_ms) / kMinuteMs);
    list.assign(static_cast<std::size_t>(last - first + 1), Minute{});
}

Minute& Minutes::at(std::int64_t time_ms) noexcept {
    const std::int64_t index = time_ms / kMinuteMs - first;
    const auto last = static_cast<std::int64_t>(list.size()) - 1;
    return list[static_cast<std::size_t>(std::clamp<std::int64_t>(index, 0, last))];
}

bool repack(std::string& packed, const std::vector<std::optional<std::uint8_t>>& columns) {
    std::string out;
    std::string_view in = packed;
    while (!in.empty()) {
        std::uint64_t step = 0, column = 0, value = 0;
        if (!take(in, step)) return false;
        put(out, step);
        while (true) {
            if (!take(in, column)) return false;
            if (column == 0) break;
            if (!take(in, value) || column > columns.size()) return false;
            if (!columns[column - 1]) continue;
            put(out, std::uint64_t{*columns[column - 1]} + 1);
            put(out, value);
        }
        put(out, 0);
    }
    packed = std::move(out);
    return true;
}

std::vector<std::pair<std::int64_t, Minute>> replace_packed(std::string& packed,
                                                            const Minutes& now) {
    std::vector<std::pair<std::int64_t, Minute>> before;
    std::vector<std::pair<std::int64_t, Minute>> out;
    std::string tail;
    std::size_t same = 0;  // bytes of `packed` that say what `now` says
    std::int64_t previous = 0;
    std::size_t index = 0;
    // Most minutes are over and have not changed: equal bytes need not be unpacked.
    for (; index < now.list.size(); ++index) {
        const Minute& minute = now.list[index];
        if (minute.is_zero()) continue;
        const std::int64_t number = now.first + static_cast<std::int64_t>(index);
        PackedMinute one(number - previous, minute);
        if (!std::string_view(packed).substr(same).starts_with(one.text())) break;
        same += one.text().size();
        previous = number;
    }
    unpack(std::string_view(packed).substr(same), previous, before);
    auto old = before.begin();
    const auto emit = [&out](std::int64_t number, const Minute& minute) {
        if (!minute.is_zero()) out.emplace_back(number, minute);
    };
    const auto subtract = [](Minute& from, const Minute& minute) {
        from.counters -= minute.counters;
        from.active_ms -= minute.active_ms;
        from.present -= minute.present;
    };
    const auto take_back = [&](const std::pair<std::int64_t, Minute>& was) {
        Minute negative;
        subtract(negative, was.second);
        emit(was.first, negative);
    };
    for (; index < now.list.size(); ++index) {
        const std::int64_t number = now.first + static_cast<std::int64_t>(index);
        for (; old != before.end() && old->first < number; ++old) take_back(*old);
        Minute minute = now.list[index];
        if (!minute.is_zero()) {
            tail.append(PackedMinute(number - previous, minute).text());
            previous = number;
        }
        if (old != before.end() && old->first == number) subtract(minute, (old++)->second);
        emit(number, minute);
    }
    for (; old != before.end(); ++old) take_back(*old);
    if (same + tail.size() <= packed.capacity()) {
        packed.resize(same);
        packed.append(tail);
    } else {
        // A string that grows by itself doubles.
        std::string grown;
        grown.reserve(same + tail.size() + kGrowthBytes);
        grown.append(packed, 0, same).append(tail);
        packed = std::move(grown);
    }
    return out;
}

}  // namespace playhead::timeline
