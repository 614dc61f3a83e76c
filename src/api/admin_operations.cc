#include "api/admin_operations.h"

namespace playhead::api {

namespace {

constexpr std::string_view kBase = "/admin/v1/";

/// "getUsers", "patchUsersById".
std::string id_of(const http::Route& route) {
    std::string id(net::method_name(route.method));
    for (char& c : id) c = static_cast<char>(c - 'A' + 'a');
    bool begins = true;
    for (const char c : std::string_view(route.pattern).substr(kBase.size())) {
        if (c == '/' || c == '{' || c == '}') {
            if (c == '{') id += "By";
            begins = true;
        } else {
            id += begins ? static_cast<char>(c - 'a' + 'A') : c;
            begins = false;
        }
    }
    return id;
}

}  // namespace

void describe_administration(Contract& contract, const http::Router& router) {
    for (const auto& route : router.routes()) {
        if (!route.pattern.starts_with(kBase)) continue;
        Operation out;
        out.method = route.method;
        out.path = route.pattern;
        out.id = id_of(route);
        out.tag = "administration";
        out.summary = "Administration: " + route.pattern.substr(kBase.size());
        out.permission = auth::Permission::Admin;
        out.tolerant = true;
        for (const auto& name : route.names) {
            out.parameters.push_back({.name = name, .example = "1", .in_path = true});
        }
        const bool writes = route.method == net::Method::Post || route.method == net::Method::Patch;
        if (writes) out.body = RequestBody{{"application/json"}, R"({"type":"object"})", {}, true};
        out.replies = {{200, "application/json", R"({"type":"object"})", {}}};
        if (route.method == net::Method::Post) {
            out.replies.push_back({201, "application/json", R"({"type":"object"})", {}});
        }
        if (route.method == net::Method::Delete) out.replies.push_back({204, {}, {}, "Done."});
        out.problems = {400, 409, 413, 415, 422};
        if (route.method == net::Method::Get) {
            out.examples = {{.name = "of the administrator's own customer"}};
            for (const auto& name : route.names) {
                out.examples.front() = {
                    .name = "nothing of that id", .path = {{name, "1"}}, .status = 404};
            }
        }
        contract.describe(std::move(out));
    }
}

}  // namespace playhead::api
