#include "alerts/rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "query/nearest.h"

namespace playhead::alerts {

namespace {

using Json = nlohmann::json;

constexpr std::array kSetByServer{"id", "customerid", "revision"};
constexpr std::array kSeverities{"Info", "Warning", "Critical"};
constexpr std::int64_t kMinute_s = 60;
constexpr std::int64_t kDay_s = 86'400;
constexpr std::int64_t kReferenceDaysMax = 31;
constexpr double kNumberMax = 1e15;
constexpr std::size_t kShownBytesMax = 100;

std::string shown(const Json& value) {
    // Not the text of nested values: writing those recurses as deep as a client likes.
    if (value.is_structured()) return value.type_name();
    auto text = value.is_string() ? value.get<std::string>()
                                  : value.dump(-1, ' ', true, Json::error_handler_t::replace);
    if (text.size() > kShownBytesMax) text.resize(kShownBytesMax);
    return text;
}

tl::unexpected<Error> refuse(const std::string& field, const Json& value, std::string expected) {
    return fail_parameter(field, shown(value), std::move(expected),
                          fmt::format("the rule's {} is not valid", field));
}

/// Reads fields one by one and remembers which names it knows.
class RuleReader {
public:
    explicit RuleReader(const Json& json) : json_(json) {}

    /// The first error, or an unknown field.
    Result<void> finish() {
        if (error_) return fail(*error_);
        for (const auto& item : json_.items()) {
            const auto& known = names_;
            if (std::find(known.begin(), known.end(), item.key()) != known.end()) continue;
            if (std::find(kSetByServer.begin(), kSetByServer.end(), item.key()) !=
                kSetByServer.end()) {
                continue;
            }
            const auto near = query::nearest_name(item.key(), known);
            return fail_parameter(
                item.key().substr(0, kShownBytesMax), shown(item.value()),
                near.empty() ? "a field of a rule" : "did you mean \"" + near + "\"?",
                "unknown field of a rule");
        }
        return {};
    }

    void text(const char* name, std::string& out, std::size_t bytes_max, bool required) {
        const auto* value = find(name, required);
        if (value == nullptr) return;
        const bool good =
            value->is_string() && value->get_ref<const std::string&>().size() <= bytes_max;
        if (!good || (required && value->get_ref<const std::string&>().empty())) {
            return set(refuse(name, *value, fmt::format("text of at most {} bytes", bytes_max)));
        }
        out = value->get<std::string>();
    }

    template <class Allowed>
    void choice(const char* name, std::string& out, const Allowed& allowed) {
        const auto* value = find(name, false);
        if (value == nullptr) return;
        std::string list;
        for (const auto* each : allowed) {
            if (value->is_string() && value->get_ref<const std::string&>() == each) {
                out = each;
                return;
            }
            list += (list.empty() ? "" : ", ") + std::string(each);
        }
        set(refuse(name, *value, "one of " + list));
    }

    void flag(const char* name, bool& out) {
        const auto* value = find(name, false);
        if (value == nullptr) return;
        if (!value->is_boolean()) return set(refuse(name, *value, "true or false"));
        out = value->get<bool>();
    }

    std::optional<double> number(const char* name, double least, double most) {
        const auto* value = find(name, false);
        if (value == nullptr || value->is_null()) return {};
        const double given = value->is_number() ? value->get<double>() : std::nan("");
        if (!(given >= least && given <= most)) {
            set(refuse(name, *value, fmt::format("a number from {} to {}", least, most)));
            return {};
        }
        return given;
    }

    template <class Whole>
    void whole(const char* name, Whole& out, std::int64_t least, std::int64_t most,
               std::int64_t step = 1) {
        const auto* value = find(name, false);
        if (value == nullptr) return;
        const bool integer = value->is_number_integer() &&
                             (!value->is_number_unsigned() ||
                              value->get<std::uint64_t>() <= static_cast<std::uint64_t>(most));
        const auto given = integer ? value->get<std::int64_t>() : least - 1;
        if (given < least || given > most || given % step != 0) {
            return set(refuse(name, *value,
                              fmt::format("a whole number from {} to {}{}", least, most,
                                          step == 1 ? "" : fmt::format(", multiple of {}", step))));
        }
        out = static_cast<Whole>(given);
    }

    void texts(const char* name, std::vector<std::string>& out, std::size_t most) {
        const auto* value = find(name, false);
        if (value == nullptr) return;
        const auto expected = fmt::format("an array of at most {} texts", most);
        if (!value->is_array() || value->size() > most) return set(refuse(name, *value, expected));
        for (const auto& item : *value) {
            if (!item.is_string() || item.get_ref<const std::string&>().empty() ||
                item.get_ref<const std::string&>().size() > kNameBytesMax) {
                return set(refuse(name, item, expected));
            }
            out.push_back(item.get<std::string>());
        }
    }

    void set(tl::unexpected<Error> error) {
        if (!error_) error_ = std::move(error.value());
    }

private:
    const Json* find(const char* name, bool required) {
        names_.emplace_back(name);
        const auto found = json_.find(name);
        if (found != json_.end()) return &*found;
        if (required) {
            set(fail_parameter(name, "", "a text", fmt::format("the rule has no {}", name)));
        }
        return nullptr;
    }

