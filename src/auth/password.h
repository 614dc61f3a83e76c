/// Password hashing: argon2id through libsodium, in its own text format with salt and cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <semaphore>
#include <string>
#include <string_view>

#include "base/result.h"

namespace playhead::auth {

/// Bounds of a password. Longer ones are refused before any hashing.
inline constexpr std::size_t kPasswordBytesMax = 1024;
inline constexpr std::size_t kPasswordBytesMin = 6;
inline constexpr std::ptrdiff_t kConcurrentHashesMax = 64;

struct PasswordOptions {
    std::uint64_t passes = 2;
    std::size_t memory_bytes = std::size_t{19} * 1024 * 1024;
    /// Hashes computed at once (each holds `memory_bytes`); more wait up to `wait_ms`.
    std::ptrdiff_t concurrent_max = 2;
    std::int64_t wait_ms = 3000;
};

/// Thread safe. Each call takes about 50 ms of one core at the default cost: never on a reactor.
class PasswordHasher {
public:
    explicit PasswordHasher(const PasswordOptions& options = {});
    /// InvalidArgument when the password is shorter than 6 or longer than 1024 bytes; Unavailable
    /// when no slot came free in time.
    Result<std::string> hash(std::string_view password);
    /// Compares in constant time. An empty `stored` (unknown user) takes as long and gives false.
    Result<bool> verify(std::string_view password, std::string_view stored);

private:
    Result<std::string> compute(std::string_view password);

    PasswordOptions options_;
    std::counting_semaphore<kConcurrentHashesMax> slots_;
    std::string dummy_;
};

}  // namespace playhead::auth
