#include "importers/log_line.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>

#include "query/nearest.h"

namespace playhead::importers {

namespace {

constexpr std::size_t kColumnsMax = 256;

constexpr std::array<std::pair<const char*, LogFormat>, 6> kFormats{{
    {"auto", LogFormat::Auto},
    {"cloudfront", LogFormat::CloudFront},
    {"cloudfront-realtime", LogFormat::CloudFrontRealTime},
    {"akamai", LogFormat::Akamai},
    {"fastly", LogFormat::Fastly},
    {"nginx", LogFormat::Nginx},
}};

/// A file without its #Fields line: the order of the standard log.
constexpr std::string_view kCloudFrontFields =
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) "
    "cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header "
    "cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher "
    "x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port "
    "time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start "
    "sc-range-end";

/// All fields of a real-time log; it delivers those chosen in this order.
constexpr std::string_view kRealTimeFields =
    "timestamp c-ip s-ip time-to-first-byte sc-status sc-bytes cs-method cs-protocol cs-host "
    "cs-uri-stem cs-bytes x-edge-location x-edge-request-id x-host-header time-taken "
    "cs-protocol-version c-ip-version cs-user-agent cs-referer cs-cookie cs-uri-query "
    "x-edge-response-result-type x-forwarded-for ssl-protocol ssl-cipher x-edge-result-type "
    "fle-encrypted-fields fle-status sc-content-type sc-content-len sc-range-start sc-range-end "
    "c-port x-edge-detailed-result-type c-country cs-accept-encoding cs-accept "
    "cache-behavior-path-pattern cs-headers cs-header-names cs-headers-count "
    "primary-distribution-id primary-distribution-dns-name origin-fbl origin-lbl asn "
    "cmcd-encoded-bitrate cmcd-buffer-length cmcd-buffer-starvation cmcd-content-id "
    "cmcd-object-duration cmcd-deadline cmcd-measured-throughput cmcd-next-object-request "
    "cmcd-next-range-request cmcd-object-type cmcd-playback-rate "
    "cmcd-requested-maximum-throughput cmcd-streaming-format cmcd-session-id cmcd-stream-type "
    "cmcd-startup cmcd-top-bitrate cmcd-version";

/// nginx's predefined format, which is also the NCSA extended one.
constexpr std::string_view kCombined =
    R"($remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent )"
    R"("$http_referer" "$http_user_agent")";

tl::unexpected<Error> malformed(std::string message) {
    return fail(ErrorCode::InvalidArgument, std::move(message));
}

/// Fastly sends its lines through syslog: "<134>2026-07-04T22:37:26Z cache-sjc3128 name[62959]: …".
std::string_view without_syslog(std::string_view line) {
    constexpr std::string_view kEnd = "]: ";
    if (!line.starts_with('<')) return line;
    const std::size_t end = line.find(kEnd);
    return end == std::string_view::npos ? line : line.substr(end + kEnd.size());
}

int hex_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// nginx writes '"', '\' and what cannot be printed as \xHH.
std::string unescape_hex(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool escape = text[at] == '\\' && at + 3 < text.size() && text[at + 1] == 'x';
        const int high = escape ? hex_of(text[at + 2]) : -1;
        const int low = escape ? hex_of(text[at + 3]) : -1;
        if (high < 0 || low < 0) {
            out += text[at];
            continue;
        }
        out += static_cast<char>(high * 16 + low);
        at += 3;
    }
    return out;
}

bool is_variable_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

Result<LogFormat> parse_log_format(std::string_view name) {
    std::vector<std::string> names;
    names.reserve(kFormats.size());
    for (const auto& [known, format] : kFormats) {
        if (name == known) return format;
        names.emplace_back(known);
    }
    const std::string nearest = query::nearest_name(name, names);
    return fail_parameter("--format", std::string(name), fmt::format("{}", fmt::join(names, ", ")),
                          fmt::format("--format: unknown format '{}'{}", name,
                                      nearest.empty() ? "" : "; did you mean " + nearest + "?"));
}

Result<LogLineParser> LogLineParser::create(LogFormat format, const std::string& fields) {
    LogLineParser parser(format);
    Result<void> set;
    if (fields.find('$') != std::string::npos) {
        set = parser.set_template(fields);
    } else if (!fields.empty()) {
        set = parser.set_columns(fields, ',');
    } else if (format == LogFormat::CloudFront) {
        set = parser.set_columns(kCloudFrontFields, ' ');
    } else if (format == LogFormat::CloudFrontRealTime) {
        set = parser.set_columns(kRealTimeFields, ' ');
    } else if (format == LogFormat::Nginx || format == LogFormat::Fastly) {
        set = parser.set_template(kCombined);
    }
    if (!set) return fail(set.error());
    if (!fields.empty() && format == LogFormat::Auto) parser.format_ = LogFormat::Nginx;
    return parser;
}

Result<void> LogLineParser::set_columns(std::string_view names, char separator) {
    columns_.clear();
    parts_.clear();
    std::size_t known = 0;
    while (!names.empty()) {
        const std::size_t end = std::min(names.find(separator), names.size());
        std::string_view name = names.substr(0, end);
        names.remove_prefix(std::min(end + 1, names.size()));
        while (name.starts_with(' ')) name.remove_prefix(1);
        while (name.ends_with(' ')) name.remove_suffix(1);
        if (name.empty()) continue;
        known += is_known_field(name) ? 1U : 0U;
        columns_.emplace_back(name);
    }
    if (columns_.size() > kColumnsMax) {
        return fail_parameter("--fields", {}, fmt::format("at most {} names", kColumnsMax),
                              "--fields: too many names");
    }
    if (known > 0) return {};
    return fail_parameter("--fields", {},
                          "names of the log's columns, such as timestamp,c-ip,cs-uri-query",
                          "--fields: none of the names is a field that the import knows");
}

