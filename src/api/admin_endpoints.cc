#include "api/admin_endpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/admin_operations.h"
#include "api/admin_replies.h"
#include "base/log.h"
#include "net/problem.h"

namespace playhead::api {

namespace {

using net::Request;
using net::Response;

constexpr std::uint64_t kBodyBytesMax = 64U << 10U;

void write_entry(JsonWriter& json, const directory::AuditEntry& entry) {
    json.begin_object();
    json.member("id", entry.id);
    json.member("atMs", entry.at_ms);
    json.member("actor", entry.actor);
    json.member("action", entry.action);
    json.member("target", entry.target);
    json.member("customerId", entry.customer_id);
    json.member("address", entry.address);
    json.member("detail", entry.detail);
    json.end_object();
}

}  // namespace

const directory::Tenant* AdminEndpoints::Admin::find(std::int64_t customer_id) const {
    const auto found = std::find_if(tenants.begin(), tenants.end(), [&](const auto& tenant) {
        return tenant.customer_id == customer_id;
    });
    return found == tenants.end() ? nullptr : &*found;
}

void AdminEndpoints::add_operations(Contract& contract) {
    const auto add = [&](Operation operation, Handler handler) {
        contract.add(std::move(operation), {http::RunOn::Pool, kBodyBytesMax, true},
                     [this, handler](Call& call, net::Responder responder) {
                         responder.send(answer(call, handler));
                     });
    };
    const auto add_kind = [&](AdminKind kind, const std::array<Handler, 5>& handlers) {
        auto operations = admin_operations(kind);
        for (std::size_t i = 0; i < handlers.size(); ++i) {
            add(std::move(operations.at(i)), handlers.at(i));
        }
    };
    using Self = AdminEndpoints;
    add_kind(AdminKind::Tenants, {&Self::list_tenants, &Self::add_tenant, &Self::get_tenant,
                                  &Self::change_tenant, &Self::disable_tenant});
    if (options_.users_are_ours) {
        add_kind(AdminKind::Users, {&Self::list_users, &Self::add_user, &Self::get_user,
                                    &Self::change_user, &Self::remove_user});
    }
    add_kind(AdminKind::ApiKeys, {&Self::list_keys, &Self::add_key, &Self::get_key,
                                  &Self::change_key, &Self::revoke_key});
    add_kind(AdminKind::Tags, {&Self::list_tags, &Self::add_tag, &Self::get_tag, &Self::change_tag,
                               &Self::remove_tag});
    add(audit_operation(), &Self::list_audit);
}

Response AdminEndpoints::answer(const Call& call, Handler handler) {
    const auto admin = enter(call);
    auto answered = admin ? (this->*handler)(*admin, call) : fail(admin.error());
    if (answered) return std::move(*answered);
    const Error& error = answered.error();
    const bool refused = error.code == ErrorCode::PermissionDenied ||
                         error.code == ErrorCode::NotFound || error.code == ErrorCode::Conflict;
    if (refused) note_refusal(call.caller.identity, call.request, error);
    return net::problem_response(error);
}

Result<AdminEndpoints::Admin> AdminEndpoints::enter(const Call& call) const {
    const auto& identity = call.caller.identity;
    if (!auth::has_permission(identity, auth::Permission::Admin)) {
        return fail_denied("", "", "administration needs the role admin or a key of scope admin");
    }
    if (auto current = check_account(identity); !current) return fail(current.error());
    Admin admin;
    admin.own = identity.customer_ids.front();
    const auto all = directory_.tenants();
    if (!all) return fail(all.error());
    for (const auto& tenant : *all) {
        if (tenant.customer_id == admin.own) {
            if (!tenant.enabled) break;
            admin.tenants.insert(admin.tenants.begin(), tenant);
        } else if (tenant.parent_customer_id == admin.own) {
            admin.tenants.push_back(tenant);
        }
    }
    if (admin.find(admin.own) == nullptr) {
        return fail_denied("", "", "your customer is gone or disabled");
    }
    admin.identity = identity;
    admin.actor = identity.actor();
    admin.address = call.request.remote_address();
    return admin;
}

Result<void> AdminEndpoints::check_account(const auth::Identity& identity) const {
    if (identity.kind != auth::IdentityKind::User) {
        const auto key = directory_.api_key(identity.subject);
        if (!key && key.error().code != ErrorCode::NotFound) return fail(key.error());
        if (key && !key->revoked_ms && key->scope == directory::KeyScope::Admin) return {};
        return fail_denied("", "", "this key may not administer any more");
    }
    if (!options_.users_are_ours) return {};
    const auto user = directory_.user_by_subject(identity.subject);
    if (!user && user.error().code != ErrorCode::NotFound) return fail(user.error());
    if (user && user->enabled && user->role == directory::Role::Admin &&
        user->customer_id == identity.customer_ids.front()) {
        return {};
    }
    return fail_denied("", "", "this account may not administer any more");
}

void AdminEndpoints::note(const Admin& admin, std::string_view action, std::string_view target,
                          std::int64_t customer_id, std::string_view detail) {
    directory::AuditEntry entry;
    entry.actor = admin.actor;
    entry.action = action;
    entry.target = target;
    entry.customer_id = customer_id;
    entry.address = admin.address;
    entry.detail = detail;
    if (auto done = directory_.audit(entry); !done) log::error("audit: {}", done.error().message);
}

void AdminEndpoints::note_refusal(const auth::Identity& identity, const Request& request,
                                  const Error& error) {
    directory::AuditEntry entry;
    entry.actor = identity.actor();
    entry.action = "admin-refused";
    // The path, not the target: a query string may hold anything.
    entry.target = fmt::format("{} {}", request.method_text(), request.path());
    entry.customer_id = identity.customer_ids.front();
    entry.address = request.remote_address();
    entry.detail = error.message;
    if (auto done = directory_.audit(entry); !done) log::error("audit: {}", done.error().message);
}

Result<std::int64_t> AdminEndpoints::chosen_customer(const Admin& admin, const Call& call) {
    const auto customer = call.has("customer") ? call.integer("customer") : admin.own;
    if (admin.find(customer) != nullptr) return customer;
    return fail(Error{ErrorCode::NotFound,
                      "the customer is not one that you manage",
                      "customer",
                      std::to_string(customer),
                      {}});
}

Result<std::int64_t> AdminEndpoints::body_customer(const Admin& admin, const Call& call) {
    const auto* given = call.fields().find<std::int64_t>("customerId");
    if (given == nullptr) return admin.own;
    if (admin.find(*given) != nullptr) return *given;
    return fail_denied("customerId", std::to_string(*given),
                       "the customer is not one that you manage");
}

Result<Response> AdminEndpoints::list_audit(const Admin& admin, const Call& call) {
    const auto customer = chosen_customer(admin, call);
    if (!customer) return fail(customer.error());
    const auto limit = call.integer("limit");
    const auto entries =
        directory_.audit_log(*customer, call.integer("before"), static_cast<int>(limit));
    if (!entries) return fail(entries.error());
    std::string body;
    JsonWriter json(body);
    json.begin_object();
    json.key("entries");
    json.begin_array();
    for (const auto& entry : *entries) write_entry(json, entry);
    json.end_array();
    json.key("before");  // of the next page
    if (static_cast<std::int64_t>(entries->size()) < limit) {
        json.null();
    } else {
        json.value(entries->back().id);
    }
    json.end_object();
    return admin_reply(200, std::move(body));
}

}  // namespace playhead::api
