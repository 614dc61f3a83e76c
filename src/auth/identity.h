/// Who asks, and the one place that decides whether they may.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "directory/records.h"

namespace playhead::auth {

enum class IdentityKind : int {
    User,    ///< bearer token of a person
    ApiKey,  ///< X-API-Key
    Client,  ///< bearer token got by client_credentials with an API key
};

/// What a request needs. Each call says one.
enum class Permission : int {
    Read,    ///< metrics, sessions, alerts
    Write,   ///< alert rules, saved views
    Ingest,  ///< server-side import of beacons
    Admin,   ///< users, keys and settings of the customer
};

struct Identity {
    IdentityKind kind = IdentityKind::User;
    std::string subject;                     ///< a user's uuid or a key's id
    std::string email;                       ///< empty for keys
    std::string session;                     ///< the token's `sid`; empty for keys
    std::vector<std::int64_t> customer_ids;  ///< the own one first; never empty
    std::vector<std::string> roles;          ///< realm roles of a user
    std::vector<std::string> scopes;
    std::optional<std::int64_t> plan_level;

    /// As the audit log names it.
    const std::string& actor() const noexcept { return email.empty() ? subject : email; }
};

/// A user's roles grant: viewer Read, editor also Write, admin also Admin. A key's scope grants:
/// read Read, ingest Ingest, admin everything.
bool has_permission(const Identity& identity, Permission permission);

/// PermissionDenied when the customer is none of the identity's, when `plan_level` (where the
/// endpoint has one) is not that of the token, or when role or scope do not grant `permission`.
/// The two errors about customers read the same whether or not the customer exists.
Result<void> authorize(const Identity& identity, std::int64_t customer_id,
                       std::optional<std::int64_t> plan_level, Permission permission);

}  // namespace playhead::auth
