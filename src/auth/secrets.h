/// Digests, random names, base64url. Pure but for `Entropy`. Thread safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace playhead::auth {

/// Source of unpredictable bytes; tests inject a counting one. Thread safe.
class Entropy {
public:
    virtual ~Entropy() = default;
    virtual void fill(std::span<std::uint8_t> bytes) = 0;
};

/// The operating system's generator, through libsodium.
class SystemEntropy final : public Entropy {
public:
    SystemEntropy();
    void fill(std::span<std::uint8_t> bytes) override;
};

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);
std::string hex(std::span<const std::uint8_t> bytes);

/// Without padding (RFC 4648 section 5).
std::string base64url(std::span<const std::uint8_t> bytes);
/// Strict: no padding, no other characters, no stray bits at the end.
std::optional<std::string> base64url_decode(std::string_view text);

/// Random uuid (version 4), lower case.
std::string random_uuid(Entropy& entropy);
/// 256 random bits as 43 base64url characters.
std::string random_secret(Entropy& entropy);

/// Takes the same time wherever the texts differ.
bool equal_constant_time(std::string_view left, std::string_view right);

}  // namespace playhead::auth
