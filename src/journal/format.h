/// The journal's byte format, as written down in docs/journal-format.md. Pure functions on bytes.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace playhead::journal {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::size_t kSegmentHeaderBytes = 48;
inline constexpr std::size_t kRecordHeaderBytes = 12;
/// No payload is longer, whatever a journal's own limit: a larger length is damage.
inline constexpr std::uint32_t kPayloadBytesMax = 64U << 20U;
/// The journal's own records (write probes). `append` refuses the type, replay never shows it.
inline constexpr std::uint8_t kInternalType = 0;

/// A place in the journal: a byte offset in a numbered segment. Ordered as the journal is.
struct Position {
    std::uint64_t segment = 0;
    std::uint64_t offset = 0;
    auto operator<=>(const Position&) const = default;
};

struct SegmentHeader {
    std::uint64_t segment = 0;
    std::int64_t created_ms = 0;
    /// Length of the segment before this one when this one was begun: what of it counts.
    std::uint64_t previous_bytes = 0;
};

struct RecordHeader {
    std::uint32_t payload_bytes = 0;
    std::uint32_t payload_crc = 0;
    std::uint8_t type = 0;
};

using RecordHeaderBytes = std::array<char, kRecordHeaderBytes>;

std::array<char, kSegmentHeaderBytes> encode_segment_header(const SegmentHeader& header) noexcept;

/// Fails with Unprocessable for a newer format, with Internal for bytes that are no segment or a
/// wrong checksum; the message lacks only the file's name. `bytes` must hold kSegmentHeaderBytes.
Result<SegmentHeader> decode_segment_header(std::string_view bytes);

RecordHeaderBytes encode_record_header(const RecordHeader& header) noexcept;

/// False when the header's own check does not hold. `bytes` must hold kRecordHeaderBytes.
bool decode_record_header(std::string_view bytes, RecordHeader& header) noexcept;

/// "00000000000000a1.journal"
std::string segment_file_name(std::uint64_t segment);

/// The number in a segment's file name; 0 for any other name (segments count from 1).
std::uint64_t segment_of_file_name(std::string_view name) noexcept;

}  // namespace playhead::journal
