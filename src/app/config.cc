#include "app/config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "base/check.h"

namespace playhead::app {

namespace {

constexpr std::int64_t kMax = 1'000'000'000'000;
using enum SettingKind;

constexpr std::array kSettings{
    Setting{"data_dir", Text, "playhead-data", 0, 0, "where everything is kept"},
    Setting{"listen", Text, "127.0.0.1:8080", 0, 0, "address and port; port 0 takes a free one"},
    Setting{"public_url", Text, "", 0, 0, "how players reach this server; empty: from Host"},
    Setting{"log_level", Text, "info", 0, 0, "trace, debug, info, warn, error or off"},
    Setting{"shards", Integer, "0", 0, 256, "network threads; 0: one per core"},
    Setting{"tls.certificate", Text, "", 0, 0, "PEM chain; with tls.key the server speaks https"},
    Setting{"tls.key", Text, "", 0, 0, "PEM private key"},
    Setting{"geo_db", List, "", 0, 0, "MaxMind-format files: country, city, ASN, ISP in any mix"},
    Setting{"ua_rules", Text, "", 0, 0, "uap-core regexes.yaml; empty: the cache of ./dev setup"},
    Setting{"trusted_proxies", List, "127.0.0.1/32,::1/128", 0, 0,
            "networks whose X-Forwarded-For is believed"},
    Setting{"address_policy", Text, "/24", 0, 0,
            "how much of an address is stored: none (all of it), /24, /16 or drop"},
    Setting{"ingest.body_bytes_max", Integer, "4194304", 1024, 67108864, "largest beacon body"},
    Setting{"ingest.rate_limit_per_address_per_s", Integer, "50000", 0, kMax,
            "requests of one address for one customer; 0: no limit"},
    Setting{"ingest.durability", Text, "fsync", 0, 0,
            "fsync: acknowledged means on disk; os: with the kernel"},
    Setting{"ingest.workers", Integer, "1", 1, 16, "timeline threads"},
    Setting{"ingest.cut_interval_ms", Integer, "1000", 50, 60000, "how often rows reach the store"},
    Setting{"ingest.whole_cut_interval_ms", Integer, "5000", 0, 60000,
            "how often rows that may wait do: slices, closed sessions, open ones without a new "
            "state; 0 = with every cut"},
    Setting{"ingest.snapshot_interval_ms", Integer, "60000", 1000, 3600000,
            "how often the timeline is saved"},
    Setting{"ingest.linger_ms", Integer, "5000", 0, 600000,
            "how long an ended session waits for late records before it is closed"},
    Setting{"ingest.live_row_ms", Integer, "15000", 100, 600000,
            "least time between rows of an open session without a new state; up to 4 times that "
            "with more than 30,000 open sessions"},
    Setting{"ingest.slice_ms", Integer, "30000", 1000, 600000,
            "least time between slices of an open session; up to twice that with more than 30,000"},
    Setting{"retention.journal_days", Integer, "7", 1, 3650, "raw beacons"},
    Setting{"retention.sessions_days", Integer, "400", 1, 3650, "sessions, ad views and rollups"},
    Setting{"retention.slices_days", Integer, "90", 1, 3650, "per-minute slices"},
    Setting{"retention.events_days", Integer, "90", 1, 3650, "events and app events"},
    Setting{"store.library", Text, "", 0, 0, "libchdb.so; empty: the cache of ./dev setup"},
    Setting{"store.memory_bytes_max", Integer, "4294967296", 268435456, kMax,
            "memory of the engine"},
    Setting{"query.connections", Integer, "0", 0, 64, "queries at once; 0: three times the cores"},
    Setting{"query.tenant_connections", Integer, "0", 0, 64,
            "queries of one customer at once; 0: as many as cores"},
    Setting{"query.waiting_max", Integer, "512", 1, 100000, "queries that may wait for their turn"},
    Setting{"query.tenant_waiting_max", Integer, "64", 1, 100000, "the same of one customer"},
    Setting{"query.wait_limit_s", Integer, "30", 1, 3600, "longest wait for a turn; then 503"},
    Setting{"query.cache_bytes_max", Integer, "67108864", 0, kMax,
            "memory of kept answers; 0: none are kept"},
    Setting{"query.kept_days", Boolean, "true", 0, 0,
            "sum the days of questions that are asked again, in the background"},
    Setting{"query.tenant_memory_bytes_max", Integer, "3221225472", 134217728, kMax,
            "memory of all queries of one customer together"},
    Setting{"query.time_limit_s", Integer, "200", 1, 3600, "longest query"},
    Setting{"sql.rows_max", Integer, "1000000", 1, kMax, "rows of an answer to a tenant's SQL"},
    Setting{"sql.time_limit_s", Integer, "30", 1, 3600, "longest SQL statement of a tenant"},
    Setting{"sql.memory_bytes_max", Integer, "1073741824", 16777216, kMax,
            "memory of a tenant's SQL statement"},
    Setting{"alerts.settle_s", Integer, "60", 0, 604'800,
            "an interval is evaluated when beacons are complete and this much has passed"},
    Setting{"alerts.webhook_networks", List, "", 0, 0,
            "networks that are not public and may be told of alerts, e.g. 10.1.0.0/16"},
    Setting{"exports.roots", List, "", 0, 0, "directories below which tenants may export"},
    Setting{"exports.s3_endpoints", List, "", 0, 0,
            "S3 origins (https://host) to which tenants may export"},
    Setting{"query.memory_bytes_max", Integer, "2147483648", 67108864, kMax, "memory of one query"},
    Setting{"auth.realm", Text, "playhead", 0, 0, "realm of the built-in issuer"},
    Setting{"auth.public_url", Text, "", 0, 0,
            "base URL in the built-in issuer's tokens; empty: from Host"},
    Setting{"auth.clients", List, "smartsight-backend,playhead-portal", 0, 0,
            "public clients of the built-in issuer"},
    Setting{"auth.redirect_uris", List, "", 0, 0,
            "client=URI, where its login may return to; the portal: this server"},
    Setting{"auth.post_logout_redirect_uris", List, "", 0, 0,
            "client=URI, where its logout may go on to; the portal: this server"},
    Setting{"auth.issuer", Text, "", 0, 0,
            "external OpenID provider, e.g. https://id.example.com/realms/x; empty: built-in"},
    Setting{"auth.ca_file", Text, "", 0, 0,
            "PEM authorities for the provider; empty: the system's"},
    Setting{"auth.audience", Text, "account", 0, 0, "aud that the provider's tokens must name"},
    Setting{"auth.claim_customer", Text, "custId", 0, 0, "claim with the customer id"},
    Setting{"auth.claim_customers", Text, "group", 0, 0, "claim with further customers"},
    Setting{"auth.claim_plan", Text, "level", 0, 0, "claim with the plan level"},
    Setting{"auth.claim_roles", Text, "realm_access.roles", 0, 0, "claim with the roles"},
    Setting{"auth.role_map", List, "", 0, 0,
            "provider's role=viewer, editor or admin; empty: same names"},
};

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return std::string(text);
}

std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] =
                std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

