/// The rows of the directory as plain values. Times are epoch milliseconds (UTC).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::directory {

/// One customer: the owner of sessions, users and keys.
struct Tenant {
    std::int64_t customer_id = 0;  ///< positive; leads every sort key of the store
    std::int64_t plan_level = 0;   ///< >= 0; the token's `level` claim
    std::string name;              ///< 1 to 200 bytes, no control characters
    bool enabled = true;           ///< a disabled tenant neither ingests nor logs in
    std::int64_t created_ms = 0;   ///< set by the directory
    std::optional<std::int64_t> parent_customer_id;  ///< admins of the parent may read this tenant
    std::vector<std::string> allowed_origins;        ///< empty: every origin may send beacons
    std::vector<std::string> ingest_keys;            ///< empty: players need no key
    std::int64_t rate_limit_per_address_per_s = 0;   ///< 0: the server's default
    std::int64_t stats_interval_s = 10;              ///< told to SDKs at registration, 1 to 3600
};

enum class Role : int { Viewer, Editor, Admin };

struct User {
    std::int64_t id = 0;        ///< set by the directory
    std::string subject;        ///< uuid, the token's `sub`; set by the directory
    std::string email;          ///< unique, kept in lower case
    std::string password_hash;  ///< as `auth` wrote it; never a password
    std::int64_t customer_id = 0;
    Role role = Role::Viewer;
    std::vector<std::int64_t> further_customers;  ///< besides `customer_id`, for parent accounts
    bool enabled = true;
    std::string given_name;
    std::string family_name;
    std::int64_t created_ms = 0;  ///< set by the directory
};

enum class KeyScope : int { Read, Ingest, Admin };

struct ApiKey {
    std::string id;        ///< the prefix that may be shown, also the `client_id`
    std::string key_hash;  ///< SHA-256 of the whole key, hex
    std::string name;      ///< what it is for, free text
    std::int64_t customer_id = 0;
    KeyScope scope = KeyScope::Read;
    std::int64_t created_ms = 0;  ///< set by the directory
    std::optional<std::int64_t> revoked_ms;
    std::optional<std::int64_t> last_used_ms;
};

/// An RS256 key pair. `not_after_ms` is set on retirement: tokens verify until then.
struct SigningKeyRow {
    std::string kid;
    std::string private_pem;
    std::int64_t created_ms = 0;
    std::optional<std::int64_t> not_after_ms;
    bool active = false;
};

struct RefreshToken {
    std::string token_hash;  ///< SHA-256 of the token, hex
    std::string family;      ///< the login session (`sid`) all its successors share
    std::int64_t user_id = 0;
    std::string client_id;
    std::int64_t session_started_ms = 0;
    std::int64_t expires_ms = 0;
    std::optional<std::int64_t> rotated_ms;
    std::optional<std::int64_t> revoked_ms;
};

/// What became of an attempt to trade a refresh token for its successor.
enum class RotateOutcome : int {
    Rotated,  ///< the successor is stored
    Unknown,  ///< no such token
    Expired,
    Revoked,
    Reused,  ///< it had been traded before: its whole family is now revoked
};

struct AuditEntry {
    std::int64_t id = 0;     ///< set by the directory
    std::int64_t at_ms = 0;  ///< set by the directory
    std::string actor;       ///< email, key id or "cli"
    std::string action;      ///< e.g. "login", "login-failed", "tenant-added"
    std::string target;
    std::int64_t customer_id = 0;  ///< 0 when none is known
    std::string address;
    std::string detail;
};

/// A JSON text kept for another module: an alert rule, a saved view.
struct Document {
    std::string kind;
    std::string id;
    std::int64_t customer_id = 0;
    std::string body;
    std::int64_t updated_ms = 0;  ///< set by the directory
};

std::string_view role_name(Role role) noexcept;  ///< "viewer", "editor", "admin"
std::optional<Role> parse_role(std::string_view name) noexcept;
std::string_view scope_name(KeyScope scope) noexcept;  ///< "read", "ingest", "admin"
std::optional<KeyScope> parse_scope(std::string_view name) noexcept;

}  // namespace playhead::directory
