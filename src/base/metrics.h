/// The process's own counters and gauges, in the Prometheus text format. The hot path touches one
/// relaxed atomic; registration and rendering take a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace playhead {

class Counter {
public:
    void add(std::uint64_t amount = 1) noexcept {
        value_.fetch_add(amount, std::memory_order_relaxed);
    }
    std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    alignas(64) std::atomic<std::uint64_t> value_{0};
};

/// Latency histogram, seconds: fixed buckets from 1 ms to 200 s.
class Histogram {
public:
    static constexpr std::array<double, 14> kBounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                    0.25,  0.5,    1.0,   2.5,  10.0,  60.0, 200.0};
    void observe(double seconds) noexcept;
    std::array<std::uint64_t, kBounds.size() + 1> counts() const noexcept;
    double sum_seconds() const noexcept;

private:
    std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> counts_{};
    std::atomic<std::uint64_t> sum_us_{0};
};

/// Owns the series. References stay valid for the registry's life. Thread safe.
class MetricsRegistry {
public:
    /// `name` per Prometheus rules; `labels` as they are printed, e.g. `outcome="accepted"`, or "".
    /// The same name and labels give the same series.
    Counter& counter(std::string_view name, std::string_view labels, std::string_view help);
    Histogram& histogram(std::string_view name, std::string_view labels, std::string_view help);
    /// `read` is called at each scrape, from the scraping thread.
    void gauge(std::string_view name, std::string_view labels, std::string_view help,
               std::function<double()> read);
    /// Prometheus text exposition format 0.0.4.
    std::string render() const;

private:
    struct Series {
        std::string name;
        std::string labels;
        std::string help;
        Counter counter;
        Histogram* histogram = nullptr;
        std::function<double()> read;
    };
    mutable std::mutex mutex_;
    std::deque<Series> series_;
    std::deque<Histogram> histograms_;
};

}  // namespace playhead
