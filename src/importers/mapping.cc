#include "importers/mapping.h"

#include <fmt/format.h>
#include <time.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "importers/log_time.h"
#include "query/nearest.h"

namespace playhead::importers {

namespace {

constexpr std::size_t kRulesMax = 512;
constexpr const char* kZoneFolder = "/usr/share/zoneinfo/";

tl::unexpected<Error> wrong(const std::string& origin, const YAML::Mark& mark, std::string what,
                            std::string expected = {}) {
    const std::string place = mark.is_null() ? origin : fmt::format("{}:{}", origin, mark.line + 1);
    return fail(Error{ErrorCode::InvalidArgument,
                      place + ": " + std::move(what),
                      "mapping",
                      {},
                      std::move(expected)});
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& names) {
    const std::string nearest = query::nearest_name(name, names);
    return nearest.empty() ? std::string() : "; did you mean " + nearest + "?";
}

/// One entry of `columns`.
Result<Mapping::Rule> read_rule(const std::string& origin, const std::string& name,
                                const YAML::Node& node) {
    static const std::vector<std::string> kKeys{"from",   "value", "unit",
                                                "format", "map",   "otherwise"};
    Mapping::Rule rule;
    auto field = find_session_field(name);
    if (!field) return wrong(origin, node.Mark(), field.error().message);
    rule.field = *field;
    if (node.IsScalar()) {
        rule.from = node.as<std::string>();
        return rule;
    }
    if (!node.IsMap()) return wrong(origin, node.Mark(), name + ": a column or a map expected");
    for (const auto& entry : node) {
        const auto key = entry.first.as<std::string>();
        if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
            return wrong(origin, entry.first.Mark(),
                         fmt::format("{}: unknown key '{}'{}", name, key, did_you_mean(key, kKeys)),
                         fmt::format("{}", fmt::join(kKeys, ", ")));
        }
    }
    if (node["from"].IsDefined() == node["value"].IsDefined()) {
        return wrong(origin, node.Mark(), name + ": either from or value");
    }
    if (node["from"]) rule.from = node["from"].as<std::string>();
    if (node["value"]) rule.constant = node["value"].as<std::string>();
    if (node["unit"]) {
        auto factor = unit_factor(rule.field, node["unit"].as<std::string>());
        if (!factor) {
            return wrong(origin, node.Mark(), factor.error().message, factor.error().expected);
        }
        rule.factor = *factor;
    }
    if (node["format"]) {
        rule.format = node["format"].as<std::string>();
        const bool known = rule.format == "auto" || rule.format == "iso" ||
                           rule.format == "epoch" || rule.format.find('%') != std::string::npos;
        if (rule.field.quantity != Quantity::Time || !known) {
            return wrong(origin, node.Mark(), name + ": a format of times expected",
                         "auto, iso, epoch, or a text with %Y, %m, …; for a time");
        }
    }
    if (node["map"]) {
        for (const auto& entry : node["map"]) {
            rule.values[entry.first.as<std::string>()] = entry.second.as<std::string>();
        }
    }
    if (node["otherwise"]) rule.otherwise = node["otherwise"].as<std::string>();
    return rule;
}

std::optional<double> flag_of(std::string_view text) {
    for (const char* yes : {"true", "True", "TRUE", "1", "yes", "t"}) {
        if (text == yes) return 1;
    }
    for (const char* no : {"false", "False", "FALSE", "0", "no", "f"}) {
        if (text == no) return 0;
    }
    return {};
}

bool is_status(std::string_view text) {
    for (const char* known : {"ENDED", "FAILED", "EXITED", "DROPPED", "RUNNING", "LOADED"}) {
        if (text == known) return true;
    }
    return false;
}

}  // namespace

Result<Mapping> Mapping::load(const std::string& path) {
    std::ifstream file(path);
    if (!file) return fail(ErrorCode::NotFound, fmt::format("cannot read {}", path));
    std::ostringstream text;
    text << file.rdbuf();
    return parse(text.str(), path);
}

Result<Mapping> Mapping::parse(const std::string& yaml, const std::string& origin) {
    static const std::vector<std::string> kKeys{"zone", "null", "columns"};
    // The library throws; nothing of it leaves this function.
    try {
        const YAML::Node root = YAML::Load(yaml);
        if (!root.IsMap() || !root["columns"] || !root["columns"].IsMap()) {
            return wrong(origin, root.Mark(), "no columns", "a map with the key columns");
        }
        Mapping mapping;
        for (const auto& entry : root) {
            const auto key = entry.first.as<std::string>();
            if (std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end()) continue;
            return wrong(origin, entry.first.Mark(),
                         fmt::format("unknown key '{}'{}", key, did_you_mean(key, kKeys)),
                         fmt::format("{}", fmt::join(kKeys, ", ")));
        }
        if (root["zone"]) {
            if (auto set = mapping.set_zone(root["zone"].as<std::string>()); !set) {
                return wrong(origin, root["zone"].Mark(), set.error().message,
                             set.error().expected);
            }
        }
        if (root["null"]) {
            mapping.nulls_.clear();
            for (const auto& text : root["null"]) mapping.nulls_.insert(text.as<std::string>());
        }
        for (const auto& entry : root["columns"]) {
            auto rule = read_rule(origin, entry.first.as<std::string>(), entry.second);
            if (!rule) return fail(rule.error());
            if (!mapping.known_.insert(rule->field.name).second) {
                return wrong(origin, entry.first.Mark(), rule->field.name + ": given twice");
            }
            mapping.rules_.push_back(std::move(*rule));
        }
        for (const char* needed : {"sessionid", "start_time"}) {
            if (!mapping.known_.contains(needed)) {
                return wrong(origin, root["columns"].Mark(),
                             fmt::format("{} has to come from somewhere", needed));
            }
        }
        if (mapping.rules_.size() > kRulesMax) {
            return wrong(origin, root.Mark(), "too many columns");
        }
        return mapping;
    } catch (const YAML::Exception& error) {
        return wrong(origin, error.mark, error.msg);
    }
}

