#include "http/cors.h"

#include <algorithm>

namespace playhead::http {

namespace {

constexpr std::size_t kRequestedHeadersBytesMax = 1024;
constexpr std::string_view kUsualHeaders =
    "content-type, content-encoding, authorization, x-api-key, access-control-allow-origin, "
    "cmcd-object, cmcd-request, cmcd-session, cmcd-status, traceparent";

/// Names of tokens separated by commas and spaces: nothing that could break out of the header.
bool is_name_list(std::string_view text) {
    if (text.empty() || text.size() > kRequestedHeadersBytesMax) return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("!#$%&'*+-.^_`|~, ").find(c) != std::string_view::npos;
    });
}

}  // namespace

std::string_view fixed_reply_lines() noexcept {
    return "Access-Control-Allow-Origin: *\r\n"
           "Access-Control-Expose-Headers: Content-Disposition, ETag, Link, Retry-After, "
           "Server-Timing, X-Request-Id\r\n"
           "X-Content-Type-Options: nosniff\r\n";
}

bool is_preflight(const net::Request& request) noexcept {
    return request.method() == net::Method::Options && request.has_header("Origin") &&
           request.has_header("Access-Control-Request-Method");
}

net::Response preflight_response(const net::Request& request) {
    net::Response response(204);
    const auto wanted = request.header("Access-Control-Request-Headers");
    response.add("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    response.add("Access-Control-Allow-Headers", is_name_list(wanted) ? wanted : kUsualHeaders);
    response.add("Access-Control-Max-Age", "86400");
    response.add("Vary", "Access-Control-Request-Headers");
    return response;
}

}  // namespace playhead::http
