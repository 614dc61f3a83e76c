#include <algorithm>

#include "api/admin_endpoints.h"
#include "api/admin_replies.h"

namespace playhead::api {

namespace {

using net::Response;

void write_user(JsonWriter& json, const directory::User& user) {
    json.begin_object();
    json.member("id", user.subject);
    json.member("email", user.email);
    json.member("customerId", user.customer_id);
    json.member("role", directory::role_name(user.role));
    json.key("furtherCustomers");
    json.begin_array();
    for (const auto customer : user.further_customers) json.value(customer);
    json.end_array();
    json.member("enabled", user.enabled);
    json.member("givenName", user.given_name);
    json.member("familyName", user.family_name);
    json.member("createdMs", user.created_ms);
    json.end_object();
}

}  // namespace

Result<Response> AdminEndpoints::list_users(const Admin& admin, const Call& call) {
    const auto customer = chosen_customer(admin, call);
    if (!customer) return fail(customer.error());
    const auto users = directory_.users(*customer);
    if (!users) return fail(users.error());
    return admin_list("users", *users, write_user);
}

Result<directory::User> AdminEndpoints::managed_user(const Admin& admin, const Call& call) const {
    auto user = directory_.user_by_subject(call.text("id"));
    if (!user && user.error().code != ErrorCode::NotFound) return fail(user.error());
    if (user && admin.find(user->customer_id) != nullptr) return user;
    return fail(Error{ErrorCode::NotFound,
                      "there is no such user among those that you manage",
                      "id",
                      std::string(call.text("id").substr(0, 64)),
                      {}});
}

Result<Response> AdminEndpoints::get_user(const Admin& admin, const Call& call) {
    const auto user = managed_user(admin, call);
    if (!user) return fail(user.error());
    return admin_item(200, *user, write_user);
}

Result<void> AdminEndpoints::fill_user(const Admin& admin, const JsonFields& fields,
                                       directory::User& user) const {
    if (const auto* name = fields.find<std::string>("role")) {
        const auto role = directory::parse_role(*name);
        if (!role) {
            return fail_parameter("role", name->substr(0, 64), "viewer, editor or admin",
                                  "there is no such role");
        }
        user.role = *role;
    }
    if (const auto* further = fields.find<std::vector<std::int64_t>>("furtherCustomers")) {
        for (const auto customer : *further) {
            if (admin.find(customer) == nullptr) {
                return fail_denied("furtherCustomers", std::to_string(customer),
                                   "the customer is not one that you manage");
            }
        }
        user.further_customers = *further;
    }
    fields.take("enabled", user.enabled);
    fields.take("givenName", user.given_name);
    fields.take("familyName", user.family_name);
    return {};
}

Result<Response> AdminEndpoints::add_user(const Admin& admin, const Call& call) {
    const auto& fields = call.fields();
    const auto customer = body_customer(admin, call);
    if (!customer) return fail(customer.error());
    const auto others = directory_.users(*customer);
    if (!others) return fail(others.error());
    if (others->size() >= kUsersPerCustomerMax) return fail_full("users", kUsersPerCustomerMax);
    directory::User user;
    user.customer_id = *customer;
    fields.take("email", user.email);
    if (auto filled = fill_user(admin, fields, user); !filled) return fail(filled.error());
    auto hash = passwords_.hash(*fields.find<std::string>("password"));
    if (!hash) return fail(hash.error());
    user.password_hash = std::move(*hash);
    const auto added = directory_.add_user(user);
    if (!added) return fail(added.error());
    note(admin, "user-added", added->email, *customer,
         "role " + std::string(directory::role_name(added->role)));
    return admin_item(201, *added, write_user);
}

Result<Response> AdminEndpoints::change_user(const Admin& admin, const Call& call) {
    auto user = managed_user(admin, call);
    if (!user) return fail(user.error());
    const auto& fields = call.fields();
    const auto& further = user->further_customers;
    const bool beyond = std::any_of(further.begin(), further.end(), [&](std::int64_t customer) {
        return admin.find(customer) == nullptr;
    });
    const auto* password = fields.find<std::string>("password");
    if (beyond && (password != nullptr || fields.has("role") || fields.has("furtherCustomers"))) {
        // Whoever sets the password of an account may read all that it may.
        return fail_denied("id", user->subject,
                           "this account reads customers that you do not manage; only the "
                           "operator may change its password, role or customers");
    }
    if (auto filled = fill_user(admin, fields, *user); !filled) return fail(filled.error());
    if (user->subject == admin.identity.subject &&
        (!user->enabled || user->role != directory::Role::Admin)) {
        return fail(ErrorCode::Conflict, "you cannot take the administration from yourself");
    }
    std::string hash;
    if (password != nullptr) {
        auto hashed = passwords_.hash(*password);
        if (!hashed) return fail(hashed.error());
        hash = std::move(*hashed);
    }
    if (auto done = directory_.update_user(*user); !done) return fail(done.error());
    if (!hash.empty()) {
        if (auto done = directory_.set_password_hash(user->id, hash); !done) {
            return fail(done.error());
        }
    }
    note(admin, "user-changed", user->email, user->customer_id, fields.names());
    return admin_item(200, *user, write_user);
}

Result<Response> AdminEndpoints::remove_user(const Admin& admin, const Call& call) {
    const auto user = managed_user(admin, call);
    if (!user) return fail(user.error());
    if (user->subject == admin.identity.subject) {
        return fail(ErrorCode::Conflict, "you cannot remove yourself");
    }
    if (auto done = directory_.remove_user(user->id); !done) return fail(done.error());
    note(admin, "user-removed", user->email, user->customer_id, "");
    return Response(204);
}

}  // namespace playhead::api
