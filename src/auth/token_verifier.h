/// Checks bearer tokens that `TokenIssuer` wrote.
#pragma once

#include <string>
#include <string_view>

#include "auth/bearer_verifier.h"
#include "auth/identity.h"
#include "auth/key_ring.h"
#include "auth/verdict_cache.h"
#include "base/clock.h"

namespace playhead::auth {

inline constexpr std::size_t kCachedTokensMax = 10'000;
/// `aud` of every access token.
inline constexpr std::string_view kAccessAudience = "account";

struct TokenVerifierOptions {
    std::string realm = "mediamelon";
    /// Exact `iss`; when empty, any http(s) URL that ends in `/realms/<realm>`, since the name the
    /// client used for this server is part of it. Either way only our own keys count.
    std::string issuer;
    std::int64_t skew_s = 30;  ///< allowed for nbf and iat; exp is exact: both clocks are ours
};

/// Thread safe. About 40 us for a new token, below 1 us for one seen before.
class TokenVerifier final : public BearerVerifier {
public:
    TokenVerifier(KeyRing& keys, const Clock& clock, TokenVerifierOptions options = {})
        : keys_(keys), clock_(clock), options_(std::move(options)), cache_(kCachedTokensMax) {}

    /// Unauthenticated, with the reason, for anything but a valid access token: refresh and id
    /// tokens are refused too.
    Result<Identity> verify(std::string_view token) override;

private:
    struct Verdict {
        Identity identity;
        std::uint64_t key_generation = 0;
    };

    KeyRing& keys_;
    const Clock& clock_;
    TokenVerifierOptions options_;
    VerdictCache<Verdict> cache_;
};

/// The token of an `Authorization: Bearer …` header value; the scheme's case does not matter.
/// Unauthenticated when the value has another shape.
Result<std::string_view> bearer_token(std::string_view authorization);

}  // namespace playhead::auth
