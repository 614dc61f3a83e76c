#include "importers/log_record.h"

#include <algorithm>
#include <unordered_map>

#include "http/query_string.h"
#include "importers/log_time.h"

namespace playhead::importers {

namespace {

enum class Field : std::uint8_t {
    Date,
    Time,
    Address,
    UserAgent,
    Host,
    ViewerHost,
    Path,
    Query,
    Url,
    RequestLine,
    Cmcd,
    CmcdRequest,
    CmcdObject,
    CmcdStatus,
    CmcdSession,
    Headers,
    CmcdNumber,
    CmcdToken,
    CmcdText,
    CmcdFlag,
};

struct Meaning {
    Field field{};
    std::string_view key = {};  ///< the CMCD key of a field that holds one key's value
};

/// Sources: the vendors' field lists. CloudFront standard and real-time logs, Akamai DataStream 2,
/// nginx variables, and the names of Fastly's examples of JSON formats. Lower case, '-' for '_'.
const std::unordered_map<std::string_view, Meaning>& meanings() {
    static const std::unordered_map<std::string_view, Meaning> table{
        {"date", {Field::Date}},
        {"time", {Field::Time}},
        {"timestamp", {Field::Time}},
        {"timestamp(ms)", {Field::Time}},
        {"@timestamp", {Field::Time}},
        {"time-local", {Field::Time}},
        {"time-iso8601", {Field::Time}},
        {"msec", {Field::Time}},
        {"reqtimesec", {Field::Time}},
        {"time-start", {Field::Time}},
        {"start-time", {Field::Time}},
        {"c-ip", {Field::Address}},
        {"remote-addr", {Field::Address}},
        {"cliip", {Field::Address}},
        {"client-ip", {Field::Address}},
        {"clientip", {Field::Address}},
        {"cs(user-agent)", {Field::UserAgent}},
        {"cs-user-agent", {Field::UserAgent}},
        {"ua", {Field::UserAgent}},
        {"user-agent", {Field::UserAgent}},
        {"http-user-agent", {Field::UserAgent}},
        {"request-user-agent", {Field::UserAgent}},
        {"cs(host)", {Field::Host}},
        {"cs-host", {Field::Host}},
        {"reqhost", {Field::Host}},
        {"host", {Field::Host}},
        {"http-host", {Field::Host}},
        {"x-host-header", {Field::ViewerHost}},
        {"cs-uri-stem", {Field::Path}},
        {"reqpath", {Field::Path}},
        {"uri", {Field::Path}},
        {"path", {Field::Path}},
        {"cs-uri-query", {Field::Query}},
        {"querystr", {Field::Query}},
        {"query-string", {Field::Query}},
        {"query", {Field::Query}},
        {"args", {Field::Query}},
        {"url", {Field::Url}},
        {"request-uri", {Field::Url}},
        {"req-url", {Field::Url}},
        {"request", {Field::RequestLine}},
        {"cmcd", {Field::Cmcd}},
        {"cmcd-request", {Field::CmcdRequest}},
        {"http-cmcd-request", {Field::CmcdRequest}},
        {"cmcd-object", {Field::CmcdObject}},
        {"http-cmcd-object", {Field::CmcdObject}},
        {"cmcd-status", {Field::CmcdStatus}},
        {"http-cmcd-status", {Field::CmcdStatus}},
        {"cmcd-session", {Field::CmcdSession}},
        {"http-cmcd-session", {Field::CmcdSession}},
        {"cs-headers", {Field::Headers}},
        {"cmcd-encoded-bitrate", {Field::CmcdNumber, "br"}},
        {"cmcd-buffer-length", {Field::CmcdNumber, "bl"}},
        {"cmcd-buffer-starvation", {Field::CmcdFlag, "bs"}},
        {"cmcd-content-id", {Field::CmcdText, "cid"}},
        {"cmcd-object-duration", {Field::CmcdNumber, "d"}},
        {"cmcd-deadline", {Field::CmcdNumber, "dl"}},
        {"cmcd-measured-throughput", {Field::CmcdNumber, "mtp"}},
        {"cmcd-object-type", {Field::CmcdToken, "ot"}},
        {"cmcd-playback-rate", {Field::CmcdNumber, "pr"}},
        {"cmcd-requested-maximum-throughput", {Field::CmcdNumber, "rtp"}},
        {"cmcd-streaming-format", {Field::CmcdToken, "sf"}},
        {"cmcd-session-id", {Field::CmcdText, "sid"}},
        {"cmcd-stream-type", {Field::CmcdToken, "st"}},
        {"cmcd-startup", {Field::CmcdFlag, "su"}},
        {"cmcd-top-bitrate", {Field::CmcdNumber, "tb"}},
        {"cmcd-version", {Field::CmcdNumber, "v"}},
    };
    return table;
}

constexpr std::size_t kNameBytesMax = 64;

const Meaning* meaning_of(std::string_view name) {
    if (name.size() > kNameBytesMax) return nullptr;
    std::string folded(name);
    for (char& c : folded) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (c == '_') c = '-';
    }
    const auto found = meanings().find(folded);
    return found == meanings().end() ? nullptr : &found->second;
}

void take_time(LogRecord& record, std::string_view value) {
    const bool of_day = value.size() >= 8 && value[2] == ':' && value[5] == ':';
    if (!of_day) {
        // A fraction tells more than a whole second does.
        const auto time = parse_any_ms(value);
        if (time && (record.time_ms == 0 || record.time_ms % 1000 == 0)) record.time_ms = *time;
        return;
    }
    const auto time = parse_iso_ms(record.date + "T" + std::string(value));
    if (time) record.time_ms = *time;
}

/// "/path?query" or a whole URL.
void take_url(LogRecord& record, std::string_view url) {
    if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) {
        url.remove_prefix(scheme + 3);
        const std::size_t end = std::min(url.find_first_of("/?"), url.size());
        if (record.host.empty()) record.host = url.substr(0, end);
        url.remove_prefix(end);
    }
    const std::size_t mark = url.find('?');
    if (record.path.empty()) record.path = url.substr(0, mark);
    if (mark != std::string_view::npos && record.query.empty()) record.query = url.substr(mark + 1);
}

