/// The named inputs of an operation: what each takes, and the check of what was given. Pure.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace playhead::query {

/// Name and value as given, decoded, in order.
using Parameters = std::vector<std::pair<std::string, std::string>>;

enum class ParameterType : std::uint8_t {
    Text,
    Integer,  ///< from `least` to `most`
    Number,   ///< a decimal, from `low` to `high`
    Id,       ///< letters, digits, '-' and '_', at most `kIdBytesMax`
    Flag,     ///< 0, 1, true or false
    Choice,   ///< one of `choices`, in any case
    Names,    ///< a comma list of names that `names` describes
};

/// Longest Id, bytes.
inline constexpr std::size_t kIdBytesMax = 64;

/// One input. An empty value counts as not given.
struct Parameter {
    std::string name{};
    ParameterType type = ParameterType::Text;
    std::string description{};
    std::string otherwise{};  ///< the value when it is not given; for readers and for `Call::text`
    std::string example{};
    std::vector<std::string> choices{};
    std::int64_t least = 0;
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
    double low = 0, high = 0;   ///< of a Number
    std::size_t bytes_max = 0;  ///< of a Text; 0 = the request's own limit
    std::string names{};        ///< of Names: the component schema of one name
    bool required = false;
    bool in_path = false;
    bool ignored = false;  ///< known in another generation of the API: read, without effect
};

/// InvalidArgument that names parameter, value and what was expected.
Result<void> check_value(const Parameter& parameter, std::string_view value);

/// Every given name is in the table (else 400 with the nearest known name), given once and takes
/// its value, and what is required is there. Path parameters are not looked at.
Result<void> check_parameters(const std::vector<Parameter>& table, const Parameters& given);

/// A Flag's or Integer's value that has passed the check.
bool flag_of(std::string_view value) noexcept;
std::int64_t integer_of(std::string_view value) noexcept;

}  // namespace playhead::query
