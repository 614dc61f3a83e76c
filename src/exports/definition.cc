#include "exports/definition.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/json_writer.h"

namespace playhead::exports {

namespace {

constexpr std::array<std::string_view, 4> kTables{"sessions", "slices", "events", "ad_views"};

tl::unexpected<Error> wrong(std::string field, std::string_view value, std::string expected) {
    auto message = "the export's '" + field + "' is wrong";
    return fail_parameter(std::move(field), std::string(value.substr(0, 200)), std::move(expected),
                          std::move(message));
}

bool is_plain(std::string_view text, std::string_view extras) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               extras.find(c) != std::string_view::npos;
    });
}

/// A path below one of the roots, also after links are followed.
bool is_below(const std::string& path, const std::vector<std::string>& roots) {
    std::error_code error;
    const auto real = std::filesystem::weakly_canonical(path, error);
    if (error || path.find("..") != std::string::npos) return false;
    return std::any_of(roots.begin(), roots.end(), [&](const std::string& root) {
        std::error_code failed;
        const auto real_root = std::filesystem::canonical(root, failed);
        if (failed) return false;
        const auto [mismatch, rest] =
            std::mismatch(real_root.begin(), real_root.end(), real.begin(), real.end());
        return mismatch == real_root.end();
    });
}

Result<void> check_s3(Definition& definition, const ExportPolicy& policy) {
    S3Place& place = definition.s3;
    const auto rest = definition.target.substr(5);
    const auto slash = rest.find('/');
    place.bucket = rest.substr(0, slash);
    place.prefix = slash == std::string::npos ? "" : rest.substr(slash + 1);
    while (place.prefix.ends_with('/')) place.prefix.pop_back();
    if (place.bucket.size() < 3 || place.bucket.size() > 63 || !is_plain(place.bucket, ".-") ||
        place.prefix.size() > 512 || !is_plain(place.prefix, "/._=-") ||
        place.prefix.find("..") != std::string::npos) {
        return wrong("target", definition.target,
                     "s3://bucket/prefix of letters, digits, / . _ = -");
    }
    if (std::find(policy.s3_endpoints.begin(), policy.s3_endpoints.end(), place.endpoint) ==
        policy.s3_endpoints.end()) {
        return wrong("endpoint", place.endpoint,
                     "one that the operator allows (exports.s3_endpoints)");
    }
    if (place.region.empty()) place.region = "us-east-1";
    if (!is_plain(place.region, "-")) return wrong("region", place.region, "letters, digits, -");
    if (place.access_key.empty() || !is_plain(place.access_key, "/+=_-")) {
        return wrong("access_key", place.access_key, "the id of an access key");
    }
    if (place.secret_key.empty()) return wrong("secret_key", {}, "the secret of the access key");
    return {};
}

Result<void> check(Definition& definition, const ExportPolicy& policy) {
    if (std::find(kTables.begin(), kTables.end(), definition.table) == kTables.end()) {
        return wrong("table", definition.table, "sessions, slices, events or ad_views");
    }
    if (definition.schedule != "hourly" && definition.schedule != "daily") {
        return wrong("schedule", definition.schedule, "hourly or daily");
    }
    if (definition.lateness_minutes < 0 || definition.lateness_minutes > 1440) {
        return wrong("lateness_minutes", std::to_string(definition.lateness_minutes), "0 to 1440");
    }
    if (definition.lookback_days < 1 || definition.lookback_days > kLookbackDaysMax) {
        return wrong("lookback_days", std::to_string(definition.lookback_days), "1 to 31");
    }
    if (definition.to_s3()) return check_s3(definition, policy);
    if (!definition.target.starts_with("file:///") || definition.target.size() > 1024) {
        return wrong("target", definition.target, "file:///directory or s3://bucket/prefix");
    }
    if (!is_below(definition.target.substr(7), policy.roots)) {
        return wrong("target", definition.target,
                     "a directory below one that the operator allows (exports.roots)");
    }
    return {};
}

}  // namespace

Result<Definition> parse_definition(std::string_view json, const ExportPolicy& policy) {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS) {
        return wrong("body", {}, "a JSON object with table, target and schedule");
    }
    Definition definition;
    const std::array<std::pair<std::string_view, std::string*>, 8> texts{
        {{"id", &definition.id},
         {"table", &definition.table},
         {"target", &definition.target},
         {"schedule", &definition.schedule},
         {"endpoint", &definition.s3.endpoint},
         {"region", &definition.s3.region},
         {"access_key", &definition.s3.access_key},
         {"secret_key", &definition.s3.secret_key}}};
    for (const auto [key, value] : object) {
        const auto text = std::find_if(texts.begin(), texts.end(), [name = key](const auto& entry) {
            return entry.first == name;
        });
        std::string_view given;
        std::int64_t number = 0;
        bool flag = false;
        if (text != texts.end()) {
            if (value.get(given) != simdjson::SUCCESS) {
                return wrong(std::string(key), simdjson::minify(value), "a text");
            }
            *text->second = given;
        } else if (key == "lateness_minutes" || key == "lookback_days") {
            if (value.get(number) != simdjson::SUCCESS) {
                return wrong(std::string(key), simdjson::minify(value), "a whole number");
            }
            (key == "lookback_days" ? definition.lookback_days : definition.lateness_minutes) =
                number;
        } else if (key == "enabled") {
            if (value.get(flag) != simdjson::SUCCESS) {
                return wrong(std::string(key), simdjson::minify(value), "true or false");
            }
            definition.enabled = flag;
        } else {
            return wrong(std::string(key), {},
                         "table, target, schedule, lateness_minutes, lookback_days, enabled, "
                         "endpoint, region, access_key, secret_key");
        }
    }
    if (auto fine = check(definition, policy); !fine) return fail(fine.error());
    return definition;
}

std::string definition_json(const Definition& definition, bool for_reading) {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    if (!definition.id.empty()) json.member("id", definition.id);
    json.member("table", definition.table);
    json.member("target", definition.target);
    json.member("schedule", definition.schedule);
    json.member("lateness_minutes", definition.lateness_minutes);
    json.member("lookback_days", definition.lookback_days);
    json.member("enabled", definition.enabled);
    if (definition.to_s3()) {
        json.member("endpoint", definition.s3.endpoint);
        json.member("region", definition.s3.region);
        json.member("access_key", definition.s3.access_key);
        if (!for_reading) json.member("secret_key", definition.s3.secret_key);
    }
    json.end_object();
    return out;
}

}  // namespace playhead::exports
