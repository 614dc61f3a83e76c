/// Content codings both ways: gzip, deflate, zstd; br for replies. Pure; thread safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace playhead::http {

/// A decoded body may be this many times the encoded one beyond the first MiB: text of beacons
/// shrinks 10 to 30 times, a bomb 1000 times.
inline constexpr std::uint64_t kDecodedRatioMax = 100;
inline constexpr std::uint64_t kDecodedBytesAlwaysAllowed = 1024 * 1024;

/// Undoes one Content-Encoding value ("gzip", "x-gzip", "deflate", "zstd", "identity" or "").
/// UnsupportedMediaType for others (also for lists), InvalidArgument for damaged or truncated
/// input, PayloadTooLarge beyond `bytes_max` or the ratio.
Result<std::string> decode_content(std::string_view encoding, std::string_view body,
                                   std::uint64_t bytes_max);

enum class Coding : std::uint8_t { Identity, Gzip, Brotli, Zstd };

/// The coding of Accept-Encoding with the largest weight, by name or as "*"; of equal ones the
/// cheapest to make: zstd, br, gzip. Identity when none of them has a weight above 0 and that of
/// identity.
Coding preferred_coding(std::string_view accept_encoding);

/// True when the coding has a weight above 0, by name or as "*".
bool accepts_coding(std::string_view accept_encoding, Coding coding);

/// As Content-Encoding has it; "" for Identity.
std::string_view coding_name(Coding coding) noexcept;

/// Compresses at a level fit for replies made on the fly. Empty on failure.
std::string encode_content(Coding coding, std::string_view body);

/// Compresses a body while it is made; holds a window of it, not all. Not thread safe.
class StreamEncoder {
public:
    /// Null for Identity, and on failure.
    static std::unique_ptr<StreamEncoder> make(Coding coding);
    virtual ~StreamEncoder() = default;

    /// Appends to `out` what is ready. False on failure: the body cannot be completed.
    virtual bool add(std::string_view chunk, std::string& out) = 0;
    virtual bool finish(std::string& out) = 0;
};

/// True for types that shrink: text, JSON, JavaScript, XML, SVG, CSV, …
bool is_compressible(std::string_view content_type);

}  // namespace playhead::http
