/// Internal to net: the server's own series.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "base/metrics.h"

namespace playhead::net {

enum class Refusal : std::uint8_t { Connections, BytesInFlight, Head, Body, Timeout, Malformed };
inline constexpr std::size_t kRefusalCount = 6;

/// Relaxed atomics only. Gauges live as long as the registry, so it shares them.
struct ServerCounters {
    explicit ServerCounters(MetricsRegistry& metrics);

    void refused(Refusal reason) noexcept { refusals[static_cast<std::size_t>(reason)]->add(); }
    void replied(int status) noexcept;

    std::array<Counter*, 6> replies{};  ///< by status class; [0] unused
    std::array<Counter*, kRefusalCount> refusals{};
    Counter* bytes_in = nullptr;
    Counter* bytes_out = nullptr;
    struct Gauges {
        std::atomic<std::int64_t> connections{0};
        std::atomic<std::int64_t> in_flight{0};
    };
    std::shared_ptr<Gauges> gauges = std::make_shared<Gauges>();
};

}  // namespace playhead::net
