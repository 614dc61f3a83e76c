/// Seeded randomness, the same on every machine and compiler (unlike <random>'s distributions).
/// One generator per thread: not synchronized.
#pragma once

#include <cmath>
#include <cstdint>

namespace playhead {

/// PCG-XSH-RR 64/32 (O'Neill 2014): small state, good quality, reproducible. Not for secrets.
class Random {
public:
    explicit Random(std::uint64_t seed, std::uint64_t stream = 1) noexcept
        : state_(0), increment_((stream << 1U) | 1U) {
        next_u32();
        state_ += seed;
        next_u32();
    }

    std::uint32_t next_u32() noexcept {
        const std::uint64_t old = state_;
        state_ = old * 6364136223846793005ULL + increment_;
        const auto shifted = static_cast<std::uint32_t>(((old >> 18U) ^ old) >> 27U);
        const auto rotation = static_cast<std::uint32_t>(old >> 59U);
        return (shifted >> rotation) | (shifted << ((32U - rotation) & 31U));
    }

    std::uint64_t next_u64() noexcept {
        const std::uint64_t high = next_u32();
        return (high << 32U) | next_u32();
    }

    /// Uniform in [0, 1).
    double uniform() noexcept {
        return static_cast<double>(next_u64() >> 11U) * (1.0 / 9007199254740992.0);
    }
    double uniform(double low, double high) noexcept { return low + (high - low) * uniform(); }

    /// Uniform integer in [0, bound); bound > 0.
    std::uint64_t below(std::uint64_t bound) noexcept { return next_u64() % bound; }

    bool chance(double probability) noexcept { return uniform() < probability; }

    /// Exponential with the given mean.
    double exponential(double mean) noexcept { return -mean * std::log1p(-uniform()); }

    /// Normal, by Box-Muller.
    double normal(double mean, double deviation) noexcept {
        const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
        return mean + deviation * radius * std::cos(6.283185307179586 * uniform());
    }

private:
    std::uint64_t state_;
    std::uint64_t increment_;
};

}  // namespace playhead
