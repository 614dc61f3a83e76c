/// Administration by a customer's own admins: `/admin/v1/tenants`, `users`, `apikeys`, `tags`,
/// `audit`. An admin manages its own customer and the tenants whose parent that is, and gives
/// nobody a customer that it does not manage; anything else looks as if it did not exist (404) or
/// is refused (403). Every change and every refused attempt is in the audit log, secrets never.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/contract.h"
#include "auth/password.h"
#include "auth/secrets.h"
#include "directory/directory.h"

namespace playhead::api {

/// Counts beyond which POST answers 409.
inline constexpr std::size_t kChildTenantsMax = 256;
inline constexpr std::size_t kUsersPerCustomerMax = 10'000;
inline constexpr std::size_t kApiKeysPerCustomerMax = 1'000;
inline constexpr std::size_t kTagsPerCustomerMax = 100;

struct AdminOptions {
    /// False with an external identity provider: then accounts are its business, there are no
    /// routes for users, and a token's word about roles is final.
    bool users_are_ours = true;
};

/// Must outlive the server. Thread safe.
class AdminEndpoints {
public:
    AdminEndpoints(directory::Directory& directory, auth::PasswordHasher& passwords,
                   auth::Entropy& entropy, const AdminOptions& options)
        : directory_(directory), passwords_(passwords), entropy_(entropy), options_(options) {}

    void add_operations(Contract& contract);

private:
    using Answer = Result<net::Response>;

    /// Who asks, read afresh, and what they manage.
    struct Admin {
        auth::Identity identity;
        std::string actor;
        std::string address;
        std::int64_t own = 0;
        std::vector<directory::Tenant> tenants;  ///< the own one first
        const directory::Tenant* find(std::int64_t customer_id) const;
    };
    using Handler = Answer (AdminEndpoints::*)(const Admin&, const Call&);

    net::Response answer(const Call& call, Handler handler);
    Result<Admin> enter(const Call& call) const;
    /// Checks a user's account as it is now, not as the token remembers it.
    Result<void> check_account(const auth::Identity& identity) const;
    void note(const Admin& admin, std::string_view action, std::string_view target,
              std::int64_t customer_id, std::string_view detail);
    void note_refusal(const auth::Identity& identity, const net::Request& request,
                      const Error& error);

    Answer list_tenants(const Admin& admin, const Call& call);
    Answer get_tenant(const Admin& admin, const Call& call);
    Answer add_tenant(const Admin& admin, const Call& call);
    Answer change_tenant(const Admin& admin, const Call& call);
    Answer disable_tenant(const Admin& admin, const Call& call);

    Answer list_users(const Admin& admin, const Call& call);
    Answer get_user(const Admin& admin, const Call& call);
    Answer add_user(const Admin& admin, const Call& call);
    Answer change_user(const Admin& admin, const Call& call);
    Answer remove_user(const Admin& admin, const Call& call);
    Result<directory::User> managed_user(const Admin& admin, const Call& call) const;
    Result<void> fill_user(const Admin& admin, const JsonFields& fields,
                           directory::User& user) const;

    Answer list_keys(const Admin& admin, const Call& call);
    Answer get_key(const Admin& admin, const Call& call);
    Answer add_key(const Admin& admin, const Call& call);
    Answer change_key(const Admin& admin, const Call& call);
    Answer revoke_key(const Admin& admin, const Call& call);
    Result<directory::ApiKey> managed_key(const Admin& admin, const Call& call) const;

    Answer list_tags(const Admin& admin, const Call& call);
    Answer get_tag(const Admin& admin, const Call& call);
    Answer add_tag(const Admin& admin, const Call& call);
    Answer change_tag(const Admin& admin, const Call& call);
    Answer remove_tag(const Admin& admin, const Call& call);
    Result<directory::Document> find_tag(std::int64_t customer_id, std::string_view name) const;

    Answer list_audit(const Admin& admin, const Call& call);

    /// The query parameter `customer`, else the admin's own. NotFound when it is not managed.
    static Result<std::int64_t> chosen_customer(const Admin& admin, const Call& call);
    /// The body's `customerId`, else the admin's own. PermissionDenied when it is not managed.
    static Result<std::int64_t> body_customer(const Admin& admin, const Call& call);

    directory::Directory& directory_;
    auth::PasswordHasher& passwords_;
    auth::Entropy& entropy_;
    AdminOptions options_;
};

}  // namespace playhead::api
