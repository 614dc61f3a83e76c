#include "journal/format.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "base/hash.h"

namespace playhead::journal {
namespace {

constexpr std::string_view kMagic = "PHJRNL\r\n";
constexpr std::string_view kSuffix = ".journal";
constexpr std::size_t kNumberDigits = 16;
constexpr std::size_t kHeaderCrcOffset = 40;
constexpr std::size_t kRecordCheckedBytes = 9;

template <class T>
void put(char* to, T value) noexcept {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        to[i] = static_cast<char>((value >> (8 * i)) & 0xFFU);
    }
}

template <class T>
T get(const char* from) noexcept {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        value |= static_cast<T>(static_cast<T>(static_cast<unsigned char>(from[i])) << (8 * i));
    }
    return value;
}

std::uint32_t check_of(const char* record_header) noexcept {
    return crc32c(record_header, kRecordCheckedBytes) & 0xFFFFFFU;
}

}  // namespace

std::array<char, kSegmentHeaderBytes> encode_segment_header(const SegmentHeader& header) noexcept {
    std::array<char, kSegmentHeaderBytes> bytes{};
    std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
    put<std::uint32_t>(bytes.data() + 8, kFormatVersion);
    put<std::uint64_t>(bytes.data() + 16, header.segment);
    put<std::uint64_t>(bytes.data() + 24, static_cast<std::uint64_t>(header.created_ms));
    put<std::uint64_t>(bytes.data() + 32, header.previous_bytes);
    put<std::uint32_t>(bytes.data() + kHeaderCrcOffset, crc32c(bytes.data(), kHeaderCrcOffset));
    return bytes;
}

Result<SegmentHeader> decode_segment_header(std::string_view bytes) {
    if (bytes.substr(0, kMagic.size()) != kMagic) {
        return fail(ErrorCode::Internal, "not a journal segment (wrong first bytes)");
    }
    const auto version = get<std::uint32_t>(bytes.data() + 8);
    if (version > kFormatVersion) {
        return fail(ErrorCode::Unprocessable,
                    fmt::format("journal format {} is newer than this program knows ({}): use the "
                                "newer program, or give it another journal directory",
                                version, kFormatVersion));
    }
    const auto crc = get<std::uint32_t>(bytes.data() + kHeaderCrcOffset);
    if (version == 0 || crc != crc32c(bytes.data(), kHeaderCrcOffset)) {
        return fail(ErrorCode::Internal, "the segment header's checksum is wrong");
    }
    SegmentHeader header;
    header.segment = get<std::uint64_t>(bytes.data() + 16);
    header.created_ms = static_cast<std::int64_t>(get<std::uint64_t>(bytes.data() + 24));
    header.previous_bytes = get<std::uint64_t>(bytes.data() + 32);
    return header;
}

RecordHeaderBytes encode_record_header(const RecordHeader& header) noexcept {
    RecordHeaderBytes bytes{};
    put<std::uint32_t>(bytes.data(), header.payload_bytes);
    put<std::uint32_t>(bytes.data() + 4, header.payload_crc);
    bytes[8] = static_cast<char>(header.type);
    const std::uint32_t check = check_of(bytes.data());
    bytes[9] = static_cast<char>(check & 0xFFU);
    bytes[10] = static_cast<char>((check >> 8U) & 0xFFU);
    bytes[11] = static_cast<char>((check >> 16U) & 0xFFU);
    return bytes;
}

bool decode_record_header(std::string_view bytes, RecordHeader& header) noexcept {
    header.payload_bytes = get<std::uint32_t>(bytes.data());
    header.payload_crc = get<std::uint32_t>(bytes.data() + 4);
    header.type = static_cast<std::uint8_t>(bytes[8]);
    return get<std::uint32_t>(bytes.data() + 8) >> 8U == check_of(bytes.data());
}

std::string segment_file_name(std::uint64_t segment) {
    return fmt::format("{:016x}{}", segment, kSuffix);
}

std::uint64_t segment_of_file_name(std::string_view name) noexcept {
    if (name.size() != kNumberDigits + kSuffix.size() || !name.ends_with(kSuffix)) return 0;
    std::uint64_t segment = 0;
    const char* const end = name.data() + kNumberDigits;
    const auto parsed = std::from_chars(name.data(), end, segment, 16);
    return parsed.ec == std::errc{} && parsed.ptr == end ? segment : 0;
}

}  // namespace playhead::journal
