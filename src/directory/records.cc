#include "directory/records.h"

namespace playhead::directory {

std::string_view role_name(Role role) noexcept {
    switch (role) {
        case Role::Viewer: return "viewer";
        case Role::Editor: return "editor";
        case Role::Admin: return "admin";
    }
    return "";
}

std::optional<Role> parse_role(std::string_view name) noexcept {
    for (const Role role : {Role::Viewer, Role::Editor, Role::Admin}) {
        if (role_name(role) == name) return role;
    }
    return std::nullopt;
}

std::string_view scope_name(KeyScope scope) noexcept {
    switch (scope) {
        case KeyScope::Read: return "read";
        case KeyScope::Ingest: return "ingest";
        case KeyScope::Admin: return "admin";
    }
    return "";
}

std::optional<KeyScope> parse_scope(std::string_view name) noexcept {
    for (const KeyScope scope : {KeyScope::Read, KeyScope::Ingest, KeyScope::Admin}) {
        if (scope_name(scope) == name) return scope;
    }
    return std::nullopt;
}

}  // namespace playhead::directory
