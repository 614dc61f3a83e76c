/// Who asks, and may they: the one gate in front of every endpoint that shows data.
#pragma once

#include <cstdint>
#include <optional>

#include "auth/api_key.h"
#include "auth/bearer_verifier.h"
#include "auth/identity.h"
#include "base/result.h"
#include "directory/tenant_snapshot.h"
#include "net/message.h"

namespace playhead::api {

/// A request that has passed: the customer exists, is enabled and may be read.
struct Caller {
    auth::Identity identity;
    std::int64_t customer_id = 0;
};

/// Thread safe. Takes `Authorization: Bearer` or `X-API-Key`.
class Access {
public:
    Access(auth::BearerVerifier& tokens, auth::ApiKeyVerifier& api_keys,
           const directory::TenantWatch& tenants)
        : tokens_(tokens), api_keys_(api_keys), tenants_(tenants) {}

    /// Unauthenticated without a valid credential.
    Result<auth::Identity> identify(const net::Request& request) const;

    /// For the customer of the path. InvalidArgument (not a number), PermissionDenied (not yours,
    /// plan or scope), NotFound (yours, but gone or disabled).
    Result<Caller> admit(auth::Identity identity, const net::Request& request,
                         std::optional<std::int64_t> plan_level, auth::Permission permission) const;

private:
    auth::BearerVerifier& tokens_;
    auth::ApiKeyVerifier& api_keys_;
    const directory::TenantWatch& tenants_;
};

}  // namespace playhead::api
