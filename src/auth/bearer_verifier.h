/// What checks a bearer token: the built-in issuer's verifier or that of an external provider.
#pragma once

#include <string_view>

#include "auth/identity.h"
#include "base/result.h"

namespace playhead::auth {

/// Thread safe.
class BearerVerifier {
public:
    virtual ~BearerVerifier() = default;
    /// Unauthenticated, with the reason, for anything but a valid access token; Unavailable when
    /// it cannot be told now.
    virtual Result<Identity> verify(std::string_view token) = 0;
};

}  // namespace playhead::auth
