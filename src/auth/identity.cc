#include "auth/identity.h"

#include <algorithm>

namespace playhead::auth {

namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

tl::unexpected<Error> denied(std::string message, std::string parameter, std::string value) {
    Error error;
    error.code = ErrorCode::PermissionDenied;
    error.message = std::move(message);
    error.parameter = std::move(parameter);
    error.value = std::move(value);
    return fail(std::move(error));
}

}  // namespace

bool has_permission(const Identity& identity, Permission permission) {
    if (identity.kind != IdentityKind::User) {
        if (contains(identity.scopes, "admin")) return true;
        if (permission == Permission::Read) return contains(identity.scopes, "read");
        if (permission == Permission::Ingest) return contains(identity.scopes, "ingest");
        return false;
    }
    const bool admin = contains(identity.roles, "admin");
    const bool editor = admin || contains(identity.roles, "editor");
    switch (permission) {
        case Permission::Read: return editor || contains(identity.roles, "viewer");
        case Permission::Write: return editor;
        case Permission::Ingest: return false;
        case Permission::Admin: return admin;
    }
    return false;
}

Result<void> authorize(const Identity& identity, std::int64_t customer_id,
                       std::optional<std::int64_t> plan_level, Permission permission) {
    const auto& mine = identity.customer_ids;
    if (std::find(mine.begin(), mine.end(), customer_id) == mine.end()) {
        return denied("The customer of the path is not one of yours.", "customerId",
                      std::to_string(customer_id));
    }
    if (plan_level && identity.plan_level && *plan_level != *identity.plan_level) {
        return denied("The plan level is not the one of your account.", "planlevel",
                      std::to_string(*plan_level));
    }
    if (!has_permission(identity, permission)) {
        return denied("Your role or the key's scope does not allow this.", "", "");
    }
    return {};
}

}  // namespace playhead::auth
