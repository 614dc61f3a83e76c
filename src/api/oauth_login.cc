#include "api/oauth_login.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "api/login_page.h"
#include "http/query_string.h"

namespace playhead::api {

namespace {

using net::Request;
using net::Response;

constexpr std::string_view kCookie = "playhead_login";
constexpr std::size_t kCsrfBytes = 43;

Result<auth::FormPairs> pairs_of(std::string_view text) {
    const auto parsed = http::QueryString::parse(text);
    if (!parsed) return fail(parsed.error());
    return parsed->pairs();
}

/// The value of our cookie, "" when there is none of the right shape.
std::string_view cookie_value(const Request& request) {
    std::string_view rest = request.header("cookie");
    while (!rest.empty()) {
        const auto end = std::min(rest.find(';'), rest.size());
        const auto one = net::trimmed(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (!one.starts_with(kCookie) || one.size() != kCookie.size() + 1 + kCsrfBytes) continue;
        if (one[kCookie.size()] != '=') continue;
        const auto value = one.substr(kCookie.size() + 1);
        if (auth::base64url_decode(value)) return value;
    }
    return {};
}

/// The sentence of an OAuth error.
std::string description(const auth::TokenReply& reply) {
    simdjson::dom::parser parser;
    std::string_view text;
    if (parser.parse(reply.body)["error_description"].get(text) != simdjson::SUCCESS) {
        return "The request could not be answered.";
    }
    return std::string(text);
}

bool from_here(const Request& request, const auth::TokenContext& context) {
    const auto origin = request.header("origin");
    // A form's POST from this page has the origin of the issuer; "null" comes from sandboxes.
    return origin.empty() ||
           (context.issuer.size() > origin.size() && context.issuer.starts_with(origin) &&
            context.issuer[origin.size()] == '/');
}

Response with_cookie(const LoginPage& page, const auth::TokenContext& context,
                     const Request& request) {
    Response response = login_page(page);
    response.add("Set-Cookie", fmt::format("{}={}; Path={}; HttpOnly; SameSite=Lax; Max-Age=1800{}",
                                           kCookie, page.csrf, request.path(),
                                           context.issuer.starts_with("https:") ? "; Secure" : ""));
    return response;
}

}  // namespace

Response show_login(const Request& request, const auth::TokenContext& context,
                    const auth::TokenIssuer& issuer, auth::Entropy& entropy) {
    const auto form = pairs_of(request.query());
    if (!form) return error_page(400, form.error().message);
    if (const auto wrong = issuer.check_authorization(*form, context)) {
        return error_page(wrong->status, description(*wrong));
    }
    // Kept, so that two tabs do not spoil each other's form.
    std::string csrf(cookie_value(request));
    if (csrf.empty()) csrf = auth::random_secret(entropy);
    return with_cookie({*form, csrf, ""}, context, request);
}

Response take_login(const Request& request, const auth::TokenContext& context,
                    auth::TokenIssuer& issuer, auth::Entropy& entropy) {
    auto form = pairs_of(request.body());
    if (!form) return error_page(400, form.error().message);
    if (const auto wrong = issuer.check_authorization(*form, context)) {
        return error_page(wrong->status, description(*wrong));
    }
    const auto sent = std::find_if(form->begin(), form->end(),
                                   [](const auto& pair) { return pair.first == "csrf"; });
    std::string csrf(cookie_value(request));
    const bool genuine = !csrf.empty() && sent != form->end() &&
                         auth::equal_constant_time(sent->second, csrf) &&
                         from_here(request, context);
    if (!genuine) {
        csrf = auth::random_secret(entropy);
        return with_cookie(
            {*form, csrf, "The page was open for too long. Please log in again.", 403}, context,
            request);
    }
    const auto reply = issuer.authorize_login(*form, context);
    if (reply.status != 302) {
        auto response =
            with_cookie({*form, csrf, description(reply), reply.status}, context, request);
        if (reply.retry_after_s) response.add("Retry-After", std::to_string(*reply.retry_after_s));
        return response;
    }
    // 303: the browser must not post the password on.
    Response response(303);
    response.add("Location", reply.location)
        .add("Cache-Control", "no-store")
        .add("Referrer-Policy", "no-referrer")
        .add("Set-Cookie", fmt::format("{}=; Path={}; HttpOnly; SameSite=Lax; Max-Age=0", kCookie,
                                       request.path()));
    return response;
}

Response end_session(const auth::FormPairs& form, const auth::TokenContext& context,
                     auth::TokenIssuer& issuer) {
    const auto reply = issuer.end_session(form, context);
    if (reply.status == 200) return logged_out_page();
    if (reply.status != 302) return error_page(reply.status, description(reply));
    Response response(303);
    response.add("Location", reply.location)
        .add("Cache-Control", "no-store")
        .add("Referrer-Policy", "no-referrer");
    return response;
}

}  // namespace playhead::api
