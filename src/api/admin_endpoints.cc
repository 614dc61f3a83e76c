#include "api/admin_endpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/admin_replies.h"
#include "base/log.h"
#include "net/problem.h"

namespace playhead::api {

namespace {

using net::Method;
using net::Request;
using net::Response;

constexpr std::uint64_t kBodyBytesMax = 64U << 10U;
constexpr std::int64_t kAuditPageDefault = 100;
constexpr std::int64_t kAuditPageMax = 1000;

/// A query parameter that is a whole number from `low` to `high`.
Result<std::int64_t> number_parameter(const http::QueryString& query, const char* name,
                                      std::int64_t otherwise, std::int64_t low, std::int64_t high) {
    const auto* given = query.find(name);
    if (given == nullptr) return otherwise;
    const auto& text = given->value;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < low || value > high) {
        return fail_parameter(name, text.substr(0, 64),
                              fmt::format("a whole number from {} to {}", low, high),
                              fmt::format("{} is out of range or no number", name));
    }
    return value;
}

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

void AdminEndpoints::add(http::Router& router, Method method, std::string_view path,
                         Handler handler) {
    router.add(method, "/admin/v1/" + std::string(path),
               http::RouteOptions{http::RunOn::Pool, kBodyBytesMax, true},
               [this, handler](Request& request, net::Responder responder) {
                   responder.send(answer(request, handler));
               });
}

void AdminEndpoints::add_routes(http::Router& router) {
    add(router, Method::Get, "tenants", &AdminEndpoints::list_tenants);
    add(router, Method::Post, "tenants", &AdminEndpoints::add_tenant);
    add(router, Method::Get, "tenants/{id}", &AdminEndpoints::get_tenant);
    add(router, Method::Patch, "tenants/{id}", &AdminEndpoints::change_tenant);
    add(router, Method::Delete, "tenants/{id}", &AdminEndpoints::disable_tenant);
    if (options_.users_are_ours) {
        add(router, Method::Get, "users", &AdminEndpoints::list_users);
        add(router, Method::Post, "users", &AdminEndpoints::add_user);
        add(router, Method::Get, "users/{id}", &AdminEndpoints::get_user);
        add(router, Method::Patch, "users/{id}", &AdminEndpoints::change_user);
        add(router, Method::Delete, "users/{id}", &AdminEndpoints::remove_user);
    }
    add(router, Method::Get, "apikeys", &AdminEndpoints::list_keys);
    add(router, Method::Post, "apikeys", &AdminEndpoints::add_key);
    add(router, Method::Get, "apikeys/{id}", &AdminEndpoints::get_key);
    add(router, Method::Patch, "apikeys/{id}", &AdminEndpoints::change_key);
    add(router, Method::Delete, "apikeys/{id}", &AdminEndpoints::revoke_key);
    add(router, Method::Get, "tags", &AdminEndpoints::list_tags);
    add(router, Method::Post, "tags", &AdminEndpoints::add_tag);
    add(router, Method::Get, "tags/{id}", &AdminEndpoints::get_tag);
    add(router, Method::Patch, "tags/{id}", &AdminEndpoints::change_tag);
    add(router, Method::Delete, "tags/{id}", &AdminEndpoints::remove_tag);
    add(router, Method::Get, "audit", &AdminEndpoints::list_audit);
}

Response AdminEndpoints::answer(const Request& request, Handler handler) {
    std::optional<auth::Identity> identity;
    auto admin = enter(request, identity);
    auto answered = admin ? (this->*handler)(*admin, request) : fail(admin.error());
    if (answered) return std::move(*answered);
    const Error& error = answered.error();
    const bool refused = error.code == ErrorCode::PermissionDenied ||
                         error.code == ErrorCode::NotFound || error.code == ErrorCode::Conflict;
    // Without an identity anyone could fill the log.
    if (refused && identity) note_refusal(*identity, request, error);
    return net::problem_response(error);
}

Result<AdminEndpoints::Admin> AdminEndpoints::enter(const Request& request,
                                                    std::optional<auth::Identity>& identity) const {
    auto identified = access_.identify(request);
    if (!identified) return fail(identified.error());
    identity = *identified;
    if (!auth::has_permission(*identity, auth::Permission::Admin)) {
        return fail_denied("", "", "administration needs the role admin or a key of scope admin");
    }
    if (auto current = check_account(*identity); !current) return fail(current.error());
    Admin admin;
    admin.own = identity->customer_ids.front();
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
    admin.identity = *identity;
    admin.actor = identity->email.empty() ? identity->subject : identity->email;
    admin.address = request.remote_address();
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
    entry.actor = identity.email.empty() ? identity.subject : identity.email;
    entry.action = "admin-refused";
    // The path, not the target: a query string may hold anything.
    entry.target = fmt::format("{} {}", request.method_text(), request.path());
    entry.customer_id = identity.customer_ids.front();
    entry.address = request.remote_address();
    entry.detail = error.message;
    if (auto done = directory_.audit(entry); !done) log::error("audit: {}", done.error().message);
}

Result<std::int64_t> AdminEndpoints::chosen_customer(const Admin& admin, const Request& request) {
    const auto query = http::QueryString::parse(request.query());
    if (!query) return fail(query.error());
    const auto customer = number_parameter(*query, "customer", admin.own, 1, INT64_MAX);
    if (!customer) return fail(customer.error());
    if (admin.find(*customer) != nullptr) return *customer;
    return fail(Error{ErrorCode::NotFound,
                      "the customer is not one that you manage",
                      "customer",
                      std::to_string(*customer),
                      {}});
}

Result<std::int64_t> AdminEndpoints::chosen_customer(const Admin& admin, const JsonFields& fields) {
    const auto* given = fields.find<std::int64_t>("customerId");
    if (given == nullptr) return admin.own;
    if (admin.find(*given) != nullptr) return *given;
    return fail_denied("customerId", std::to_string(*given),
                       "the customer is not one that you manage");
}

Result<Response> AdminEndpoints::list_audit(const Admin& admin, const Request& request) {
    const auto query = http::QueryString::parse(request.query());
    if (!query) return fail(query.error());
    const auto customer = chosen_customer(admin, request);
    if (!customer) return fail(customer.error());
    const auto before = number_parameter(*query, "before", 0, 0, INT64_MAX);
    if (!before) return fail(before.error());
    const auto limit = number_parameter(*query, "limit", kAuditPageDefault, 1, kAuditPageMax);
    if (!limit) return fail(limit.error());
    const auto entries = directory_.audit_log(*customer, *before, static_cast<int>(*limit));
    if (!entries) return fail(entries.error());
    std::string body;
    JsonWriter json(body);
    json.begin_object();
    json.key("entries");
    json.begin_array();
    for (const auto& entry : *entries) write_entry(json, entry);
    json.end_array();
    json.key("before");  // of the next page
    if (static_cast<std::int64_t>(entries->size()) < *limit) {
        json.null();
    } else {
        json.value(entries->back().id);
    }
    json.end_object();
    return admin_reply(200, std::move(body));
}

}  // namespace playhead::api