const Setting* find(std::string_view key) {
    for (const Setting& setting : kSettings) {
        if (key == setting.key) return &setting;
    }
    return nullptr;
}

std::string nearest(std::string_view key) {
    const auto best = std::min_element(kSettings.begin(), kSettings.end(),
                                       [&](const Setting& a, const Setting& b) {
                                           return distance(key, a.key) < distance(key, b.key);
                                       });
    return best->key;
}

/// Flattens nested maps into dotted keys; lists become comma lists.
Result<void> flatten(const YAML::Node& node, const std::string& prefix, Config& config,
                     const std::string& origin) {
    if (node.IsMap()) {
        for (const auto& entry : node) {
            const auto key = entry.first.as<std::string>();
            std::string full = prefix;
            if (!full.empty()) full += '.';
            full += key;
            if (auto done = flatten(entry.second, full, config, origin); !done) return done;
        }
        return {};
    }
    std::string value;
    if (node.IsSequence()) {
        for (const auto& entry : node) {
            if (!value.empty()) value += ',';
            value += entry.as<std::string>();
        }
    } else if (node.IsScalar()) {
        value = node.as<std::string>();
    }
    return config.set(prefix, value, fmt::format("{}:{}", origin, node.Mark().line + 1));
}

}  // namespace

std::span<const Setting> settings() {
    return kSettings;
}

