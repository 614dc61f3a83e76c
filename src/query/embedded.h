/// The texts of `dictionary/` as built into the binary. Static storage; safe from any thread.
#pragma once

#include <string_view>

namespace playhead::query {

std::string_view embedded_metrics() noexcept;     ///< dictionary/metrics.yaml
std::string_view embedded_dimensions() noexcept;  ///< dictionary/dimensions.yaml
std::string_view embedded_timezones() noexcept;   ///< dictionary/timezones.txt

}  // namespace playhead::query
