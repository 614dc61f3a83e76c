/// API keys (`X-API-Key`): `ph_` + 12 hex digits, the id that may be shown, then `_` and 256 random
/// bits as 43 base64url characters. Only the SHA-256 of the whole is kept.
#pragma once

#include <string>
#include <string_view>

#include "auth/identity.h"
#include "auth/secrets.h"
#include "auth/verdict_cache.h"
#include "base/clock.h"
#include "directory/directory.h"

namespace playhead::auth {

struct NewApiKey {
    std::string id;
    std::string key;  ///< shown once, to the person who asked for it; never stored
};

/// Makes a key and stores its hash. NotFound when there is no such customer.
Result<NewApiKey> create_api_key(directory::Directory& directory, Entropy& entropy,
                                 std::int64_t customer_id, directory::KeyScope scope,
                                 std::string_view name);

inline constexpr std::size_t kCachedApiKeysMax = 10'000;

/// Thread safe. A verdict is cached for two seconds, so that is how long a revoked key still works;
/// refusals are never cached.
class ApiKeyVerifier {
public:
    ApiKeyVerifier(directory::Directory& directory, const Clock& clock)
        : directory_(directory), clock_(clock), cache_(kCachedApiKeysMax) {}
    /// Unauthenticated when the key is malformed, unknown or revoked or its tenant is disabled.
    Result<Identity> verify(std::string_view key);

private:
    Result<Identity> look_up(std::string_view key);

    directory::Directory& directory_;
    const Clock& clock_;
    VerdictCache<Identity> cache_;
};

}  // namespace playhead::auth
