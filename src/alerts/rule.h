/// A threshold rule: what is watched, when it is a breach, how long until it opens and resolves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"

namespace playhead::alerts {

inline constexpr std::size_t kRuleBytesMax = 64 * 1024;
inline constexpr std::size_t kRulesPerCustomerMax = 100;
inline constexpr std::size_t kRuleDimensionsMax = 4;
inline constexpr std::size_t kNotifyMax = 10;
inline constexpr std::size_t kNameBytesMax = 200;

struct Rule {
    std::string id;
    std::uint64_t customer_id = 0;
    std::int64_t revision = 1;  ///< up with every change; a change ends what is open
    std::string name;
    bool enabled = true;
    std::string metric;
    std::string filter;                   ///< any dialect of the query API; empty = all
    std::vector<std::string> dimensions;  ///< evaluated per combination of values; empty = all
    bool above = true;                    ///< operator: above or below the threshold
    std::optional<double> threshold;      ///< fixed, or else:
    std::int64_t reference_window_s = 0;  ///< average over this long before, times `factor`
    double factor = 1;
    std::int64_t calculation_period_s = 300;
    std::int64_t detection_interval_s = 300;
    double min_attempts = 5;
    double min_users = 3;
    std::string severity = "Warning";  ///< Info, Warning, Critical
    int persistence = 1;               ///< consecutive breaches until it opens
    int resolution = 1;                ///< consecutive clean intervals until it resolves
    std::int64_t cooldown_s = 0;       ///< after it resolved, before it may open again
    std::vector<std::string> notify;   ///< URLs of webhooks
    std::string notify_secret;         ///< signs what they get; shown to nobody
};

/// Reads the JSON of a client. InvalidArgument names the field, its value and what was expected;
/// an unknown field comes with the nearest known name. Names of metrics and dimensions are not
/// looked up here. Fields that the server sets (id, revision, …) may be there and are not taken.
Result<Rule> parse_rule(std::string_view json);

/// Reads what `stored_rule_json` wrote, id, customer and revision included.
Result<Rule> stored_rule(std::string_view json);
std::string stored_rule_json(const Rule& rule);

/// As the API shows it: without the secret.
void write_rule(JsonWriter& json, const Rule& rule);
std::string rule_json(const Rule& rule);

}  // namespace playhead::alerts
