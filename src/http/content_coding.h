/// Content codings both ways: gzip, deflate, zstd. Pure; thread safe.
#pragma once

#include <cstdint>
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

enum class Coding : std::uint8_t { Identity, Gzip, Zstd };

struct AcceptedCodings {
    bool gzip = false;
    bool zstd = false;
};

/// Reads Accept-Encoding: listed by name or "*" with a weight above 0.
AcceptedCodings accepted_codings(std::string_view accept_encoding);

/// Compresses at a level fit for replies made on the fly. Empty on failure.
std::string encode_content(Coding coding, std::string_view body);

/// True for types that shrink: text, JSON, JavaScript, XML, SVG, CSV, …
bool is_compressible(std::string_view content_type);

}  // namespace playhead::http
