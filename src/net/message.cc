#include "net/message.h"

#include <algorithm>
#include <array>

namespace playhead::net {

namespace {

constexpr std::array<std::string_view, kMethodCount> kMethodNames{
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", ""};

char lower(char letter) noexcept {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

/// Walks "Name: value\r\n" lines; nullptr data when the name is not there.
std::string_view find_line(std::string_view lines, std::string_view name) noexcept {
    while (!lines.empty()) {
        const auto end = lines.find("\r\n");
        const auto line = lines.substr(0, end);
        if (line.size() > name.size() + 1 && line[name.size()] == ':' &&
            equals_ignoring_case(line.substr(0, name.size()), name)) {
            return line.substr(name.size() + 2);
        }
        lines.remove_prefix(end + 2);
    }
    return {};
}

}  // namespace

std::string Request::origin() const {
    const bool tls = secure() || header("x-forwarded-proto") == "https";
    return (tls ? "https://" : "http://") + std::string(header("host"));
}

std::string_view method_name(Method method) noexcept {
    return kMethodNames[static_cast<std::size_t>(method)];
}

Method method_from(std::string_view name) noexcept {
    for (std::size_t index = 0; index + 1 < kMethodNames.size(); ++index) {
        if (kMethodNames[index] == name) return static_cast<Method>(index);
    }
    return Method::Other;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                              [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::string_view status_phrase(int status) noexcept {
    switch (status) {
        case 100: return "Continue";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 206: return "Partial Content";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 303: return "See Other";
        case 304: return "Not Modified";
        case 307: return "Temporary Redirect";
        case 308: return "Permanent Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 413: return "Content Too Large";
        case 415: return "Unsupported Media Type";
        case 422: return "Unprocessable Content";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 499: return "Client Closed Request";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        default: return "Unknown";
    }
}

std::string_view Request::header(std::string_view name) const noexcept {
    for (const auto& [key, value] : headers_) {
        if (key.length == name.size() && equals_ignoring_case(view(key), name)) return view(value);
    }
    return {};
}

bool Request::has_header(std::string_view name) const noexcept {
    return std::any_of(headers_.begin(), headers_.end(), [&](const auto& header) {
        return equals_ignoring_case(view(header.first), name);
    });
}

std::string Request::take_body() {
    std::string body = owns_body_ ? std::move(body_) : std::string(body_view_);
    set_body({});
    return body;
}

void Request::set_body(std::string body) {
    body_ = std::move(body);
    body_.reserve(body_.size() + kBodyPaddingBytes);
    owns_body_ = true;
    body_view_ = {};
}

std::string_view Request::param(std::string_view name) const noexcept {
    for (const auto& [key, value] : params_) {
        if (key == name) return value;
    }
    return {};
}

Request Request::take() {
    if (!owns_body_) set_body(std::string(body_view_));
    std::string remote = remote_;
    const bool secure = secure_;
    Request taken = std::move(*this);
    *this = Request();
    remote_ = std::move(remote);
    secure_ = secure;
    return taken;
}

Response& Response::add(std::string_view name, std::string_view value) {
    lines_.append(name).append(": ");
    const auto from = lines_.size();
    lines_.append(value);
    for (std::size_t at = from; at < lines_.size(); ++at) {
        const auto byte = static_cast<unsigned char>(lines_[at]);
        if ((byte < 0x20 && byte != '\t') || byte == 0x7F) lines_[at] = ' ';
    }
    lines_.append("\r\n");
    return *this;
}

std::string_view Response::header(std::string_view name) const noexcept {
    return find_line(lines_, name);
}

bool Response::has(std::string_view name) const noexcept {
    return find_line(lines_, name).data() != nullptr;
}

}  // namespace playhead::net
