#include "net/server_counters.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace playhead::net {

ServerCounters::ServerCounters(MetricsRegistry& metrics) {
    for (std::size_t status_class = 1; status_class < replies.size(); ++status_class) {
        replies[status_class] = &metrics.counter(
            "playhead_http_replies_total", "status=\"" + std::to_string(status_class) + "xx\"",
            "Replies sent, by status class.");
    }
    constexpr std::array<std::string_view, kRefusalCount> kReasons{
        "connections", "bytes_in_flight", "head", "body", "timeout", "malformed"};
    for (std::size_t index = 0; index < kRefusalCount; ++index) {
        refusals[index] = &metrics.counter("playhead_http_refused_total",
                                           "reason=\"" + std::string(kReasons[index]) + "\"",
                                           "Connections and requests refused before a handler.");
    }
    bytes_in =
        &metrics.counter("playhead_http_received_bytes_total", "", "Bytes read from clients.");
    bytes_out = &metrics.counter("playhead_http_sent_bytes_total", "", "Bytes written to clients.");
    metrics.gauge("playhead_http_connections", "", "Open connections.", [shared = gauges] {
        return static_cast<double>(shared->connections.load(std::memory_order_relaxed));
    });
    metrics.gauge("playhead_http_in_flight", "", "Requests not yet answered.", [shared = gauges] {
        return static_cast<double>(shared->in_flight.load(std::memory_order_relaxed));
    });
}

void ServerCounters::replied(int status) noexcept {
    replies[static_cast<std::size_t>(std::clamp(status / 100, 1, 5))]->add();
}

}  // namespace playhead::net
