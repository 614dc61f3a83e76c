/// An alert as the table and the API have it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json_writer.h"

namespace playhead::alerts {

enum class Status : std::uint8_t { Open, Acknowledged, Resolved };
const char* name_of(Status status) noexcept;
std::optional<Status> status_named(std::string_view name) noexcept;

struct Alert {
    std::uint64_t customer_id = 0;
    std::string id;
    std::uint64_t version = 0;
    std::string rule_id;
    std::string name;
    std::string type = "Manual";  ///< AI, Manual
    std::string metric;
    std::vector<std::pair<std::string, std::string>> dimension;  ///< empty for all
    std::string severity;
    Status status = Status::Open;
    std::int64_t start_ms = 0;
    std::int64_t end_ms = 0;  ///< 0 = still open
    std::optional<double> value, baseline, lower, upper, deviation;
    std::string direction;  ///< above, below
    double attempts = 0, users = 0, affected_sessions = 0, affected_users = 0;
    std::int64_t calculation_period_s = 0, detection_interval_s = 0;
    std::string root_cause_json = "[]";  ///< ranked combinations with explained share
    std::vector<std::string> sample_sessions;
    std::vector<std::string> notified;
    std::string note;
};

/// One element of `response` (spec §9).
void write_alert(JsonWriter& json, const Alert& alert);

}  // namespace playhead::alerts
