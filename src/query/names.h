/// Names in a request, resolved against the dictionary.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "query/dictionary.h"

namespace playhead::query {

/// Which figure of a metric is asked for.
enum class Aggregate : std::uint8_t { Plain, Average, Percentile };

/// What of that figure: its value, its sample size and confidence bounds, or the sums of a ratio's
/// numerator x and denominator y over sessions.
enum class Figure : std::uint8_t { Value, Samples, Low, High, SumX, SumY, SumXX, SumXY, SumYY };

constexpr bool needs_sessions(Figure figure) noexcept {
    return figure != Figure::Value && figure != Figure::SumX && figure != Figure::SumY;
}

/// A metric as asked for, e.g. `p95_latency`. Points into the dictionary, which must outlive it.
struct MetricUse {
    const Metric* metric = nullptr;
    Aggregate aggregate = Aggregate::Plain;
    Figure figure = Figure::Value;
    double level = 0;  ///< of a percentile, 0-1
    std::string name;  ///< as asked for: the key of the answer's rows
};

/// A dimension as asked for; `dimension` is null for a custom tag (`tag.<name>`).
struct DimensionUse {
    const Dimension* dimension = nullptr;
    std::string tag;
    std::string name;
    ValueType type() const noexcept {
        return dimension == nullptr ? ValueType::String : dimension->type;
    }
    bool on(Source source) const noexcept { return dimension == nullptr || dimension->on(source); }
    bool is(std::string_view key) const noexcept {
        return dimension != nullptr && dimension->key == key;
    }
};

/// Longest name of a tag in a request, bytes.
inline constexpr std::size_t kTagNameBytesMax = 128;

bool find_metric(const Dictionary& dictionary, std::string_view name, MetricUse& out);
bool find_dimension(const Dictionary& dictionary, std::string_view name, DimensionUse& out);

/// A 400 with the nearest known name.
tl::unexpected<Error> unknown_name(const Dictionary& dictionary, std::string_view parameter,
                                   std::string_view name, std::string_view expected);

}  // namespace playhead::query
