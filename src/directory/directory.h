/// The control plane's state: one SQLite file, opened by `serve` and by the CLI at the same time.
///
/// Thread safe: one connection behind one mutex, so calls may wait for each other and for the disk
/// (up to the 5 s busy timeout when another process writes). Never call it per beacon: that is what
/// `TenantSnapshot` is for. Adding what exists gives Conflict, changing what does not exist gives
/// NotFound, input of the wrong shape InvalidArgument, a busy or full disk Unavailable.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "directory/records.h"

namespace playhead::directory {

class Connection;
using SqlValue = std::variant<std::nullptr_t, std::int64_t, std::string_view>;

/// Customers one account may read at most; it bounds the size of a token.
inline constexpr std::size_t kCustomersPerUserMax = 64;
/// The audit log keeps this many entries, the oldest go first.
inline constexpr std::int64_t kAuditEntriesMax = 200'000;
inline constexpr std::size_t kDocumentBytesMax = 1 << 20;
inline constexpr std::size_t kAllowListEntriesMax = 256;

class Directory {
public:
    /// Opens or creates `file` and brings its schema up to date. Unprocessable when a newer
    /// program wrote it.
    static Result<std::unique_ptr<Directory>> open(const std::filesystem::path& file,
                                                   const Clock& clock);
    ~Directory();
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    Result<void> add_tenant(const Tenant& tenant);
    /// Replaces everything but `customer_id` and `created_ms`.
    Result<void> update_tenant(const Tenant& tenant);
    Result<Tenant> tenant(std::int64_t customer_id) const;
    Result<std::vector<Tenant>> tenants() const;  ///< by customer id

    /// Returns the user with id, subject and creation time filled in.
    Result<User> add_user(const User& user);
    /// Replaces everything but id, subject, email, password and creation time. Disabling also
    /// revokes the user's refresh tokens.
    Result<void> update_user(const User& user);
    /// Also revokes the user's refresh tokens.
    Result<void> set_password_hash(std::int64_t user_id, std::string_view password_hash);
    Result<void> remove_user(std::int64_t user_id);
    Result<User> user_by_email(std::string_view email) const;  ///< case does not matter
    Result<User> user_by_id(std::int64_t user_id) const;
    Result<User> user_by_subject(std::string_view subject) const;
    Result<std::vector<User>> users(std::optional<std::int64_t> customer_id) const;
    /// The tenants a user may read: the own one first, then `further_customers` and, for an admin,
    /// the tenants whose parent is the own one. Disabled ones are left out.
    Result<std::vector<Tenant>> readable_tenants(const User& user) const;

    Result<void> add_api_key(const ApiKey& key);
    Result<void> rename_api_key(std::string_view id, std::string_view name);
    Result<void> revoke_api_key(std::string_view id);
    Result<ApiKey> api_key(std::string_view id) const;
    Result<std::vector<ApiKey>> api_keys(std::int64_t customer_id) const;
    Result<void> touch_api_key(std::string_view id);  ///< sets `last_used_ms` to now

    /// Makes `key` the active one and retires the one before, which verifies until
    /// `previous_not_after_ms`. With `only_first`, Conflict when there is an active key already.
    Result<void> activate_signing_key(const SigningKeyRow& key, std::int64_t previous_not_after_ms,
                                      bool only_first);
    /// Active and not yet expired keys, the active one first.
    Result<std::vector<SigningKeyRow>> signing_keys() const;
    /// Stops a key from verifying at once, for one that leaked.
    Result<void> remove_signing_key(std::string_view kid);

    /// Also forgets expired tokens.
    Result<void> add_refresh_token(const RefreshToken& token);
    Result<RefreshToken> refresh_token(std::string_view token_hash) const;
    /// Atomically trades the token for `successor`, also between processes.
    Result<RotateOutcome> rotate_refresh_token(std::string_view token_hash,
                                               const RefreshToken& successor);
    Result<void> revoke_refresh_family(std::string_view family);

    Result<void> set_setting(std::string_view key, std::string_view value);
    Result<std::optional<std::string>> setting(std::string_view key) const;

    Result<void> put_document(const Document& document);  ///< adds or replaces
    Result<void> remove_document(std::string_view kind, std::int64_t customer_id,
                                 std::string_view id);
    Result<std::vector<Document>> documents(std::string_view kind,
                                            std::optional<std::int64_t> customer_id) const;

    /// Texts longer than 512 bytes are cut.
    Result<void> audit(const AuditEntry& entry);
    /// Newest first, ids below `before_id` (0: from the newest), at most `limit` (<= 1000).
    Result<std::vector<AuditEntry>> audit_log(std::optional<std::int64_t> customer_id,
                                              std::int64_t before_id, int limit) const;

    /// Differs from an earlier answer when this or any other process has changed the file since.
    /// Costs a few microseconds: it reads no table.
    Result<std::uint64_t> change_marker() const;

private:
    Directory(std::unique_ptr<Connection> connection, const Clock& clock);
    Result<User> one_user(std::string_view where, const SqlValue& value) const;
    Result<void> write_further_customers(const User& user);
    Result<void> load_further_customers(std::vector<User>& users) const;
    Result<void> insert_refresh_token(const RefreshToken& token);

    mutable std::mutex mutex_;
    std::unique_ptr<Connection> connection_;
    const Clock& clock_;
    /// SQLite's data_version counts only other connections' commits; this one counts our own.
    std::atomic<std::uint64_t> own_changes_{0};
};

/// True for a plausible address: one `@`, non-empty local part, a dot in the domain, no spaces or
/// control characters, at most 254 bytes.
bool is_email(std::string_view text) noexcept;

/// ASCII lower case, the form in which emails are kept.
std::string lower_ascii(std::string_view text);

}  // namespace playhead::directory
