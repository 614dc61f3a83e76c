#include "api/oauth.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/oauth_login.h"
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
    if (!options.issuer_base.empty()) return options.issuer_base;
    const bool secure = request.secure() || request.header("x-forwarded-proto") == "https";
    return fmt::format("{}://{}", secure ? "https" : "http", request.header("host"));
}

Response json_reply(std::string body) {
    Response response(200, "application/json", std::move(body));
    response.add("Cache-Control", "no-store");
    return response;
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
    Response response = json_reply(reply.body);
    response.status = reply.status;
    if (reply.status == 401) response.add("WWW-Authenticate", "Bearer error=\"invalid_token\"");
    return response;
}

/// For browsers and userinfo, apart from the grants.
void add_login_routes(http::Router& router, const OauthOptions& options, auth::TokenIssuer& issuer,
                      auth::BearerVerifier& tokens, auth::Entropy& entropy) {
    const http::RouteOptions pooled{http::RunOn::Pool, 64U << 10U, true};
    const std::string base = "/realms/{realm}/protocol/openid-connect";
    router.add(
        net::Method::Get, base + "/auth", pooled,
        [options, &issuer, &entropy](Request& request, Responder responder) {
            if (!is_known_realm(options, request, responder)) return;
            responder.send(show_login(request, context_of(options, request), issuer, entropy));
        });
    router.add(
        net::Method::Post, base + "/auth", pooled,
        [options, &issuer, &entropy](Request& request, Responder responder) {
            if (!is_known_realm(options, request, responder)) return;
            responder.send(take_login(request, context_of(options, request), issuer, entropy));
        });
    for (const auto method : {net::Method::Get, net::Method::Post}) {
        router.add(method, base + "/userinfo", pooled,
                   [options, &issuer, &tokens](Request& request, Responder responder) {
                       if (!is_known_realm(options, request, responder)) return;
                       responder.send(userinfo(request, issuer, tokens));
                   });
    }
}

}  // namespace

void add_oauth_routes(http::Router& router, const OauthOptions& options, auth::TokenIssuer& issuer,
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

    add_login_routes(router, options, issuer, tokens, entropy);
    router.add(net::Method::Post, realm + "/protocol/openid-connect/token", pooled,
               [options, grant](Request& request, Responder responder) {
                   if (!is_known_realm(options, request, responder)) return;
                   grant(&auth::TokenIssuer::token, request, std::move(responder));
               });
    router.add(net::Method::Post, "/generateOAuthToken", pooled,
               [grant](Request& request, Responder responder) {
                   grant(&auth::TokenIssuer::legacy_token, request, std::move(responder));
               });
    router.add(
        net::Method::Post, realm + "/protocol/openid-connect/logout", pooled,
        [options, &issuer](Request& request, Responder responder) {
            if (!is_known_realm(options, request, responder)) return;
            auto form = form_of(request);
            if (!form) return responder.send(net::problem_response(form.error()));
            const bool by_browser = std::any_of(form->begin(), form->end(), [](const auto& pair) {
                return pair.first == "id_token_hint" || pair.first == "post_logout_redirect_uri";
            });
            if (by_browser) {
                return responder.send(end_session(*form, context_of(options, request), issuer));
            }
            responder.send(token_response(issuer.logout(*form)));
        });
    router.add(
        net::Method::Get, realm + "/protocol/openid-connect/logout", pooled,
        [options, &issuer](Request& request, Responder responder) {
            if (!is_known_realm(options, request, responder)) return;
            const auto query = http::QueryString::parse(request.query());
            if (!query) return responder.send(net::problem_response(query.error()));
            responder.send(end_session(query->pairs(), context_of(options, request), issuer));
        });
    router.add(net::Method::Get, realm + "/protocol/openid-connect/certs", quick,
               [options, &keys](Request& request, Responder responder) {
                   if (!is_known_realm(options, request, responder)) return;
                   responder.send(json_reply(keys.jwks()));
               });
    router.add(net::Method::Get, realm + "/.well-known/openid-configuration", quick,
               [options](Request& request, Responder responder) {
                   if (!is_known_realm(options, request, responder)) return;
                   responder.send(json_reply(auth::discovery_document(
                       auth::issuer_url(base_url(options, request), options.realm))));
               });
}

}  // namespace playhead::api
