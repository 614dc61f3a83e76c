/// What a tenant asked to be exported. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace playhead::exports {

inline constexpr std::size_t kExportsPerCustomerMax = 32;
inline constexpr int kLookbackDaysMax = 31;

/// What the operator allows; nothing by default.
struct ExportPolicy {
    std::vector<std::string> roots;         ///< absolute directories
    std::vector<std::string> s3_endpoints;  ///< origins, e.g. "https://s3.example.org"
};

struct S3Place {
    std::string endpoint;  ///< origin
    std::string region;
    std::string bucket;
    std::string prefix;  ///< without slashes at its ends; may be empty
    std::string access_key;
    std::string secret_key;
};

struct Definition {
    std::string id;
    std::int64_t customer_id = 0;
    std::string table;   ///< sessions, slices, events or ad_views
    std::string target;  ///< file:///dir or s3://bucket/prefix
    S3Place s3;          ///< of an s3 target
    std::string schedule = "daily";
    std::int64_t lateness_minutes = 60;  ///< after the end of the hour or day
    std::int64_t lookback_days = 7;      ///< days watched for late sessions
    bool enabled = true;

    bool to_s3() const { return target.starts_with("s3://"); }
    std::int64_t period_s() const { return schedule == "hourly" ? 3600 : 86400; }
};

/// Reads the JSON of a request or of a document. InvalidArgument naming the field; also when the
/// policy does not allow the target.
Result<Definition> parse_definition(std::string_view json, const ExportPolicy& policy);

/// As it is stored; with `for_reading` without the secret key.
std::string definition_json(const Definition& definition, bool for_reading);

}  // namespace playhead::exports
