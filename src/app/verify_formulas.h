/// The metrics' formulas as `playhead verify` has them: written by hand from the definitions'
/// texts, not read from the dictionary, so that a slip there shows.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "app/verify_sessions.h"

namespace playhead::app {

/// One summand of a group: a whole session, or its part within one hour.
struct Portion {
    const ExpectedSession& session;
    const model::AdditiveCounters& counters;
    std::int64_t active_ms = 0;
};

using Amount = double (*)(const Portion&);
/// The value that must be distinct; empty = not counted.
using Distinct = std::string (*)(const Portion&);

struct MetricFormula {
    std::string_view key;
    Amount numerator = nullptr;
    Amount denominator = nullptr;  ///< null: a sum
    Distinct distinct = nullptr;   ///< alone: a count of distinct values; else the denominator
    double factor = 1;
    bool slices = false;  ///< also answered with concurrency=1
};

/// Of sessions, with the default definitions.
std::span<const MetricFormula> session_formulas();

struct VariantFormula {
    std::string_view definition;
    MetricFormula formula;
};

/// Of the five metrics whose definitions differ between vendors.
std::span<const VariantFormula> variant_formulas();

}  // namespace playhead::app