/// "Name:value" lines, percent-encoded as a whole.
void take_headers(LogRecord& record, std::string_view value) {
    const std::string text = unescape_percent(value);
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        std::string_view content = line.substr(colon + 1);
        while (content.starts_with(' ')) content.remove_prefix(1);
        const Meaning* meaning = meaning_of(line.substr(0, colon));
        if (meaning == nullptr || meaning->field < Field::CmcdRequest ||
            meaning->field > Field::CmcdSession) {
            continue;
        }
        take_field(record, line.substr(0, colon), content);
    }
}

void add_member(std::string& dictionary, std::string_view key, std::string_view value) {
    if (!dictionary.empty()) dictionary += ',';
    dictionary.append(key);
    if (!value.empty()) dictionary.append("=").append(value);
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

void take_cmcd_key(LogRecord& record, const Meaning& meaning, std::string_view value) {
    const std::string text = unescape_percent(value);
    const bool quotes = text.size() >= 2 && text.front() == '"' && text.back() == '"';
    switch (meaning.field) {
        case Field::CmcdFlag:
            if (text == "true" || text == "1") add_member(record.cmcd, meaning.key, {});
            break;
        case Field::CmcdText:
            add_member(record.cmcd, meaning.key, quotes ? text : quoted(text));
            break;
        default: add_member(record.cmcd, meaning.key, text); break;
    }
}

}  // namespace

std::string unescape_percent(std::string_view text) {
    std::string out(text);
    constexpr int kTimesMax = 2;
    for (int time = 0; time < kTimesMax && out.find('%') != std::string::npos; ++time) {
        auto decoded = http::percent_decode(out, false);
        if (!decoded) break;
        out = std::move(*decoded);
    }
    return out;
}

bool is_known_field(std::string_view name) {
    return meaning_of(name) != nullptr;
}

bool take_field(LogRecord& record, std::string_view name, std::string_view value) {
    const Meaning* meaning = meaning_of(name);
    if (meaning == nullptr) return false;
    if (value.empty() || value == "-" || value == "^") return true;
    switch (meaning->field) {
        case Field::Date: record.date = value; break;
        case Field::Time: take_time(record, value); break;
        case Field::Address: record.address = value; break;
        case Field::UserAgent: record.user_agent = unescape_percent(value); break;
        case Field::Host:
            if (record.host.empty()) record.host = value;
            break;
        case Field::ViewerHost: record.host = value; break;
        case Field::Path: record.path = value; break;
        case Field::Query: record.query = value; break;
        case Field::Url: take_url(record, value); break;
        case Field::RequestLine: {
            const std::size_t first = value.find(' ');
            if (first == std::string_view::npos) break;  // only the method
            const std::string_view rest = value.substr(first + 1);
            take_url(record, rest.substr(0, rest.find(' ')));
            break;
        }
        case Field::Cmcd: record.cmcd = value; break;
        case Field::CmcdRequest: record.cmcd_headers[0] = value; break;
        case Field::CmcdObject: record.cmcd_headers[1] = value; break;
        case Field::CmcdStatus: record.cmcd_headers[2] = value; break;
        case Field::CmcdSession: record.cmcd_headers[3] = value; break;
        case Field::Headers: take_headers(record, value); break;
        case Field::CmcdNumber:
        case Field::CmcdToken:
        case Field::CmcdText:
        case Field::CmcdFlag: take_cmcd_key(record, *meaning, value); break;
    }
    return true;
}

}  // namespace playhead::importers
