#include "api/oauth.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/oauth_login.h"
#include "api/replies.h"
#include "api/schemas.h"
#include "auth/discovery.h"
#include "auth/token_form.h"
#include "auth/token_verifier.h"
#include "http/query_string.h"
#include "net/problem.h"

namespace playhead::api {

namespace {

using net::Request;
using net::Responder;
using net::Response;

std::string base_url(const OauthOptions& options, const Request& request) {
    return options.issuer_base.empty() ? request.origin() : options.issuer_base;
}

Response token_response(const auth::TokenReply& reply) {
    Response response(reply.status, "application/json", reply.body);
    response.add("Cache-Control", "no-store").add("Pragma", "no-cache");
    if (reply.retry_after_s) response.add("Retry-After", std::to_string(*reply.retry_after_s));
    if (reply.status == 401) response.add("WWW-Authenticate", "Basic realm=\"token\"");
    return response;
}

auth::TokenReply bad_client_header() {
    return {401,
            R"({"error":"invalid_client","error_description":"Unusable Authorization header"})",
            std::nullopt,
            {}};
}

/// The fields of a form or, whatever the content type says, of a JSON object.
Result<auth::FormPairs> form_of(const Request& request) {
    if (auth::looks_like_json(request.body())) return auth::form_from_json(request.body());
    auto parsed = http::QueryString::parse(request.body());
    if (!parsed) return fail(parsed.error());
    return parsed->pairs();
}

bool is_known_realm(const OauthOptions& options, const Request& request, Responder& responder) {
    if (request.param("realm") == options.realm) return true;
    responder.send(net::problem_response(Error{ErrorCode::NotFound, "no such realm", "realm",
                                               std::string(request.param("realm").substr(0, 64)),
                                               options.realm}));
    return false;
}

/// An operation of the issuer; `path` below the realm unless it begins without one.
Operation issuer_operation(net::Method method, std::string path, std::string id,
                           std::string summary) {
    Operation out;
    out.method = method;
    out.path = std::move(path);
    out.id = std::move(id);
    out.tag = "tokens";
    out.summary = std::move(summary);
    out.tolerant = true;
    if (out.path.find("{realm}") != std::string::npos) {
        out.parameters = {{.name = "realm",
                           .description = "`auth.realm`.",
                           .example = "playhead",
                           .in_path = true}};
        out.problems = {404};
    }
    return out;
}

constexpr const char* kGrantSchema = R"({
"type":"object","properties":{"grant_type":{"type":"string",
"enum":["password","refresh_token","authorization_code","client_credentials"]},
"client_id":{"type":"string"},"client_secret":{"type":"string"},"username":{"type":"string"},
"password":{"type":"string"},"refresh_token":{"type":"string"},"code":{"type":"string"},
"code_verifier":{"type":"string"},"redirect_uri":{"type":"string"}}})";

Operation grant_operation(std::string path, std::string id, std::string summary) {
    auto out =
        issuer_operation(net::Method::Post, std::move(path), std::move(id), std::move(summary));
    out.body = RequestBody{{"application/x-www-form-urlencoded", "application/json"},
                           kGrantSchema,
                           R"({"grant_type":"password","client_id":"smartsight-backend",)"
                           R"("username":"nobody@example.com","password":"wrong"})",
                           false};
    out.replies = {{200, "application/json", schema_of("Tokens"), "Tokens."}};
    for (const int status : {400, 401, 429}) {
        out.replies.push_back({status, "application/json", schema_of("OAuthError"), {}});
    }
    return out;
}

constexpr const char* kDocument = R"({"type":"object"})";
constexpr const char* kText = R"({"type":"string"})";

auth::TokenContext context_of(const OauthOptions& options, const Request& request) {
    auth::TokenContext context;
    context.issuer = auth::issuer_url(base_url(options, request), options.realm);
    context.address = std::string(request.remote_address());
    return context;
}

