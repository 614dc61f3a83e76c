/// Checks bearer tokens of an external OpenID provider and maps its claims to ours.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "auth/bearer_verifier.h"
#include "auth/provider_keys.h"
#include "auth/verdict_cache.h"
#include "base/clock.h"

namespace playhead::auth {

/// Where a provider's token says what. Each is a member's name or, where there is none of that
/// name, a path with dots. The defaults are the built-in issuer's claims (and Keycloak's).
struct ClaimMapping {
    std::string customer = "custId";  ///< a number or its digits: the account's own customer
    /// Further customers: texts that end in `(id)`, digits or numbers; one value or a list. The
    /// first stands in for `customer` where that is missing.
    std::string customers = "group";
    std::string plan = "level";                ///< a number or its digits
    std::string roles = "realm_access.roles";  ///< one text or a list
    /// The provider's role to viewer, editor or admin. Empty: the names are the same.
    std::map<std::string, std::string, std::less<>> role_names;
};

struct ProviderVerifierOptions {
    std::string issuer;
    std::string audience = "account";  ///< must be among `aud`
    ClaimMapping claims;
    std::int64_t skew_s = 30;  ///< for nbf, iat and exp: the provider's clock is not ours
};

/// Thread safe. Takes RS256 and ES256 access tokens only: header `typ` at+jwt (RFC 9068) or claim
/// `typ` Bearer (Keycloak); an id token is not one.
class ProviderVerifier final : public BearerVerifier {
public:
    ProviderVerifier(ProviderKeys& keys, const Clock& clock, ProviderVerifierOptions options);
    Result<Identity> verify(std::string_view token) override;

private:
    struct Verdict {
        Identity identity;
        std::uint64_t generation = 0;
    };

    ProviderKeys& keys_;
    const Clock& clock_;
    ProviderVerifierOptions options_;
    VerdictCache<Verdict> cache_;
};

}  // namespace playhead::auth
