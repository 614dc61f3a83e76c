#include <algorithm>

#include "auth/json_text.h"
#include "auth/oauth_reply.h"
#include "auth/token_issuer.h"

namespace playhead::auth {

namespace {

constexpr std::size_t kStateBytesMax = 2048;
constexpr std::size_t kChallengeBytes = 43;

TokenReply invalid_request(std::string_view description) {
    return oauth_error(400, "invalid_request", description);
}

/// `https://host:port` of a URL, "" when it has no such beginning.
std::string_view origin_of(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return {};
    return url.substr(0, url.find('/', scheme + 3));
}

bool printable_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

bool TokenIssuer::may_redirect_to(std::string_view uri, std::string_view client_id,
                                  const ClientUris& listed, const TokenContext& context) const {
    if (uri.size() > kStateBytesMax || !printable_ascii(uri) ||
        uri.find('#') != std::string_view::npos || uri.find('\\') != std::string_view::npos) {
        return false;
    }
    const auto is_it = [&](const auto& one) { return one.first == client_id && one.second == uri; };
    if (std::any_of(listed.begin(), listed.end(), is_it)) return true;
    if (client_id != options_.portal_client) return false;
    // The portal is served by this server, under the name the browser used.
    const auto own = origin_of(context.issuer);
    return !own.empty() && uri.size() > own.size() && uri.starts_with(own) &&
           uri[own.size()] == '/';
}

std::optional<TokenReply> TokenIssuer::check_authorization(const FormPairs& form,
                                                           const TokenContext& context) const {
    if (!well_formed(form)) return malformed_form();
    const auto& clients = options_.client_ids;
    if (std::find(clients.begin(), clients.end(), field(form, "client_id")) == clients.end()) {
        return unknown_client();
    }
    if (!may_redirect_to(field(form, "redirect_uri"), field(form, "client_id"),
                         options_.redirect_uris, context)) {
        return invalid_request("The redirect_uri is not allowed.");
    }
    if (field(form, "response_type") != "code") {
        return oauth_error(400, "unsupported_response_type", "Only response_type=code.");
    }
    if (field(form, "code_challenge_method") != "S256" ||
        field(form, "code_challenge").size() != kChallengeBytes) {
        return invalid_request("PKCE with code_challenge_method=S256 is required.");
    }
    if (field(form, "state").size() > kStateBytesMax ||
        field(form, "nonce").size() > kStateBytesMax) {
        return invalid_request("The state or the nonce is too long.");
    }
    return std::nullopt;
}

TokenReply TokenIssuer::authorize_login(const FormPairs& form, const TokenContext& context) {
    if (auto wrong = check_authorization(form, context)) return std::move(*wrong);
    if (field(form, "username").empty()) return missing_parameter("username");
    const auto login =
        log_in(field(form, "username"), field(form, "password"), field(form, "client_id"), context);
    if (!login) return login.error();
    AuthorizedLogin authorized;
    authorized.user_id = login->user.id;
    authorized.client_id = login->client_id;
    authorized.redirect_uri = field(form, "redirect_uri");
    authorized.code_challenge = field(form, "code_challenge");
    authorized.nonce = field(form, "nonce");
    authorized.session = login->session;
    authorized.session_started_ms = login->session_started_ms;
    TokenReply reply;
    reply.status = 302;
    reply.location = authorized.redirect_uri;
    reply.location += reply.location.find('?') == std::string::npos ? '?' : '&';
    reply.location += "code=" + codes_.issue(std::move(authorized));
    if (const auto state = field(form, "state"); !state.empty()) {
        reply.location += "&state=" + percent_encoded(state);
    }
    reply.location += "&iss=" + percent_encoded(context.issuer);
    return reply;
}

tl::expected<TokenIssuer::Login, TokenReply> TokenIssuer::redeem_code(const FormPairs& form,
                                                                      std::string_view client_id,
                                                                      const TokenContext& context) {
    const auto redemption = codes_.redeem(field(form, "code"));
    if (!redemption) return refuse(invalid_grant("Code not valid"));
    const AuthorizedLogin& authorized = redemption->login;
    if (redemption->used_before) {
        if (auto done = directory_.revoke_refresh_family(authorized.session); !done) {
            return refuse(of_error(done.error()));
        }
        audit("code-reused", std::to_string(authorized.user_id), 0, context, authorized.session);
        return refuse(invalid_grant("Code not valid"));
    }
    if (authorized.client_id != client_id ||
        authorized.redirect_uri != field(form, "redirect_uri") ||
        !pkce_matches(field(form, "code_verifier"), authorized.code_challenge)) {
        return refuse(invalid_grant("Code not valid"));
    }
    auto user = directory_.user_by_id(authorized.user_id);
    if (!user || !user->enabled) return refuse(invalid_grant("Account disabled"));
    Login login;
    login.user = std::move(*user);
    login.client_id = authorized.client_id;
    login.session = authorized.session;
    login.session_started_ms = authorized.session_started_ms;
    login.nonce = authorized.nonce;
    return login;
}

}  // namespace playhead::auth
