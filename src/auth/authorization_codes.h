/// Codes of the authorization code grant (RFC 6749 section 4.1) with PKCE (RFC 7636): kept in
/// memory, since they live for a minute.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/secrets.h"
#include "base/clock.h"

namespace playhead::auth {

inline constexpr std::size_t kAuthorizationCodesMax = 10'000;
inline constexpr std::int64_t kAuthorizationCodeTtlMs = 60'000;

/// What a code stands for.
struct AuthorizedLogin {
    std::int64_t user_id = 0;
    std::string client_id;
    std::string redirect_uri;
    std::string code_challenge;  ///< base64url SHA-256 of the verifier (method S256)
    std::string nonce;
    std::string session;
    std::int64_t session_started_ms = 0;
};

/// Thread safe. Of this process only: a code must be redeemed where it was issued.
class AuthorizationCodes {
public:
    AuthorizationCodes(Entropy& entropy, const Clock& clock) : entropy_(entropy), clock_(clock) {}
    std::string issue(AuthorizedLogin login);

    struct Redemption {
        AuthorizedLogin login;
        bool used_before = false;  ///< then end the session: the code was stolen
    };
    /// Nothing when the code is unknown or too old. A code counts as used from its first redemption
    /// on, whatever the caller makes of it.
    std::optional<Redemption> redeem(std::string_view code);

private:
    struct Entry {
        std::string key;
        AuthorizedLogin login;
        std::int64_t expires_ms = 0;
        bool used = false;
    };
    void drop_old(std::int64_t now_ms);

    Entropy& entropy_;
    const Clock& clock_;
    std::mutex mutex_;
    std::list<Entry> entries_;  ///< oldest first
    std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
};

/// True when `verifier` has the shape RFC 7636 section 4.1 asks for and hashes to `challenge`.
bool pkce_matches(std::string_view verifier, std::string_view challenge);

}  // namespace playhead::auth
