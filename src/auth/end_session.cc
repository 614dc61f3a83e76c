// Logging out by the browser: OpenID Connect RP-Initiated Logout 1.0.
#include <simdjson.h>

#include <algorithm>

#include "auth/jws.h"
#include "auth/oauth_reply.h"
#include "auth/token_issuer.h"

namespace playhead::auth {

namespace {

constexpr std::size_t kLogoutStateBytesMax = 2048;

TokenReply bad_request(std::string_view description) {
    return oauth_error(400, "invalid_request", description);
}

}  // namespace

tl::expected<TokenIssuer::Hint, TokenReply> TokenIssuer::read_hint(std::string_view token) {
    const auto unknown = [] {
        return refuse(bad_request("The id_token_hint is no id token of this issuer."));
    };
    const auto jws = parse_rs256(token);
    if (!jws || jws->kid.empty()) return unknown();
    const auto key = keys_.find(jws->kid);
    if (!key || !verify_rs256(token, *key)) return unknown();
    simdjson::dom::parser parser;
    simdjson::dom::element claims;
    if (parser.parse(jws->payload).get(claims) != simdjson::SUCCESS) return unknown();
    const auto text = [&](const char* name) {
        std::string_view value;
        return claims[name].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
    };
    // Our key signs access and refresh tokens too; those are no hints.
    if (text("typ") != "ID" || text("sid").empty() || text("aud").empty()) return unknown();
    return Hint{text("aud"), text("sid"), text("email")};
}

TokenReply TokenIssuer::end_session(const FormPairs& form, const TokenContext& context) {
    if (!well_formed(form)) return malformed_form();
    std::string client(field(form, "client_id"));
    const auto& clients = options_.client_ids;
    if (!client.empty() && std::find(clients.begin(), clients.end(), client) == clients.end()) {
        return unknown_client();
    }
    if (const auto token = field(form, "id_token_hint"); !token.empty()) {
        const auto hint = read_hint(token);
        if (!hint) return hint.error();
        if (!client.empty() && client != hint->client_id) {
            return bad_request("The id_token_hint was given to another client.");
        }
        client = hint->client_id;
        if (auto done = directory_.revoke_refresh_family(hint->session); !done) {
            return of_error(done.error());
        }
        audit("logout", hint->email, 0, context, client);
    }
    TokenReply reply;
    const auto target = field(form, "post_logout_redirect_uri");
    if (target.empty()) return reply;
    if (client.empty() ||
        !may_redirect_to(target, client, options_.post_logout_redirect_uris, context)) {
        return bad_request("The post_logout_redirect_uri is not allowed.");
    }
    const auto state = field(form, "state");
    if (state.size() > kLogoutStateBytesMax) return bad_request("The state is too long.");
    reply.status = 302;
    reply.location = target;
    if (!state.empty()) {
        reply.location += reply.location.find('?') == std::string::npos ? '?' : '&';
        reply.location += "state=" + percent_encoded(state);
    }
    return reply;
}

}  // namespace playhead::auth
