#include "alerts/alert.h"

#include <array>
#include <cmath>

namespace playhead::alerts {

namespace {

constexpr std::array kStatusNames{"Open", "Acknowledged", "Resolved"};
constexpr double kFourDecimals = 1e4;

void write_number(JsonWriter& json, const char* name, const std::optional<double>& value) {
    json.key(name);
    value ? json.value(std::round(*value * kFourDecimals) / kFourDecimals) : json.null();
}

}  // namespace

const char* name_of(Status status) noexcept {
    return kStatusNames[static_cast<std::size_t>(status)];
}

std::optional<Status> status_named(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kStatusNames.size(); ++i) {
        if (name == kStatusNames[i]) return static_cast<Status>(i);
    }
    return std::nullopt;
}

void write_alert(JsonWriter& json, const Alert& alert) {
    json.begin_object();
    json.member("alertid", alert.id);
    json.member("ruleid", alert.rule_id);
    json.member("alertname", alert.name);
    json.member("alerttype", alert.type);
    json.member("metric", alert.metric);
    json.key("dimension");
    json.begin_object();
    for (const auto& [name, value] : alert.dimension) json.member(name, value);
    json.end_object();
    json.member("severity", alert.severity);
    json.member("status", name_of(alert.status));
    json.member("starttime", alert.start_ms / 1000);
    json.key("endtime");
    alert.end_ms > 0 ? json.value(alert.end_ms / 1000) : json.null();
    write_number(json, "value", alert.value);
    write_number(json, "baseline", alert.baseline);
    write_number(json, "lower", alert.lower);
    write_number(json, "upper", alert.upper);
    write_number(json, "deviation", alert.deviation);
    json.member("direction", alert.direction);
    json.member("attempts", alert.attempts);
    json.member("users", alert.users);
    json.member("affectedsessions", alert.affected_sessions);
    json.member("affectedusers", alert.affected_users);
    json.member("calculationperiod", alert.calculation_period_s);
    json.member("detectioninterval", alert.detection_interval_s);
    json.key("rootcause");
    json.raw(alert.root_cause_json);
    json.member("sampleSessions", alert.sample_sessions);
    json.member("notified", alert.notified);
    json.member("note", alert.note);
    json.end_object();
}

}  // namespace playhead::alerts