Response userinfo(const Request& request, const auth::TokenIssuer& issuer,
                  auth::BearerVerifier& tokens) {
    const auto token = auth::bearer_token(request.header("authorization"));
    if (!token) return net::problem_response(token.error());
    const auto identity = tokens.verify(*token);
    if (!identity) return net::problem_response(identity.error());
    const auto reply = issuer.userinfo(*identity);
    Response response = json_reply(reply.status, reply.body, kNoStore);
    if (reply.status == 401) response.add("WWW-Authenticate", "Bearer error=\"invalid_token\"");
    return response;
}

/// For browsers and userinfo, apart from the grants.
void add_login_routes(Contract& contract, const OauthOptions& options, auth::TokenIssuer& issuer,
                      auth::BearerVerifier& tokens, auth::Entropy& entropy) {
    const http::RouteOptions pooled{http::RunOn::Pool, 64U << 10U, true};
    const std::string base = "/realms/{realm}/protocol/openid-connect";
    auto show = issuer_operation(net::Method::Get, base + "/auth", "loginPage",
                                 "The login page of a browser: authorization code with PKCE");
    show.replies = {{200, "text/html", kText, "The page."}};
    for (const int status : {400, 401, 403, 429}) {
        show.replies.push_back({status, "text/html", kText, {}});
    }
    show.examples = {
        {.name = "without its parameters", .path = {{"realm", "playhead"}}, .status = 401}};
    contract.add(
        std::move(show), pooled, [options, &issuer, &entropy](Call& call, Responder responder) {
            if (!is_known_realm(options, call.request, responder)) return;
            responder.send(
                show_login(call.request, context_of(options, call.request), issuer, entropy));
        });
    auto take = issuer_operation(net::Method::Post, base + "/auth", "takeLogin",
                                 "What the login page sends");
    take.body = RequestBody{{"application/x-www-form-urlencoded"}, kDocument, {}, false};
    take.replies = {{303, {}, {}, "To the client, with a code."}};
    for (const int status : {400, 401, 403, 429}) {
        take.replies.push_back({status, "text/html", kText, {}});
    }
    contract.add(
        std::move(take), pooled, [options, &issuer, &entropy](Call& call, Responder responder) {
            if (!is_known_realm(options, call.request, responder)) return;
            responder.send(
                take_login(call.request, context_of(options, call.request), issuer, entropy));
        });
    auto leave = issuer_operation(net::Method::Get, base + "/logout", "logoutByBrowser",
                                  "Logging out by a browser: OpenID Connect RP-initiated logout");
    for (const auto& [name, meaning] :
         {std::pair{"id_token_hint", "An id token of the login, expired or not."},
          {"client_id", "Whose token it is, or who asks."},
          {"post_logout_redirect_uri", "Where to go on to: one of the client's."},
          {"state", "Handed on."}}) {
        leave.parameters.push_back({.name = name, .description = meaning});
    }
    leave.replies = {{200, "text/html", kText, "Ended."},
                     {303, {}, {}, "Ended, and on to `post_logout_redirect_uri`."}};
    for (const int status : {400, 401}) leave.replies.push_back({status, "text/html", kText, {}});
    leave.examples = {{.name = "with nothing to end", .path = {{"realm", "playhead"}}}};
    contract.add(std::move(leave), pooled, [options, &issuer](Call& call, Responder responder) {
        if (!is_known_realm(options, call.request, responder)) return;
        const auto query = http::QueryString::parse(call.request.query());
        if (!query) return responder.send(net::problem_response(query.error()));
        responder.send(end_session(query->pairs(), context_of(options, call.request), issuer));
    });
    for (const auto method : {net::Method::Get, net::Method::Post}) {
        auto who = issuer_operation(method, base + "/userinfo",
                                    method == net::Method::Get ? "userinfo" : "userinfoByPost",
                                    "The person of a token");
        who.replies = {{200, "application/json", kDocument, "Claims."},
                       {401, "application/json", schema_of("OAuthError"), {}}};
        who.problems.push_back(401);
        who.examples = {
            {.name = "without a token", .path = {{"realm", "playhead"}}, .status = 401}};
        contract.add(std::move(who), pooled,
                     [options, &issuer, &tokens](Call& call, Responder responder) {
                         if (!is_known_realm(options, call.request, responder)) return;
                         responder.send(userinfo(call.request, issuer, tokens));
                     });
    }
}

}  // namespace