Result<void> LogLineParser::set_template(std::string_view text) {
    columns_.clear();
    parts_.clear();
    before_.clear();
    std::string* literal = &before_;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] != '$') {
            literal->push_back(text[at++]);
            continue;
        }
        if (literal->empty() && !parts_.empty()) {
            return fail_parameter("--fields", std::string(text), "text between any two variables",
                                  "--fields: two variables with nothing between them");
        }
        const bool braces = at + 1 < text.size() && text[at + 1] == '{';
        std::size_t end = at + (braces ? 2 : 1);
        const std::size_t begin = end;
        while (end < text.size() && is_variable_letter(text[end])) ++end;
        parts_.push_back({std::string(text.substr(begin, end - begin)), {}});
        at = end + (braces ? 1 : 0);
        literal = &parts_.back().after;
    }
    if (parts_.size() > kColumnsMax) {
        return fail_parameter("--fields", {}, fmt::format("at most {} variables", kColumnsMax),
                              "--fields: too many variables");
    }
    return {};
}

void LogLineParser::detect(std::string_view line) {
    const auto use = [this](LogFormat format) {
        auto parser = create(format, {});
        if (parser) *this = std::move(*parser);
    };
    if (line.starts_with('{')) {
        format_ = line.find("\"reqTimeSec\"") != std::string_view::npos ? LogFormat::Akamai
                                                                        : LogFormat::Fastly;
    } else if (line.find(" [") != std::string_view::npos &&
               line.find("] \"") != std::string_view::npos) {
        use(LogFormat::Nginx);
    } else if (line.find('\t') != std::string_view::npos) {
        const bool date = line.size() > 11 && line[4] == '-' && line[7] == '-' && line[10] == '\t';
        use(date ? LogFormat::CloudFront : LogFormat::CloudFrontRealTime);
    }
}

Result<std::optional<LogRecord>> LogLineParser::parse(std::string_view line) {
    constexpr std::string_view kFields = "#Fields:";
    if (line.starts_with(kFields)) {
        if (format_ == LogFormat::Auto) format_ = LogFormat::CloudFront;
        if (auto set = set_columns(line.substr(kFields.size()), ' '); !set) {
            return malformed("a #Fields line without any field that the import knows");
        }
        return std::nullopt;
    }
    line = without_syslog(line);
    if (line.starts_with('#') || line.find_first_not_of(" \t") == std::string_view::npos) {
        return std::nullopt;
    }
    if (format_ == LogFormat::Auto) detect(line);
    if (format_ == LogFormat::Auto) return malformed("none of the known formats (--format)");
    auto record = line.starts_with('{') ? parse_json(line)
                  : !parts_.empty()     ? parse_template(line)
                                        : parse_columns(line);
    if (!record) return fail(record.error());
    if (record->time_ms == 0) return malformed("no time that can be read");
    return std::move(*record);
}

Result<LogRecord> LogLineParser::parse_json(std::string_view line) const {
    thread_local simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(line.data(), line.size()).get(object) != simdjson::SUCCESS) {
        return malformed("not a JSON object");
    }
    LogRecord record;
    std::array<char, 32> number{};
    for (const auto field : object) {
        std::string_view text;
        double value = 0;
        bool flag = false;
        if (field.value.get(text) == simdjson::SUCCESS) {
            take_field(record, field.key, text);
        } else if (field.value.get(value) == simdjson::SUCCESS) {
            const auto end = fmt::format_to_n(number.data(), number.size(), "{:.16g}", value);
            take_field(record, field.key, {number.data(), std::min(end.size, number.size())});
        } else if (field.value.get(flag) == simdjson::SUCCESS) {
            take_field(record, field.key, flag ? "true" : "false");
        }
    }
    return record;
}

Result<LogRecord> LogLineParser::parse_columns(std::string_view line) const {
    if (columns_.empty()) return malformed("a line of columns whose names are not told (--fields)");
    const char separator = line.find('\t') != std::string_view::npos ? '\t' : ' ';
    LogRecord record;
    std::size_t index = 0;
    for (std::string_view rest = line;; ++index) {
        const std::size_t end = std::min(rest.find(separator), rest.size());
        if (index < columns_.size()) take_field(record, columns_[index], rest.substr(0, end));
        if (end == rest.size()) break;
        rest.remove_prefix(end + 1);
    }
    // CloudFront adds fields at the end; a line with fewer has been cut.
    if (index + 1 < columns_.size()) {
        return malformed(fmt::format("{} columns where {} are named", index + 1, columns_.size()));
    }
    return record;
}

Result<LogRecord> LogLineParser::parse_template(std::string_view line) const {
    if (!line.starts_with(before_)) return malformed("not of the form of --fields");
    std::string_view rest = line.substr(before_.size());
    LogRecord record;
    for (const Part& part : parts_) {
        const bool last = &part == &parts_.back();
        std::size_t end = part.after.empty() ? rest.size() : rest.find(part.after);
        if (end == std::string_view::npos) {
            if (!last) return malformed(fmt::format("nothing ends ${}", part.name));
            end = rest.size();
        }
        take_field(record, part.name, unescape_hex(rest.substr(0, end)));
        rest.remove_prefix(std::min(end + part.after.size(), rest.size()));
    }
    return record;
}

}  // namespace playhead::importers
