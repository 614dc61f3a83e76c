#include <algorithm>

#include "api/admin_endpoints.h"
#include "api/admin_replies.h"

namespace playhead::api {

namespace {

using net::Response;

void write_tenant(JsonWriter& json, const directory::Tenant& tenant) {
    json.begin_object();
    json.member("customerId", tenant.customer_id);
    json.member("name", tenant.name);
    json.member("planLevel", tenant.plan_level);
    json.member("enabled", tenant.enabled);
    json.key("parentCustomerId");
    if (tenant.parent_customer_id) {
        json.value(*tenant.parent_customer_id);
    } else {
        json.null();
    }
    json.member("allowedOrigins", tenant.allowed_origins);
    json.member("ingestKeys", tenant.ingest_keys);
    json.member("statsIntervalSeconds", tenant.stats_interval_s);
    json.member("createdMs", tenant.created_ms);
    json.end_object();
}

void take_fields(const JsonFields& fields, directory::Tenant& tenant) {
    fields.take("name", tenant.name);
    fields.take("enabled", tenant.enabled);
    fields.take("allowedOrigins", tenant.allowed_origins);
    fields.take("ingestKeys", tenant.ingest_keys);
    fields.take("statsIntervalSeconds", tenant.stats_interval_s);
}

/// The tenant of the path among those that are managed.
template <class Admin>
Result<directory::Tenant> tenant_of_path(const Admin& admin, const Call& call) {
    const auto id = call.integer("id");
    if (const auto* tenant = admin.find(id)) return *tenant;
    return fail(Error{ErrorCode::NotFound,
                      "there is no such tenant among those that you manage",
                      "id",
                      std::to_string(id),
                      {}});
}

}  // namespace

Result<Response> AdminEndpoints::list_tenants(const Admin& admin, const Call&) {
    return admin_list("tenants", admin.tenants, write_tenant);
}

Result<Response> AdminEndpoints::get_tenant(const Admin& admin, const Call& call) {
    const auto tenant = tenant_of_path(admin, call);
    if (!tenant) return fail(tenant.error());
    return admin_item(200, *tenant, write_tenant);
}

Result<Response> AdminEndpoints::add_tenant(const Admin& admin, const Call& call) {
    const auto& fields = call.fields();
    if (admin.tenants.size() > kChildTenantsMax) return fail_full("tenants", kChildTenantsMax);
    directory::Tenant tenant;
    fields.take("customerId", tenant.customer_id);
    take_fields(fields, tenant);
    // Below the admin's own and on its plan: anything else is the operator's to give.
    tenant.parent_customer_id = admin.own;
    tenant.plan_level = admin.tenants.front().plan_level;
    if (auto added = directory_.add_tenant(tenant); !added) return fail(added.error());
    note(admin, "tenant-added", std::to_string(tenant.customer_id), admin.own, tenant.name);
    const auto stored = directory_.tenant(tenant.customer_id);
    if (!stored) return fail(stored.error());
    return admin_item(201, *stored, write_tenant);
}

Result<Response> AdminEndpoints::change_tenant(const Admin& admin, const Call& call) {
    auto tenant = tenant_of_path(admin, call);
    if (!tenant) return fail(tenant.error());
    const auto& fields = call.fields();
    if (tenant->customer_id == admin.own && fields.has("enabled")) {
        return fail_denied("enabled", "",
                           "only the operator enables or disables your own customer");
    }
    take_fields(fields, *tenant);
    if (auto done = directory_.update_tenant(*tenant); !done) return fail(done.error());
    note(admin, "tenant-changed", std::to_string(tenant->customer_id), tenant->customer_id,
         fields.names());
    return admin_item(200, *tenant, write_tenant);
}

Result<Response> AdminEndpoints::disable_tenant(const Admin& admin, const Call& call) {
    auto tenant = tenant_of_path(admin, call);
    if (!tenant) return fail(tenant.error());
    if (tenant->customer_id == admin.own) {
        return fail_denied("id", std::to_string(admin.own),
                           "only the operator enables or disables your own customer");
    }
    tenant->enabled = false;
    if (auto done = directory_.update_tenant(*tenant); !done) return fail(done.error());
    note(admin, "tenant-disabled", std::to_string(tenant->customer_id), admin.own, "");
    return Response(204);
}

}  // namespace playhead::api
