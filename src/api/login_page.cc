#include "api/login_page.h"

#include <fmt/format.h>

#include <algorithm>

namespace playhead::api {

namespace {

/// Of the query, what the POST needs again. Everything else is dropped.
constexpr std::string_view kRepeated[] = {
    "response_type",         "client_id", "redirect_uri", "code_challenge",
    "code_challenge_method", "state",     "nonce",        "scope"};

constexpr std::string_view kStyle =
    "body{margin:0;min-height:100vh;display:grid;place-items:center;background:#f3f4f6;"
    "color:#111827;font:16px/1.5 system-ui,sans-serif}"
    "main{box-sizing:border-box;width:min(24rem,92vw);padding:2rem;background:#fff;"
    "border:1px solid #d1d5db;border-radius:12px}"
    "h1{margin:0 0 1.25rem;font-size:1.375rem}"
    "label{display:block;margin:1rem 0 .25rem;font-weight:600}"
    "input{box-sizing:border-box;width:100%;padding:.625rem .75rem;font:inherit;color:inherit;"
    "background:transparent;border:1px solid #6b7280;border-radius:8px}"
    "button{width:100%;margin-top:1.5rem;padding:.75rem;font:inherit;font-weight:600;color:#fff;"
    "background:#1d4ed8;border:0;border-radius:8px;cursor:pointer}"
    "input:focus-visible,button:focus-visible{outline:3px solid #93c5fd;outline-offset:1px}"
    ".wrong{margin:0;padding:.75rem;color:#991b1b;background:#fee2e2;border-radius:8px}"
    "@media(prefers-color-scheme:dark){body{background:#111827;color:#f3f4f6}"
    "main{background:#1f2937;border-color:#374151}.wrong{color:#fecaca;background:#7f1d1d}}";

std::string_view field(const auth::FormPairs& form, std::string_view name) {
    const auto found = std::find_if(form.begin(), form.end(),
                                    [&](const auto& pair) { return pair.first == name; });
    return found == form.end() ? std::string_view() : std::string_view(found->second);
}

/// Chromium holds the redirect after a form to `form-action` as well. Only what cannot break out
/// of the header's list is named.
std::string form_targets(std::string_view redirect_uri) {
    const auto scheme = redirect_uri.find("://");
    if (scheme == std::string_view::npos) return "'self'";
    const auto origin = redirect_uri.substr(0, redirect_uri.find_first_of("/?", scheme + 3));
    const bool plain = std::all_of(origin.begin(), origin.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view(".-:/[]+").find(c) != std::string_view::npos;
    });
    return plain ? fmt::format("'self' {}", origin) : "'self'";
}

net::Response html(int status, std::string_view title, std::string_view content,
                   std::string_view targets) {
    net::Response response(
        status, "text/html; charset=utf-8",
        fmt::format("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
                    "<meta name=\"viewport\" content=\"width=device-width\"><title>{} · Playhead"
                    "</title><style>{}</style></head><body><main>{}</main></body></html>\n",
                    title, kStyle, content));
    response.add("Cache-Control", "no-store")
        .add("Content-Security-Policy",
             fmt::format("default-src 'none'; style-src 'unsafe-inline'; form-action {}; "
                         "frame-ancestors 'none'; base-uri 'none'",
                         targets))
        .add("X-Frame-Options", "DENY")
        .add("Referrer-Policy", "same-origin");
    return response;
}

}  // namespace

std::string html_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: out += c;
        }
    }
    return out;
}

net::Response login_page(const LoginPage& page) {
    std::string content = "<h1>Log in to Playhead</h1>";
    if (!page.wrong.empty()) {
        content +=
            fmt::format("<p class=\"wrong\" role=\"alert\">{}</p>", html_escaped(page.wrong));
    }
    content += "<form method=\"post\">";
    for (const auto name : kRepeated) {
        const auto value = field(page.form, name);
        if (value.empty()) continue;
        content += fmt::format("<input type=\"hidden\" name=\"{}\" value=\"{}\">", name,
                               html_escaped(value));
    }
    content += fmt::format(
        "<input type=\"hidden\" name=\"csrf\" value=\"{}\">"
        "<label for=\"username\">Email</label><input id=\"username\" name=\"username\" "
        "type=\"email\" autocomplete=\"username\" required autofocus value=\"{}\">"
        "<label for=\"password\">Password</label><input id=\"password\" name=\"password\" "
        "type=\"password\" autocomplete=\"current-password\" required>"
        "<button>Log in</button></form>",
        html_escaped(page.csrf), html_escaped(field(page.form, "username")));
    return html(page.status, "Log in", content, form_targets(field(page.form, "redirect_uri")));
}

net::Response logged_out_page() {
    return html(200, "Logged out", "<h1>You are logged out</h1><p>You can close this page.</p>",
                "'none'");
}

net::Response error_page(int status, std::string_view sentence) {
    return html(status, "Not possible",
                fmt::format("<h1>This is not possible</h1><p class=\"wrong\" role=\"alert\">{}"
                            "</p><p>Go back to the application and try again; if that does not "
                            "help, tell its operator.</p>",
                            html_escaped(sentence)),
                "'none'");
}

}  // namespace playhead::api
