/// A compile-time hash table from wire keys to what a decoder does with them. Lookups cost one
/// short hash and, nearly always, one comparison; no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace playhead::wire {

template <class Target>
struct KeyEntry {
    std::string_view name;
    Target target;
};

template <class Target, std::size_t N>
class KeyTable {
public:
    consteval explicit KeyTable(const KeyEntry<Target> (&entries)[N]) {
        for (std::size_t index = 0; index < N; ++index) {
            entries_[index] = entries[index];
            std::size_t slot = hash(entries[index].name) & kMask;
            while (slots_[slot] != 0) slot = (slot + 1) & kMask;
            slots_[slot] = static_cast<std::uint8_t>(index + 1);
        }
    }

    /// The target of `name`; null when the key is not known.
    constexpr const Target* find(std::string_view name) const noexcept {
        if (name.size() > kNameBytesMax) return nullptr;
        std::size_t slot = hash(name) & kMask;
        while (slots_[slot] != 0) {
            const KeyEntry<Target>& entry = entries_[slots_[slot] - 1U];
            if (entry.name == name) return &entry.target;
            slot = (slot + 1) & kMask;
        }
        return nullptr;
    }

private:
    static_assert(N < 128);
    static constexpr std::size_t kSlots = 256;
    static constexpr std::size_t kMask = kSlots - 1;
    static constexpr std::size_t kNameBytesMax = 32;

    static constexpr std::size_t hash(std::string_view name) noexcept {
        std::uint32_t value = 2166136261U;
        for (const char c : name) {
            value = (value ^ static_cast<unsigned char>(c)) * 16777619U;
        }
        return value ^ (value >> 15U);
    }

    std::array<KeyEntry<Target>, N> entries_{};
    std::array<std::uint8_t, kSlots> slots_{};
};

}  // namespace playhead::wire