Mapping Mapping::of(std::vector<Rule> rules) {
    Mapping mapping;
    for (const Rule& rule : rules) mapping.known_.insert(rule.field.name);
    mapping.rules_ = std::move(rules);
    return mapping;
}

Result<void> Mapping::set_zone(const std::string& name) {
    if (const auto offset = parse_offset_ms(name)) {
        zone_ms_ = *offset;
        return {};
    }
    // glibc takes an unknown name for UTC without a word.
    std::error_code error;
    const bool plain = name.find("..") == std::string::npos && !name.starts_with('/');
    if (!plain || !std::filesystem::is_regular_file(kZoneFolder + name, error)) {
        return fail_parameter("zone", name, "an IANA name that this system has, or +01:00",
                              fmt::format("unknown time zone '{}'", name));
    }
    ::setenv("TZ", name.c_str(), 1);
    ::tzset();
    zone_is_named_ = true;
    return {};
}

Result<void> Mapping::bind(const std::vector<std::string>& columns) {
    for (Rule& rule : rules_) {
        if (rule.from.empty()) continue;
        const auto found = std::find(columns.begin(), columns.end(), rule.from);
        if (found == columns.end()) {
            return fail(Error{ErrorCode::NotFound,
                              fmt::format("{}: the source has no column '{}'{}", rule.field.name,
                                          rule.from, did_you_mean(rule.from, columns)),
                              rule.field.name, rule.from,
                              fmt::format("{}", fmt::join(columns, ", "))});
        }
        rule.column = static_cast<std::size_t>(found - columns.begin());
    }
    return {};
}

std::vector<std::string> Mapping::unused(const std::vector<std::string>& columns) const {
    std::vector<std::string> out;
    for (const std::string& column : columns) {
        const bool used = std::any_of(rules_.begin(), rules_.end(),
                                      [&](const Rule& rule) { return rule.from == column; });
        if (!used) out.push_back(column);
    }
    return out;
}

std::int64_t Mapping::from_local(std::int64_t local_ms) const {
    if (!zone_is_named_) return local_ms - zone_ms_;
    const std::int64_t fraction = ((local_ms % 1000) + 1000) % 1000;
    const auto seconds = static_cast<time_t>((local_ms - fraction) / 1000);
    struct tm parts{};
    ::gmtime_r(&seconds, &parts);
    parts.tm_isdst = -1;
    return static_cast<std::int64_t>(::mktime(&parts)) * 1000 + fraction;
}

std::optional<std::int64_t> Mapping::time_ms(const Rule& rule, std::string_view text) const {
    if (rule.format.find('%') != std::string::npos) {
        struct tm parts{};
        const std::string copy(text);
        const char* end = ::strptime(copy.c_str(), rule.format.c_str(), &parts);
        if (end == nullptr || *end != '\0') return {};
        return from_local(static_cast<std::int64_t>(::timegm(&parts)) * 1000);
    }
    if (rule.format != "iso") {
        if (const auto time = parse_epoch_ms(text)) return time;
        if (rule.format == "epoch") return {};
    }
    const auto time = parse_iso_ms(text);
    // The same under another zone: the text has an offset of its own.
    if (time && parse_iso_ms(text, 3'600'000) == time) return time;
    if (time) return from_local(*time);
    return rule.format == "auto" ? parse_clf_ms(text) : std::nullopt;
}

Result<double> Mapping::number(const Rule& rule, std::string_view text) const {
    if (rule.field.quantity == Quantity::Time) {
        if (const auto time = time_ms(rule, text)) return static_cast<double>(*time);
    } else if (rule.field.quantity == Quantity::Flag) {
        if (const auto flag = flag_of(text)) return *flag;
    } else {
        double value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error == std::errc() && end == text.data() + text.size()) return value * rule.factor;
    }
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{}: a value that is no {}", rule.field.name,
                            rule.field.quantity == Quantity::Time   ? "time of its format"
                            : rule.field.quantity == Quantity::Flag ? "true or false"
                                                                    : "number"));
}

Result<SessionDraft> Mapping::apply(const std::vector<std::string>& row) const {
    SessionDraft draft;
    for (const Rule& rule : rules_) {
        std::string_view text = rule.constant;
        if (!rule.from.empty()) {
            if (rule.column >= row.size()) {
                return fail(ErrorCode::InvalidArgument, "fewer fields than columns");
            }
            text = row[rule.column];
            if (const auto mapped = rule.values.find(text); mapped != rule.values.end()) {
                text = mapped->second;
            } else if (rule.otherwise) {
                text = *rule.otherwise;
            }
        }
        if (nulls_.contains(text)) continue;
        if (rule.field.quantity == Quantity::Time && text == "0") continue;
        if (rule.field.quantity == Quantity::Status && !is_status(text)) {
            return fail(ErrorCode::InvalidArgument,
                        "viewstatus: a value that is none of ENDED, FAILED, EXITED, DROPPED");
        }
        if (rule.field.quantity == Quantity::Text || rule.field.quantity == Quantity::Status) {
            set_text(draft, rule.field, text);
            continue;
        }
        const auto value = number(rule, text);
        if (!value) return fail(value.error());
        set_number(draft, rule.field, *value);
    }
    return draft;
}

}  // namespace playhead::importers
