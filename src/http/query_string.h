/// Query strings and application/x-www-form-urlencoded bodies. Pure; thread safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace playhead::http {

/// Parameters beyond this are refused with 400.
inline constexpr std::size_t kQueryParametersMax = 512;

/// Decodes %XX, and '+' as a space where `plus_is_space`. nullopt where a '%' is not followed by
/// two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

/// Encodes everything but RFC 3986 unreserved characters.
std::string percent_encode(std::string_view text);

struct QueryParameter {
    std::string name;      ///< decoded
    std::string value;     ///< decoded; empty without '='
    std::string_view raw;  ///< the value as sent, a view into what was parsed
};

/// The parameters in order; names may repeat.
class QueryString {
public:
    /// Splits at '&' and at the first '=' of each part, then decodes; anything else ("=,[]|" in a
    /// value) may be sent raw. `text` must outlive the result's `raw` views. InvalidArgument names
    /// the parameter whose escape is malformed.
    static Result<QueryString> parse(std::string_view text);

    const std::vector<QueryParameter>& all() const noexcept { return parameters_; }
    /// The first of that name; nullptr when there is none.
    const QueryParameter* find(std::string_view name) const noexcept;
    /// The first value of that name, or `otherwise`.
    std::string_view get(std::string_view name, std::string_view otherwise = {}) const noexcept;
    /// Names and values in order, decoded.
    std::vector<std::pair<std::string, std::string>> pairs() const;

private:
    std::vector<QueryParameter> parameters_;
};

}  // namespace playhead::http
