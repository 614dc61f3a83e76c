/// Lenient readings of single wire values, and the bounds every decoder holds. Internal to wire.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

#include "model/dimensions.h"
#include "wire/json_walk.h"

namespace playhead::wire {

inline constexpr std::int64_t kTimeMsMax = 253'402'300'799'999;  ///< the end of year 9999
inline constexpr double kMeasureMax = 1e15;
inline constexpr std::size_t kIdentityBytesMax = 256;  ///< session and payload ids

/// Text cut to `bytes_max` at a UTF-8 boundary.
std::string_view cut_text(std::string_view text,
                          std::size_t bytes_max = model::kDimensionValueBytesMax) noexcept;

/// The number of a JSON number or of a string that is wholly one; nullopt otherwise, for NaN and
/// for magnitudes above `kMeasureMax`.
std::optional<double> number_of(const Scalar& scalar) noexcept;
std::optional<double> number_of(std::string_view text) noexcept;

/// Epoch ms from a number or its text; nullopt unless in (0, kTimeMsMax].
std::optional<std::int64_t> time_of(const Scalar& scalar) noexcept;

/// true, "true", 1, "1" and their opposites.
std::optional<bool> truth_of(const Scalar& scalar) noexcept;

}  // namespace playhead::wire