    const Json& json_;
    std::vector<std::string> names_;
    std::optional<Error> error_;
};

void read_threshold(RuleReader& reader, Rule& rule) {
    rule.threshold = reader.number("threshold", -kNumberMax, kNumberMax);
    reader.whole("referencewindow", rule.reference_window_s, 3600, kReferenceDaysMax * kDay_s,
                 kMinute_s);
    rule.factor = reader.number("factor", 0, kNumberMax).value_or(1);
    if (rule.threshold.has_value() == (rule.reference_window_s > 0)) {
        reader.set(fail_parameter("threshold", "", "threshold, or referencewindow (with factor)",
                                  "a rule has a fixed threshold or a reference window"));
    }
}

/// One metric, and dimensions that are values of sessions: the evaluator puts these names in a
/// list.
void check_names(RuleReader& reader, const Rule& rule) {
    if (rule.metric.find(',') != std::string::npos) {
        reader.set(refuse("metric", rule.metric, "one metric"));
    }
    for (auto item = rule.dimensions.begin(); item != rule.dimensions.end(); ++item) {
        if (item->find(',') != std::string::npos || *item == "timestamp" ||
            std::find(rule.dimensions.begin(), item, *item) != item) {
            reader.set(refuse("dimensions", *item, "names of dimensions, each once, no timestamp"));
        }
    }
}

Result<Json> read_object(std::string_view text) {
    if (text.size() > kRuleBytesMax) {
        return fail(ErrorCode::InvalidArgument, "the rule is too long");
    }
    auto json = Json::parse(text, nullptr, false);
    if (json.is_discarded() || !json.is_object()) {
        return fail_parameter("body", "", "one JSON object", "the body is not a JSON object");
    }
    return json;
}

Result<Rule> read(const Json& json) {
    Rule rule;
    RuleReader reader(json);
    reader.text("name", rule.name, kNameBytesMax, true);
    std::string type;
    reader.choice("type", type, std::array{"Manual"});
    reader.flag("enabled", rule.enabled);
    reader.text("metric", rule.metric, kNameBytesMax, true);
    reader.text("filter", rule.filter, kRuleBytesMax, false);
    reader.texts("dimensions", rule.dimensions, kRuleDimensionsMax);
    std::string comparison = "above";
    reader.choice("operator", comparison, std::array{"above", "below"});
    rule.above = comparison == "above";
    check_names(reader, rule);
    read_threshold(reader, rule);
    reader.whole("calculationperiod", rule.calculation_period_s, kMinute_s, kDay_s, kMinute_s);
    reader.whole("detectioninterval", rule.detection_interval_s, kMinute_s, kDay_s, kMinute_s);
    rule.min_attempts = reader.number("minattempts", 0, kNumberMax).value_or(rule.min_attempts);
    rule.min_users = reader.number("minusers", 0, kNumberMax).value_or(rule.min_users);
    reader.choice("severity", rule.severity, kSeverities);
    reader.whole("persistence", rule.persistence, 1, 60);
    reader.whole("resolution", rule.resolution, 1, 60);
    reader.whole("cooldown", rule.cooldown_s, 0, 7 * kDay_s);
    reader.texts("notify", rule.notify, kNotifyMax);
    reader.text("notifysecret", rule.notify_secret, kNameBytesMax, false);
    if (auto done = reader.finish(); !done) return fail(done.error());
    return rule;
}

}  // namespace

Result<Rule> parse_rule(std::string_view text) {
    const auto json = read_object(text);
    if (!json) return fail(json.error());
    return read(*json);
}

Result<Rule> stored_rule(std::string_view text) {
    const auto json = read_object(text);
    if (!json) return fail(json.error());
    auto rule = read(*json);
    if (!rule) return rule;
    rule->id = json->value("id", std::string());
    rule->customer_id = json->value("customerid", std::uint64_t{0});
    rule->revision = json->value("revision", std::int64_t{1});
    return rule;
}

namespace {

void write_members(JsonWriter& json, const Rule& rule) {
    json.member("id", rule.id);
    json.member("customerid", rule.customer_id);
    json.member("revision", rule.revision);
    json.member("name", rule.name);
    json.member("type", "Manual");
    json.member("enabled", rule.enabled);
    json.member("metric", rule.metric);
    json.member("filter", rule.filter);
    json.member("dimensions", rule.dimensions);
    json.member("operator", rule.above ? "above" : "below");
    if (rule.threshold) {
        json.member("threshold", *rule.threshold);
    } else {
        json.member("referencewindow", rule.reference_window_s);
        json.member("factor", rule.factor);
    }
    json.member("calculationperiod", rule.calculation_period_s);
    json.member("detectioninterval", rule.detection_interval_s);
    json.member("minattempts", rule.min_attempts);
    json.member("minusers", rule.min_users);
    json.member("severity", rule.severity);
    json.member("persistence", rule.persistence);
    json.member("resolution", rule.resolution);
    json.member("cooldown", rule.cooldown_s);
    json.member("notify", rule.notify);
}

}  // namespace

void write_rule(JsonWriter& json, const Rule& rule) {
    json.begin_object();
    write_members(json, rule);
    json.end_object();
}

std::string stored_rule_json(const Rule& rule) {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    write_members(json, rule);
    json.member("notifysecret", rule.notify_secret);
    json.end_object();
    return out;
}

std::string rule_json(const Rule& rule) {
    std::string out;
    JsonWriter json(out);
    write_rule(json, rule);
    return out;
}

}  // namespace playhead::alerts
