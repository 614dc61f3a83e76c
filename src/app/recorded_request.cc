#include "app/recorded_request.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <sodium.h>

#include <vector>

#include "net/message.h"

namespace playhead::app {

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;
using simdjson::dom::element;

std::string text_of(const element& object, const char* key) {
    std::string_view text;
    return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

Headers headers_of(const element& line) {
    Headers headers;
    simdjson::dom::object object;
    simdjson::dom::array array;
    if (line["headers"].get(object) == simdjson::SUCCESS) {
        for (const auto field : object) {
            std::string_view value;
            if (field.value.get(value) == simdjson::SUCCESS) headers.emplace_back(field.key, value);
        }
    } else if (line["rawHeaders"].get(array) == simdjson::SUCCESS) {
        std::vector<std::string> flat;
        for (const auto entry : array) {
            std::string_view value;
            flat.emplace_back(entry.get(value) == simdjson::SUCCESS ? value : std::string_view());
        }
        for (std::size_t index = 0; index + 1 < flat.size(); index += 2) {
            headers.emplace_back(flat[index], flat[index + 1]);
        }
    }
    return headers;
}

bool is_cmcd_header(std::string_view name) {
    return name.size() > 5 && net::equals_ignoring_case(name.substr(0, 5), "cmcd-");
}

/// What the receiving side looks at; the rest belongs to the recorded connection.
Headers forwarded(const Headers& headers) {
    Headers kept;
    for (const auto& header : headers) {
        const auto is = [&](const char* name) {
            return net::equals_ignoring_case(header.first, name);
        };
        if (is("user-agent") || is("content-type") || is("content-encoding") || is("origin") ||
            is("x-forwarded-for") || is_cmcd_header(header.first)) {
            kept.push_back(header);
        }
    }
    return kept;
}

std::string value_of(const Headers& headers, const char* name) {
    for (const auto& [key, value] : headers) {
        if (net::equals_ignoring_case(key, name)) return value;
    }
    return {};
}

Result<std::string> body_of(const element& line) {
    const std::string encoded = text_of(line, "bodyBase64");
    if (encoded.empty()) return text_of(line, "body");
    std::string bytes(encoded.size(), '\0');
    std::size_t size = 0;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                          encoded.data(), encoded.size(), nullptr, &size, nullptr,
                          sodium_base64_VARIANT_ORIGINAL) != 0) {
        return fail(ErrorCode::InvalidArgument, "bodyBase64 is not base64");
    }
    bytes.resize(size);
    return bytes;
}

/// Where a request goes, or empty when it is not sent.
std::string target_of(std::string_view method, std::string_view url, const Headers& headers,
                      std::uint64_t customer_id) {
    const std::size_t mark = url.find('?');
    const std::string_view path = url.substr(0, mark);
    const std::string_view query =
        mark == std::string_view::npos ? std::string_view() : url.substr(mark + 1);
    if (path.starts_with("/mm-apis/") || path.starts_with("/cmcd/")) return std::string(url);
    if (method == "POST") {
        if (value_of(headers, "content-type").find("cmcd") == std::string::npos) return "/produce";
        const std::string_view sid = path.substr(path.rfind('/') + 1);
        return fmt::format("/cmcd/{}/{}", customer_id, sid);
    }
    if (method != "GET") return {};
    if (query.find("CMCD=") != std::string_view::npos) {
        return fmt::format("/cmcd/{}?{}", customer_id, query);
    }
    for (const auto& header : headers) {
        if (is_cmcd_header(header.first)) return fmt::format("/cmcd/{}", customer_id);
    }
    return {};
}

}  // namespace

Result<std::optional<RecordedRequest>> read_recorded(std::string_view line,
                                                     std::uint64_t customer_id) {
    // Lines are few: a parser each is cheaper than explaining a shared one.
    simdjson::dom::parser parser;
    element root;
    if (parser.parse(line.data(), line.size()).get(root) != simdjson::SUCCESS ||
        !root.is_object()) {
        return fail(ErrorCode::InvalidArgument, "not a JSON object");
    }
    const std::string method = text_of(root, "method");
    const std::string url = text_of(root, "url");
    if (method.empty() || url.empty() || url.front() != '/') {
        return fail(ErrorCode::InvalidArgument, "no method or no url that begins with '/'");
    }
    const Headers headers = headers_of(root);
    RecordedRequest recorded;
    recorded.request.method = method;
    recorded.request.target =
        method == "OPTIONS" ? "" : target_of(method, url, headers, customer_id);
    if (recorded.request.target.empty()) return std::nullopt;
    recorded.request.headers = forwarded(headers);
    auto body = body_of(root);
    if (!body) return fail(body.error());
    recorded.request.body = std::move(*body);
    double sent_ms = 0;
    if (root["t"].get(sent_ms) == simdjson::SUCCESS) {
        recorded.sent_ms = static_cast<std::int64_t>(sent_ms);
    }
    return recorded;
}

}  // namespace playhead::app
