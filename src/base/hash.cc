#include "base/hash.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace playhead {

namespace {

std::uint64_t fold(std::uint64_t left, std::uint64_t right) noexcept {
    const auto product = static_cast<unsigned __int128>(left) * right;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

constexpr std::uint64_t kPrimeA = 0x9E3779B97F4A7C15ULL;
constexpr std::uint64_t kPrimeB = 0xD6E8FEB86659FD93ULL;

constexpr std::array<std::uint32_t, 256> make_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t index = 0; index < 256; ++index) {
        std::uint32_t value = index;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value & 1U) != 0 ? (value >> 1U) ^ 0x82F63B78U : value >> 1U;
        }
        table[index] = value;
    }
    return table;
}

constexpr auto kTable = make_table();

std::uint32_t crc_software(const unsigned char* bytes, std::size_t size,
                           std::uint32_t state) noexcept {
    for (std::size_t index = 0; index < size; ++index) {
        state = kTable[(state ^ bytes[index]) & 0xFFU] ^ (state >> 8U);
    }
    return state;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc_hardware(const unsigned char* bytes,
                                                             std::size_t size,
                                                             std::uint32_t state) noexcept {
    std::uint64_t wide = state;
    while (size >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes, 8);
        wide = _mm_crc32_u64(wide, word);
        bytes += 8;
        size -= 8;
    }
    state = static_cast<std::uint32_t>(wide);
    for (; size > 0; --size) state = _mm_crc32_u8(state, *bytes++);
    return state;
}
#endif

}  // namespace

std::uint64_t stable_hash(std::string_view bytes, std::uint64_t seed) noexcept {
    std::uint64_t state = fold(seed ^ kPrimeA, bytes.size() ^ kPrimeB);
    const char* cursor = bytes.data();
    std::size_t left = bytes.size();
    while (left >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, cursor, 8);
        state = fold(state ^ word, kPrimeA);
        cursor += 8;
        left -= 8;
    }
    std::uint64_t tail = 0;
    if (left > 0) std::memcpy(&tail, cursor, left);
    return fold(fold(state ^ tail, kPrimeB), kPrimeA);
}

std::uint32_t crc32c(const void* data, std::size_t size, std::uint32_t crc) noexcept {
    const auto* bytes = static_cast<const unsigned char*>(data);
    const std::uint32_t state = ~crc;
#if defined(__x86_64__)
    static const bool hardware = __builtin_cpu_supports("sse4.2") != 0;
    if (hardware) return ~crc_hardware(bytes, size, state);
#endif
    return ~crc_software(bytes, size, state);
}

}  // namespace playhead
