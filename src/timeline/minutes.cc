#include "timeline/minutes.h"

#include <algorithm>

namespace playhead::timeline {
namespace {

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

std::string pack(const Minutes& minutes) {
    std::string out;
    std::int64_t previous = 0;
    for (std::size_t index = 0; index < minutes.list.size(); ++index) {
        Minute minute = minutes.list[index];
        if (minute.is_zero()) continue;
        const std::int64_t number = minutes.first + static_cast<std::int64_t>(index);
        put(out, static_cast<std::uint64_t>(number - previous));
        previous = number;
        for (std::uint64_t column = 0; column <= kPresent; ++column) {
            const std::int64_t* value = field(minute, column);
            if (value == nullptr || *value == 0) continue;
            put(out, column + 1);
            put(out, zigzag(*value));
        }
        put(out, 0);
    }
    out.shrink_to_fit();
    return out;
}

bool unpack(std::string_view packed, std::vector<std::pair<std::int64_t, Minute>>& out) {
    std::int64_t number = 0;
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

std::vector<std::pair<std::int64_t, Minute>> difference(const Minutes& now,
                                                        std::string_view packed) {
    std::vector<std::pair<std::int64_t, Minute>> before;
    unpack(packed, before);
    std::vector<std::pair<std::int64_t, Minute>> out;
    auto old = before.begin();
    const auto emit = [&out](std::int64_t number, const Minute& minute) {
        if (!minute.is_zero()) out.emplace_back(number, minute);
    };
    const auto negative = [](const Minute& minute) {
        Minute result;
        result.counters -= minute.counters;
        result.active_ms = -minute.active_ms;
        result.present = -minute.present;
        return result;
    };
    for (std::size_t index = 0; index < now.list.size(); ++index) {
        const std::int64_t number = now.first + static_cast<std::int64_t>(index);
        for (; old != before.end() && old->first < number; ++old) {
            emit(old->first, negative(old->second));
        }
        Minute minute = now.list[index];
        if (old != before.end() && old->first == number) {
            minute.counters -= old->second.counters;
            minute.active_ms -= old->second.active_ms;
            minute.present -= old->second.present;
            ++old;
        }
        emit(number, minute);
    }
    for (; old != before.end(); ++old) emit(old->first, negative(old->second));
    return out;
}

}  // namespace playhead::timeline