std::string flag_of(const Setting& setting) {
    std::string flag = std::string("--") + setting.key;
    std::replace(flag.begin() + 2, flag.end(), '.', '-');
    std::replace(flag.begin() + 2, flag.end(), '_', '-');
    return flag;
}

std::string variable_of(const Setting& setting) {
    std::string name = std::string("PLAYHEAD_") + setting.key;
    for (char& c : name)
        c = c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return name;
}

Config::Config() {
    for (const Setting& setting : kSettings)
        values_[setting.key] = {setting.default_value, "default"};
}

Result<void> Config::set(std::string_view key, std::string text, std::string origin) {
    const Setting* setting = find(key);
    if (setting == nullptr) {
        return fail_parameter(
            std::string(key), text, nearest(key),
            fmt::format("{}: unknown key '{}'; did you mean '{}'?", origin, key, nearest(key)));
    }
    text = trimmed(text);
    const auto wrong = [&](const std::string& expected) {
        return fail_parameter(
            std::string(key), text, expected,
            fmt::format("{}: {} is '{}', expected {}", origin, key, text, expected));
    };
    if (setting->kind == SettingKind::Integer) {
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc() || end != text.data() + text.size() || number < setting->low ||
            number > setting->high) {
            return wrong(fmt::format("a whole number from {} to {}", setting->low, setting->high));
        }
    }
    if (setting->kind == SettingKind::Boolean && text != "true" && text != "false") {
        return wrong("true or false");
    }
    if (key == "ingest.durability" && text != "fsync" && text != "os") return wrong("fsync or os");
    values_[std::string(key)] = {std::move(text), std::move(origin)};
    return {};
}

Result<void> Config::load_yaml(const std::string& path) {
    try {
        const YAML::Node root = YAML::LoadFile(path);
        if (root.IsNull()) return {};
        if (!root.IsMap()) {
            return fail(ErrorCode::InvalidArgument, path + ": expected keys and values");
        }
        return flatten(root, "", *this, path);
    } catch (const YAML::Exception& error) {
        return fail(ErrorCode::InvalidArgument, fmt::format("{}: {}", path, error.what()));
    }
}

Result<void> Config::load_environment() {
    for (const Setting& setting : kSettings) {
        const std::string name = variable_of(setting);
        const char* value = std::getenv(name.c_str());
        if (value == nullptr) continue;
        if (auto done = set(setting.key, value, name); !done) return done;
    }
    return {};
}

const Config::Value& Config::value(std::string_view key) const {
    const auto found = values_.find(key);
    PH_CHECK(found != values_.end());
    return found->second;
}

std::string Config::text(std::string_view key) const {
    return value(key).text;
}

std::int64_t Config::integer(std::string_view key) const {
    const std::string& text = value(key).text;
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

bool Config::boolean(std::string_view key) const {
    return value(key).text == "true";
}

std::vector<std::string> Config::list(std::string_view key) const {
    std::vector<std::string> parts;
    std::string_view rest = value(key).text;
    while (!rest.empty()) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        if (std::string part = trimmed(rest.substr(0, comma)); !part.empty()) parts.push_back(part);
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return parts;
}

std::string Config::print() const {
    std::string text;
    for (const Setting& setting : kSettings) {
        const Value& entry = value(setting.key);
        text += fmt::format("{}: \"{}\"  # {}; {}\n", setting.key, entry.text, entry.origin,
                            setting.help);
    }
    return text;
}

}  // namespace playhead::app
