/// Stable hashes: the same on every run and machine, so they may be written to disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace playhead {

/// 64-bit hash of bytes (multiply-and-fold over 8-byte words; our own, frozen: partition numbers
/// in snapshots depend on it). Not for hostile-collision-proof tables: seed those.
std::uint64_t stable_hash(std::string_view bytes, std::uint64_t seed = 0) noexcept;

/// CRC-32C (Castagnoli, RFC 3720 B.4) continuing from `crc` (0 to begin); hardware when it is
/// there.
std::uint32_t crc32c(const void* data, std::size_t size, std::uint32_t crc = 0) noexcept;

}  // namespace playhead
