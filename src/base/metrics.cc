#include "base/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace playhead {

void Histogram::observe(double seconds) noexcept {
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    const double clamped = std::clamp(seconds, 0.0, 1e6);
    sum_us_.fetch_add(static_cast<std::uint64_t>(clamped * 1e6), std::memory_order_relaxed);
}

std::array<std::uint64_t, Histogram::kBounds.size() + 1> Histogram::counts() const noexcept {
    std::array<std::uint64_t, kBounds.size() + 1> copy{};
    for (std::size_t bucket = 0; bucket < copy.size(); ++bucket) {
        copy[bucket] = counts_[bucket].load(std::memory_order_relaxed);
    }
    return copy;
}

double Histogram::sum_seconds() const noexcept {
    return static_cast<double>(sum_us_.load(std::memory_order_relaxed)) / 1e6;
}

Counter& MetricsRegistry::counter(std::string_view name, std::string_view labels,
                                  std::string_view help) {
    const std::lock_guard lock(mutex_);
    for (auto& series : series_) {
        if (series.name == name && series.labels == labels) return series.counter;
    }
    auto& series = series_.emplace_back();
    series.name = name;
    series.labels = labels;
    series.help = help;
    return series.counter;
}

Histogram& MetricsRegistry::histogram(std::string_view name, std::string_view labels,
                                      std::string_view help) {
    const std::lock_guard lock(mutex_);
    for (auto& series : series_) {
        if (series.histogram != nullptr && series.name == name && series.labels == labels) {
            return *series.histogram;
        }
    }
    auto& series = series_.emplace_back();
    series.name = name;
    series.labels = labels;
    series.help = help;
    series.histogram = &histograms_.emplace_back();
    return *series.histogram;
}

void MetricsRegistry::gauge(std::string_view name, std::string_view labels, std::string_view help,
                            std::function<double()> read) {
    const std::lock_guard lock(mutex_);
    auto& series = series_.emplace_back();
    series.name = name;
    series.labels = labels;
    series.help = help;
    series.read = std::move(read);
}

std::string MetricsRegistry::render() const {
    const std::lock_guard lock(mutex_);
    std::vector<const Series*> ordered;
    ordered.reserve(series_.size());
    for (const auto& series : series_) ordered.push_back(&series);
    // The format wants all series of a name together.
    std::sort(ordered.begin(), ordered.end(), [](const Series* a, const Series* b) {
        return std::tie(a->name, a->labels) < std::tie(b->name, b->labels);
    });
    std::string text;
    auto out = std::back_inserter(text);
    std::string_view last_name;
    for (const Series* series : ordered) {
        const char* type = series->histogram != nullptr ? "histogram"
                           : series->read               ? "gauge"
                                                        : "counter";
        if (series->name != last_name) {
            fmt::format_to(out, "# HELP {} {}\n# TYPE {} {}\n", series->name, series->help,
                           series->name, type);
            last_name = series->name;
        }
        const std::string braces = series->labels.empty() ? "" : "{" + series->labels + "}";
        if (series->histogram == nullptr) {
            if (series->read) {
                fmt::format_to(out, "{}{} {}\n", series->name, braces, series->read());
            } else {
                fmt::format_to(out, "{}{} {}\n", series->name, braces, series->counter.value());
            }
            continue;
        }
        const std::string comma = series->labels.empty() ? "" : series->labels + ",";
        const auto counts = series->histogram->counts();
        std::uint64_t total = 0;
        for (std::size_t bucket = 0; bucket < Histogram::kBounds.size(); ++bucket) {
            total += counts[bucket];
            fmt::format_to(out, "{}_bucket{{{}le=\"{}\"}} {}\n", series->name, comma,
                           Histogram::kBounds[bucket], total);
        }
        total += counts.back();
        fmt::format_to(out, "{}_bucket{{{}le=\"+Inf\"}} {}\n{}_sum{} {}\n{}_count{} {}\n",
                       series->name, comma, total, series->name, braces,
                       series->histogram->sum_seconds(), series->name, braces, total);
    }
    return text;
}

}  // namespace playhead
