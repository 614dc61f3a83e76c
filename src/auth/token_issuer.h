/// The token endpoint, both generations: form pairs in, status and JSON text out. No HTTP here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/api_key.h"
#include "auth/authorization_codes.h"
#include "auth/key_ring.h"
#include "auth/login_throttle.h"
#include "auth/password.h"
#include "auth/secrets.h"
#include "base/clock.h"
#include "directory/directory.h"

namespace playhead::auth {

/// Decoded `application/x-www-form-urlencoded` pairs in their order.
using FormPairs = std::vector<std::pair<std::string, std::string>>;

/// Client and URI.
using ClientUris = std::vector<std::pair<std::string, std::string>>;

struct TokenIssuerOptions {
    std::string realm = "mediamelon";
    /// Public clients that may use the password and refresh grants.
    std::vector<std::string> client_ids = {"smartsight-backend", "playhead-portal"};
    std::int64_t access_ttl_s = 900;
    std::int64_t refresh_ttl_s = 1800;
    /// The older generation's tokens; its clients refresh about hourly.
    std::int64_t legacy_access_ttl_s = 3600;
    std::int64_t legacy_refresh_ttl_s = 86'400;
    /// However often it is refreshed, a login ends after this time.
    std::int64_t session_max_s = std::int64_t{30} * 86'400;
    /// Allowed exactly; the portal may besides go anywhere under the server's own origin, since the
    /// server serves it.
    ClientUris redirect_uris;
    ClientUris post_logout_redirect_uris;  ///< the same after a logout
    std::string portal_client = "playhead-portal";
};

struct TokenContext {
    std::string issuer;   ///< `issuer_url` of the name the client used, or of the configured one
    std::string address;  ///< of the client, for the throttle and the audit log
};

/// Send with `Cache-Control: no-store`, `Content-Type: application/json` and, where set,
/// `Retry-After`; a 401 also wants `WWW-Authenticate`.
struct TokenReply {
    int status = 200;
    std::string body;
    std::optional<std::int64_t> retry_after_s;
    std::string location;  ///< where to redirect to, with status 302
};

/// Thread safe. A password grant takes about 50 ms of CPU: run it on the pool, not on a reactor.
/// References must outlive the issuer.
class TokenIssuer {
public:
    TokenIssuer(directory::Directory& directory, KeyRing& keys, PasswordHasher& passwords,
                LoginThrottle& throttle, ApiKeyVerifier& api_keys, Entropy& entropy,
                const Clock& clock, TokenIssuerOptions options = {});

    /// `POST /realms/{realm}/protocol/openid-connect/token`: grants password, refresh_token,
    /// authorization_code (with `code_verifier`) and client_credentials (id and key of an API key).
    /// Errors as RFC 6749 section 5.2; 429 while throttled.
    TokenReply token(const FormPairs& form, const TokenContext& context);
    /// `POST /generateOAuthToken`: password and refresh (the token in `refresh_token` or, as was
    /// documented, in `username`).
    TokenReply legacy_token(const FormPairs& form, const TokenContext& context);
    /// `POST …/logout` with `refresh_token`: ends that login. 204 also when it had ended.
    TokenReply logout(const FormPairs& form);
    /// `GET` or `POST …/logout` as OpenID Connect RP-Initiated Logout 1.0 has it: ends the login
    /// that `id_token_hint` names (expired is fine) and, where a `post_logout_redirect_uri` is one
    /// of the client's, 302 with it in `location`; else 200, or an error to show. Without the hint
    /// there is nothing to end: this issuer keeps no session in the browser.
    TokenReply end_session(const FormPairs& form, const TokenContext& context);
    /// `GET …/auth`: nothing when the query may be shown a login page, else the error to show.
    /// Never redirect on an error: the target may be hostile.
    std::optional<TokenReply> check_authorization(const FormPairs& form,
                                                  const TokenContext& context) const;
    /// The login page's POST: the same parameters with `username` and `password`. 302 with the code
    /// in `location`, or an error to show on the page (401, 429 …).
    TokenReply authorize_login(const FormPairs& form, const TokenContext& context);
    /// `GET …/userinfo`: the claims of a user's token, read afresh; 401 for keys and removed users.
    TokenReply userinfo(const Identity& identity) const;

private:
    struct Login {
        directory::User user;
        std::string client_id;
        std::string session;
        std::int64_t session_started_ms = 0;
        std::string nonce;             ///< of the authorization request, for the id token
        std::string spent_token_hash;  ///< the refresh token traded in; empty at a fresh login
    };
    struct Lifetimes {
        std::int64_t access_s = 0;
        std::int64_t refresh_s = 0;
    };

    tl::expected<Login, TokenReply> log_in(std::string_view username, std::string_view password,
                                           std::string_view client_id, const TokenContext& context);
    tl::expected<Login, TokenReply> resume(std::string_view token, std::string_view client_id,
                                           const TokenContext& context);
    tl::expected<Login, TokenReply> redeem_code(const FormPairs& form, std::string_view client_id,
                                                const TokenContext& context);
    bool may_redirect_to(std::string_view uri, std::string_view client_id, const ClientUris& listed,
                         const TokenContext& context) const;
    struct Hint {
        std::string client_id, session, email;
    };
    tl::expected<Hint, TokenReply> read_hint(std::string_view token);
    /// Tokens of a login; `legacy` chooses the form of the answer.
    TokenReply grant(const Login& login, const TokenContext& context, bool legacy);
    tl::expected<void, TokenReply> store_refresh(const Login& login, std::string_view token,
                                                 std::int64_t ttl_s, const TokenContext& context);
    TokenReply client_credentials(std::string_view client_id, std::string_view secret,
                                  const TokenContext& context);
    void audit(std::string_view action, std::string_view actor, std::int64_t customer_id,
               const TokenContext& context, std::string_view detail);

    directory::Directory& directory_;
    KeyRing& keys_;
    PasswordHasher& passwords_;
    LoginThrottle& throttle_;
    ApiKeyVerifier& api_keys_;
    Entropy& entropy_;
    const Clock& clock_;
    TokenIssuerOptions options_;
    AuthorizationCodes codes_;
};

}  // namespace playhead::auth
