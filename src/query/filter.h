/// `filter` (three dialects) and `qoefilter`, read into trees of checked names and raw values. The
/// values are data: they reach the engine as bound parameters only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/names.h"

namespace playhead::query {

enum class Operator : std::uint8_t {
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Contains,
    NotContains,
    StartsWith,
    Matches,
    Null,
    NotNull
};

/// One bracket: a dimension, an operator and values of which one must hold (for != and !~: none).
struct Condition {
    DimensionUse dimension;
    Operator op = Operator::Equal;
    std::vector<std::string> values;
};

/// Conditions that must all hold.
using Filter = std::vector<Condition>;

inline constexpr std::size_t kFilterBytesMax = 262144;
inline constexpr std::size_t kFilterConditionsMax = 64;
inline constexpr std::size_t kFilterValuesMax = 1000;
inline constexpr std::size_t kRegexBytesMax = 1000;

/// Reads any of
///   [country=US|Canada][platform=Android]   `|` OR inside a bracket, brackets AND
///   city=A | B, device=C                    `,` AND (only before a known name and an operator)
///   assetid=GameOfThrones
/// Operators: = != > >= < <= ~ (contains) !~ ^ (starts with) =~ (RE2) and the value `null`.
/// In brackets, `\` before `]`, `[`, `|` or `\` takes that character as it is; after =~ the text up
/// to the bracket's end is one expression (nested [...] belong to it). Numbers and booleans are
/// checked against the type of the dimension. InvalidArgument with what was expected.
Result<Filter> parse_filter(std::string_view text, const Dictionary& dictionary);

/// A tree of comparisons of metrics.
struct QoeNode {
    enum class Kind : std::uint8_t { And, Or, Compare } kind = Kind::Compare;
    std::vector<QoeNode> children;  ///< of And and Or
    MetricUse metric;               ///< of Compare
    Operator op = Operator::Greater;
    double value = 0;
};

inline constexpr std::size_t kQoeFilterBytesMax = 4096;
inline constexpr int kQoeFilterDepthMax = 32;

/// Reads `latency>3 AND (bufferingratio>5 OR errors>=1)`; AND binds closer than OR, both in any
/// case; operators > >= < <= = !=. The filter keeps the sessions whose own value fulfils it (a
/// session without the value does not), in every view.
Result<QoeNode> parse_qoe_filter(std::string_view text, const Dictionary& dictionary);

}  // namespace playhead::query
