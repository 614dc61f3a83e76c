#include "auth/claims.h"

#include <fmt/format.h>

#include "auth/json_text.h"
#include "auth/token_verifier.h"

namespace playhead::auth {

namespace {

/// Names are for people, and a token has to fit into a header.
constexpr std::size_t kGroupNameBytesMax = 48;

JsonObject begin(const TokenFrame& frame, std::string_view type, std::string_view subject,
                 std::string_view audience, std::string_view jti, std::int64_t ttl_s) {
    JsonObject claims;
    claims.number("exp", frame.now_s + ttl_s)
        .number("iat", frame.now_s)
        .text("jti", jti)
        .text("iss", frame.issuer)
        .text("aud", audience)
        .text("sub", subject)
        .text("typ", type)
        .text("azp", frame.client_id);
    return claims;
}

std::string group_of(const directory::Tenant& tenant) {
    const auto name = std::string_view(tenant.name).substr(0, kGroupNameBytesMax);
    return fmt::format("/{} ({})", name, tenant.customer_id);
}

void add_access(JsonObject& claims, const std::vector<std::string>& realm_roles) {
    const auto roles = [](const std::vector<std::string>& names) {
        return JsonObject().texts("roles", names).done();
    };
    claims.texts("allowed-origins", {"*"})
        .raw("realm_access", roles(realm_roles))
        .raw("resource_access",
             JsonObject()
                 .raw("account", roles({"manage-account", "manage-account-links", "view-profile"}))
                 .done());
}

void add_account(JsonObject& claims, const directory::Tenant& own,
                 const std::vector<directory::Tenant>& readable,
                 const std::vector<std::string>& groups) {
    std::vector<std::string> group;
    group.reserve(readable.size());
    for (const auto& tenant : readable) group.push_back(group_of(tenant));
    claims.text("level", std::to_string(own.plan_level))
        .text("accountType", "MMCUSTOMER")
        .text("custId", std::to_string(own.customer_id))
        .texts("groups", groups)
        .texts("group", group);
}

std::vector<std::string> realm_roles(const TokenFrame& frame, const directory::User& user) {
    return {"offline_access", "default-roles-" + frame.realm, "uma_authorization", "USER",
            std::string(directory::role_name(user.role))};
}

void add_person(JsonObject& claims, const directory::User& user) {
    std::string name = user.given_name;
    if (!name.empty() && !user.family_name.empty()) name += ' ';
    name += user.family_name;
    claims.boolean("email_verified", true)
        .text("name", name)
        .text("preferred_username", user.email)
        .text("given_name", user.given_name)
        .text("family_name", user.family_name)
        .text("email", user.email);
}

}  // namespace

std::string access_claims(const TokenFrame& frame, const directory::User& user,
                          const std::vector<directory::Tenant>& readable, std::string_view jti,
                          std::int64_t ttl_s) {
    const auto roles = realm_roles(frame, user);
    auto claims = begin(frame, "Bearer", user.subject, kAccessAudience, jti, ttl_s);
    claims.text("sid", frame.session).text("acr", "1");
    add_access(claims, roles);
    claims.text("scope", kUserScope);
    add_account(claims, readable.front(), readable, roles);
    add_person(claims, user);
    return claims.done();
}

std::string id_claims(const TokenFrame& frame, const directory::User& user,
                      const std::vector<directory::Tenant>& readable, std::string_view jti,
                      std::int64_t ttl_s) {
    auto claims = begin(frame, "ID", user.subject, frame.client_id, jti, ttl_s);
    claims.number("auth_time", frame.now_s).text("sid", frame.session).text("acr", "1");
    if (!frame.nonce.empty()) claims.text("nonce", frame.nonce);
    add_account(claims, readable.front(), readable, realm_roles(frame, user));
    add_person(claims, user);
    return claims.done();
}

std::string refresh_claims(const TokenFrame& frame, std::string_view subject, std::string_view jti,
                           std::int64_t ttl_s) {
    auto claims = begin(frame, "Refresh", subject, frame.issuer, jti, ttl_s);
    return claims.text("sid", frame.session).text("scope", kUserScope).done();
}

std::string userinfo_claims(const directory::User& user) {
    JsonObject claims;
    claims.text("sub", user.subject).text("custId", std::to_string(user.customer_id));
    add_person(claims, user);
    return claims.done();
}

std::string client_claims(const TokenFrame& frame, const directory::Tenant& tenant,
                          std::string_view scope, std::string_view jti, std::int64_t ttl_s) {
    auto claims = begin(frame, "Bearer", frame.client_id, kAccessAudience, jti, ttl_s);
    claims.text("clientId", frame.client_id).text("acr", "1");
    add_access(claims, {"default-roles-" + frame.realm});
    claims.text("scope", scope);
    add_account(claims, tenant, {tenant}, {});
    return claims.done();
}

}  // namespace playhead::auth