void add_oauth_routes(Contract& contract, const OauthOptions& options, auth::TokenIssuer& issuer,
                      auth::KeyRing& keys, auth::BearerVerifier& tokens, auth::Entropy& entropy) {
    const http::RouteOptions pooled{http::RunOn::Pool, 64U << 10U, true};
    const http::RouteOptions quick{http::RunOn::Reactor, 64U << 10U, true};
    const std::string realm = "/realms/{realm}";
    using Grant =
        auth::TokenReply (auth::TokenIssuer::*)(const auth::FormPairs&, const auth::TokenContext&);
    const auto grant = [options, &issuer](Grant method, Request& request, Responder responder) {
        auto form = form_of(request);
        if (!form) return responder.send(net::problem_response(form.error()));
        if (!auth::add_basic_credentials(request.header("authorization"), *form)) {
            return responder.send(token_response(bad_client_header()));
        }
        const auto context = context_of(options, request);
        responder.send(token_response((issuer.*method)(*form, context)));
    };

    add_login_routes(contract, options, issuer, tokens, entropy);
    contract.add(
        grant_operation(realm + "/protocol/openid-connect/token", "token", "Tokens, OAuth 2"),
        pooled, [options, grant](Call& call, Responder responder) {
            if (!is_known_realm(options, call.request, responder)) return;
            grant(&auth::TokenIssuer::token, call.request, std::move(responder));
        });
    contract.add(grant_operation("/generateOAuthToken", "legacyToken", "Tokens, older generation"),
                 pooled, [grant](Call& call, Responder responder) {
                     grant(&auth::TokenIssuer::legacy_token, call.request, std::move(responder));
                 });
    auto logout = grant_operation(realm + "/protocol/openid-connect/logout", "logout",
                                  "Ends the login of a refresh token");
    logout.replies.front() = {204, {}, {}, "Ended."};
    logout.replies.push_back({200, "text/html", kText, "Ended, by a browser."});
    logout.replies.push_back({303, {}, {}, "Ended, and on to `post_logout_redirect_uri`."});
    contract.add(std::move(logout), pooled, [options, &issuer](Call& call, Responder responder) {
        if (!is_known_realm(options, call.request, responder)) return;
        auto form = form_of(call.request);
        if (!form) return responder.send(net::problem_response(form.error()));
        const bool by_browser = std::any_of(form->begin(), form->end(), [](const auto& pair) {
            return pair.first == "id_token_hint" || pair.first == "post_logout_redirect_uri";
        });
        if (by_browser) {
            return responder.send(end_session(*form, context_of(options, call.request), issuer));
        }
        responder.send(token_response(issuer.logout(*form)));
    });
    auto certificates = issuer_operation(net::Method::Get, realm + "/protocol/openid-connect/certs",
                                         "certs", "Public keys of the tokens (JWKS)");
    certificates.replies = {{200, "application/json", kDocument, {}}};
    certificates.examples = {{.name = "asked", .path = {{"realm", "playhead"}}},
                             {.name = "no such realm", .path = {{"realm", "no"}}, .status = 404}};
    contract.add(std::move(certificates), quick, [options, &keys](Call& call, Responder responder) {
        if (!is_known_realm(options, call.request, responder)) return;
        responder.send(json_reply(200, keys.jwks(), kNoStore));
    });
    auto discovery = issuer_operation(net::Method::Get, realm + "/.well-known/openid-configuration",
                                      "openidConfiguration", "OpenID Connect discovery");
    discovery.replies = {{200, "application/json", kDocument, {}}};
    discovery.examples = {{.name = "asked", .path = {{"realm", "playhead"}}}};
    contract.add(std::move(discovery), quick, [options](Call& call, Responder responder) {
        if (!is_known_realm(options, call.request, responder)) return;
        const auto url = auth::issuer_url(base_url(options, call.request), options.realm);
        responder.send(json_reply(200, auth::discovery_document(url), kNoStore));
    });
}

}  // namespace playhead::api
