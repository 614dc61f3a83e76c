#include "importers/cmcd_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "http/query_string.h"
#include "wire/cmcd.h"

namespace playhead::importers {

namespace {

constexpr std::size_t kUrlBytesMax = 1500;
constexpr std::size_t kUserAgentBytesMax = 512;
constexpr std::size_t kAddressBytesMax = 64;

/// The value of the query's CMCD argument, still encoded.
std::optional<std::string_view> cmcd_argument(std::string_view query) {
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view part = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        constexpr std::string_view kName = "CMCD=";
        if (part.starts_with(kName)) return part.substr(kName.size());
    }
    return std::nullopt;
}

/// Decodes what was encoded for the URL, and once more where the log encoded it again.
std::optional<std::string> decoded_argument(std::string_view raw) {
    auto text = http::percent_decode(raw, true);
    if (text && text->find('=') == std::string::npos && text->find('%') != std::string::npos) {
        text = http::percent_decode(*text, true);
    }
    return text;
}

/// Akamai's field begins with its version, "//1.0@V/", and is percent-encoded.
std::optional<std::string> decoded_field(std::string_view field) {
    if (field.starts_with("//")) {
        const std::size_t end = field.find('/', 2);
        field.remove_prefix(end == std::string_view::npos ? 2 : end + 1);
    }
    if (field.find('"') != std::string_view::npos) return std::string(field);
    return http::percent_decode(field, false);
}

struct Dictionary {
    bool is_there = false;
    std::optional<std::string> text;  ///< nullopt: cannot be decoded
};

Dictionary dictionary_of(const LogRecord& record) {
    std::string joined;
    for (const std::string& header : record.cmcd_headers) {
        if (header.empty()) continue;
        if (!joined.empty()) joined += ',';
        joined += header.find('"') == std::string::npos ? unescape_percent(header) : header;
    }
    if (!joined.empty()) return {true, joined};
    if (!record.cmcd.empty()) return {true, decoded_field(record.cmcd)};
    if (const auto raw = cmcd_argument(record.query)) return {true, decoded_argument(*raw)};
    return {};
}

/// The requested object as a string of RFC 9651. Not its query, which may hold what is secret.
std::string url_of(const LogRecord& record, std::uint64_t line_id) {
    std::string url = record.host.empty() ? "" : "https://" + record.host;
    // Akamai writes paths without their first slash.
    if (!record.path.empty() && record.path.front() != '/') url += '/';
    url += record.path;
    std::string out;
    for (const char c : url.substr(0, kUrlBytesMax)) {
        const bool plain = c > 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '#';
        if (plain) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    // Two requests of the same second for the same object are two, and the same line is one.
    return fmt::format("{}#{:016x}", out, line_id);
}

}  // namespace

Result<CmcdTranslation> translate_cmcd(const LogRecord& record, std::uint64_t customer_id,
                                       std::uint64_t line_id) {
    const Dictionary found = dictionary_of(record);
    if (!found.is_there) return CmcdTranslation{std::nullopt, "requests without CMCD"};
    if (!found.text) {
        return fail(ErrorCode::InvalidArgument, "CMCD whose percent-encoding is broken");
    }
    const std::string& keys = *found.text;
    wire::CmcdSource source;
    source.customer_id = customer_id;
    source.receive_ms = record.time_ms;
    const std::string query = "CMCD=" + http::percent_encode(keys);
    const auto decoded = wire::decode_cmcd_request(query, {}, source);
    if (decoded.records_unknown_version > 0) {
        return CmcdTranslation{std::nullopt, "CMCD of a version after 2"};
    }
    if (decoded.batch.events.empty()) {
        const bool bare = keys.find("sid=") == std::string::npos;
        if (bare) return CmcdTranslation{std::nullopt, "CMCD without a session id (sid)"};
        return fail(ErrorCode::InvalidArgument, "CMCD that cannot be read");
    }
    const model::Event& event = decoded.batch.events.front();
    // Version 1 knows no time: the log's goes with it, in the way of version 2.
    const bool timed = event.client_ms != 0;
    std::string full = keys;
    if (!timed) full += fmt::format(",ts={},v=2", record.time_ms);
    full += fmt::format(",url=\"{}\"", url_of(record, line_id));
    Report report;
    report.kind = ReportKind::CmcdQuery;
    report.id = line_id;
    report.session_hash = stable_hash(event.session_id, customer_id);
    report.time_ms = record.time_ms;
    report.address = record.address.substr(0, kAddressBytesMax);
    report.user_agent = record.user_agent.substr(0, kUserAgentBytesMax);
    report.body = "CMCD=" + http::percent_encode(full);
    // Where a quote is open, what was added would have changed the meaning of what was there.
    const auto whole = wire::decode_cmcd_request(report.body, {}, source);
    const bool same = whole.batch.events.size() == 1 &&
                      whole.batch.events.front().session_id == event.session_id &&
                      (timed || whole.batch.events.front().client_ms == record.time_ms);
    if (!same) return fail(ErrorCode::InvalidArgument, "CMCD with a quote that nothing closes");
    return CmcdTranslation{std::move(report), {}};
}

}  // namespace playhead::importers
