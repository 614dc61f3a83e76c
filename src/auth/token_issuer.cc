#include "auth/token_issuer.h"

#include <algorithm>

#include "auth/claims.h"
#include "auth/json_text.h"
#include "auth/oauth_reply.h"
#include "base/log.h"

namespace playhead::auth {

namespace {

constexpr std::string_view kLegacyClient = "legacy";
TokenReply wrong_credentials() {
    // One text for an unknown user and a wrong password. 401 as the identity servers in use do.
    return oauth_error(401, "invalid_grant", "Invalid user credentials");
}

TokenReply dead_refresh_token() {
    return invalid_grant("Invalid refresh token");
}

TokenReply unsupported_grant() {
    return oauth_error(400, "unsupported_grant_type", "Unsupported grant_type");
}

/// What a grant of a public client cannot go without; "" for a grant that is not known.
std::string_view needed_field(std::string_view grant_type) {
    if (grant_type == "password") return "username";
    if (grant_type == "refresh_token") return "refresh_token";
    if (grant_type == "authorization_code") return "code";
    return {};
}

}  // namespace

TokenIssuer::TokenIssuer(directory::Directory& directory, KeyRing& keys, PasswordHasher& passwords,
                         LoginThrottle& throttle, ApiKeyVerifier& api_keys, Entropy& entropy,
                         const Clock& clock, TokenIssuerOptions options)
    : directory_(directory),
      keys_(keys),
      passwords_(passwords),
      throttle_(throttle),
      api_keys_(api_keys),
      entropy_(entropy),
      clock_(clock),
      options_(std::move(options)),
      codes_(entropy, clock) {}

TokenReply TokenIssuer::token(const FormPairs& form, const TokenContext& context) {
    if (!well_formed(form)) return malformed_form();
    const auto grant_type = field(form, "grant_type");
    const auto client_id = field(form, "client_id");
    if (grant_type.empty()) return missing_parameter("grant_type");
    if (grant_type == "client_credentials") {
        return client_credentials(client_id, field(form, "client_secret"), context);
    }
    const std::string_view needed = needed_field(grant_type);
    if (needed.empty()) return unsupported_grant();
    const auto& clients = options_.client_ids;
    if (std::find(clients.begin(), clients.end(), client_id) == clients.end()) {
        return unknown_client();
    }
    if (field(form, needed).empty()) return missing_parameter(needed);
    const auto login = [&] {
        if (grant_type == "password") {
            return log_in(field(form, "username"), field(form, "password"), client_id, context);
        }
        if (grant_type == "refresh_token") {
            return resume(field(form, "refresh_token"), client_id, context);
        }
        return redeem_code(form, client_id, context);
    }();
    return login ? grant(*login, context, false) : login.error();
}

TokenReply TokenIssuer::legacy_token(const FormPairs& form, const TokenContext& context) {
    if (!well_formed(form)) return malformed_form();
    const auto grant_type = field(form, "grant_type");
    const auto username = field(form, "username");
    if (grant_type == "password") {
        if (username.empty()) return missing_parameter("username");
        const auto login = log_in(username, field(form, "password"), kLegacyClient, context);
        return login ? grant(*login, context, true) : login.error();
    }
    if (grant_type == "refresh_token") {
        auto token = field(form, "refresh_token");
        if (token.empty()) token = username;
        if (token.empty()) return missing_parameter("refresh_token");
        const auto login = resume(token, kLegacyClient, context);
        return login ? grant(*login, context, true) : login.error();
    }
    return grant_type.empty() ? missing_parameter("grant_type") : unsupported_grant();
}

tl::expected<TokenIssuer::Login, TokenReply> TokenIssuer::log_in(std::string_view username,
                                                                 std::string_view password,
                                                                 std::string_view client_id,
                                                                 const TokenContext& context) {
    const auto email = directory::lower_ascii(username.substr(0, kPasswordBytesMax));
    if (const auto wait_s = throttle_.admit(email, context.address)) {
        auto reply = oauth_error(429, "slow_down", "Too many failed logins; try again later.");
        reply.retry_after_s = wait_s;
        return refuse(std::move(reply));
    }
    auto user = directory_.user_by_email(email);
    if (!user && user.error().code != ErrorCode::NotFound) {
        return refuse(of_error(user.error()));
    }
    const auto right = passwords_.verify(password, user ? user->password_hash : std::string());
    if (!right) return refuse(of_error(right.error()));
    if (!*right) {
        audit("login-failed", email, user ? user->customer_id : 0, context, "wrong credentials");
        return refuse(wrong_credentials());
    }
    throttle_.succeeded(email, context.address);
    if (!user->enabled) {
        audit("login-failed", email, user->customer_id, context, "account disabled");
        return refuse(invalid_grant("Account disabled"));
    }
    Login login;
    login.user = std::move(*user);
    login.client_id = client_id;
    login.session = random_uuid(entropy_);
    login.session_started_ms = clock_.now_ms();
    audit("login", login.user.email, login.user.customer_id, context, client_id);
    return login;
}

tl::expected<TokenIssuer::Login, TokenReply> TokenIssuer::resume(std::string_view token,
                                                                 std::string_view client_id,
                                                                 const TokenContext& context) {
    if (token.size() > kTokenBytesMax) return refuse(dead_refresh_token());
    // Found by its hash, so it is one that we wrote; its 122 random bits cannot be guessed.
    const auto hash = sha256_hex(token);
    const auto row = directory_.refresh_token(hash);
    if (!row) {
        if (row.error().code == ErrorCode::NotFound) return refuse(dead_refresh_token());
        return refuse(of_error(row.error()));
    }
    const auto now_ms = clock_.now_ms();
    if (row->client_id != client_id) return refuse(dead_refresh_token());
    if (row->rotated_ms && !row->revoked_ms) {
        if (auto done = directory_.revoke_refresh_family(row->family); !done) {
            return refuse(of_error(done.error()));
        }
        audit("refresh-reused", std::to_string(row->user_id), 0, context, row->family);
        return refuse(dead_refresh_token());
    }
    const bool over = now_ms - row->session_started_ms >= options_.session_max_s * 1000;
    if (row->revoked_ms || row->expires_ms <= now_ms || over) {
        return refuse(dead_refresh_token());
    }
    auto user = directory_.user_by_id(row->user_id);
    if (!user) return refuse(of_error(user.error()));
    if (!user->enabled) return refuse(invalid_grant("Account disabled"));
    Login login;
    login.user = std::move(*user);
    login.client_id = client_id;
    login.session = row->family;
    login.session_started_ms = row->session_started_ms;
    login.spent_token_hash = hash;
    return login;
}

TokenReply TokenIssuer::grant(const Login& login, const TokenContext& context, bool legacy) {
    const auto readable = directory_.readable_tenants(login.user);
    if (!readable) return of_error(readable.error());
    if (readable->empty() || readable->front().customer_id != login.user.customer_id) {
        return invalid_grant("Account disabled");
    }
    const Lifetimes ttl =
        legacy ? Lifetimes{options_.legacy_access_ttl_s, options_.legacy_refresh_ttl_s}
               : Lifetimes{options_.access_ttl_s, options_.refresh_ttl_s};
    const TokenFrame frame{context.issuer, options_.realm, login.client_id,
                           login.session,  login.nonce,    clock_.now_ms() / 1000};
    const auto access = keys_.sign(
        access_claims(frame, login.user, *readable, random_uuid(entropy_), ttl.access_s));
    const auto refresh =
        keys_.sign(refresh_claims(frame, login.user.subject, random_uuid(entropy_), ttl.refresh_s));
    if (!access) return of_error(access.error());
    if (!refresh) return of_error(refresh.error());
    if (auto stored = store_refresh(login, *refresh, ttl.refresh_s, context); !stored) {
        return stored.error();
    }
    JsonObject body;
    body.text("access_token", *access).number("expires_in", ttl.access_s);
    if (legacy) {
        body.text("refresh_token", *refresh).text("token_type", "bearer").text("scope", "read");
        return {200, body.done(), std::nullopt, {}};
    }
    const auto id =
        keys_.sign(id_claims(frame, login.user, *readable, random_uuid(entropy_), ttl.access_s));
    if (!id) return of_error(id.error());
    body.number("refresh_expires_in", ttl.refresh_s)
        .text("refresh_token", *refresh)
        .text("token_type", "Bearer")
        .text("id_token", *id)
        .number("not-before-policy", 0)
        .text("session_state", login.session)
        .text("scope", kUserScope);
    return {200, body.done(), std::nullopt, {}};
}

tl::expected<void, TokenReply> TokenIssuer::store_refresh(const Login& login,
                                                          std::string_view token,
                                                          std::int64_t ttl_s,
                                                          const TokenContext& context) {
    directory::RefreshToken row;
    row.token_hash = sha256_hex(token);
    row.family = login.session;
    row.user_id = login.user.id;
    row.client_id = login.client_id;
    row.session_started_ms = login.session_started_ms;
    row.expires_ms = clock_.now_ms() + ttl_s * 1000;
    if (login.spent_token_hash.empty()) {
        if (auto added = directory_.add_refresh_token(row); !added) {
            return refuse(of_error(added.error()));
        }
        return {};
    }
    // Decided by the directory, so that of two requests at once only one gets a successor.
    const auto outcome = directory_.rotate_refresh_token(login.spent_token_hash, row);
    if (!outcome) return refuse(of_error(outcome.error()));
    if (*outcome == directory::RotateOutcome::Rotated) return {};
    if (*outcome == directory::RotateOutcome::Reused) {
        audit("refresh-reused", login.user.email, login.user.customer_id, context, login.session);
    }
    return refuse(dead_refresh_token());
}

TokenReply TokenIssuer::client_credentials(std::string_view client_id, std::string_view secret,
                                           const TokenContext& context) {
    const auto identity = api_keys_.verify(secret);
    if (!identity) {
        if (identity.error().code == ErrorCode::Unauthenticated) return unknown_client();
        return of_error(identity.error());
    }
    if (identity->subject != client_id) return unknown_client();
    const auto tenant = directory_.tenant(identity->customer_ids.front());
    if (!tenant) return of_error(tenant.error());
    const TokenFrame frame{context.issuer,        options_.realm, identity->subject, "", "",
                           clock_.now_ms() / 1000};
    const auto access = keys_.sign(client_claims(frame, *tenant, identity->scopes.front(),
                                                 random_uuid(entropy_), options_.access_ttl_s));
    if (!access) return of_error(access.error());
    return {200,
            JsonObject()
                .text("access_token", *access)
                .number("expires_in", options_.access_ttl_s)
                .number("refresh_expires_in", 0)
                .text("token_type", "Bearer")
                .number("not-before-policy", 0)
                .text("scope", identity->scopes.front())
                .done(),
            std::nullopt,
            {}};
}

TokenReply TokenIssuer::logout(const FormPairs& form) {
    if (!well_formed(form)) return malformed_form();
    const auto token = field(form, "refresh_token");
    if (token.empty()) return missing_parameter("refresh_token");
    if (token.size() <= kTokenBytesMax) {
        const auto row = directory_.refresh_token(sha256_hex(token));
        if (row) {
            if (auto done = directory_.revoke_refresh_family(row->family); !done) {
                return of_error(done.error());
            }
        } else if (row.error().code != ErrorCode::NotFound) {
            return of_error(row.error());
        }
    }
    return {204, "", std::nullopt, {}};
}

TokenReply TokenIssuer::userinfo(const Identity& identity) const {
    const auto user = directory_.user_by_email(identity.email);
    if (!user && user.error().code != ErrorCode::NotFound) return of_error(user.error());
    if (!user || user->subject != identity.subject || !user->enabled) {
        return oauth_error(401, "invalid_token", "The token is not that of a user.");
    }
    return {200, userinfo_claims(*user), std::nullopt, {}};
}

void TokenIssuer::audit(std::string_view action, std::string_view actor, std::int64_t customer_id,
                        const TokenContext& context, std::string_view detail) {
    directory::AuditEntry entry;
    entry.action = action;
    entry.actor = actor;
    entry.customer_id = customer_id;
    entry.address = context.address;
    entry.detail = detail;
    // A login must not fail because the log of it does; the operator sees it here.
    if (auto done = directory_.audit(entry); !done) log::error("audit: {}", done.error().message);
}

}  // namespace playhead::auth
