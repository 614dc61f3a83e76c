#include "auth/discovery.h"

#include "auth/json_text.h"

namespace playhead::auth {

std::string issuer_url(std::string_view base_url, std::string_view realm) {
    while (base_url.ends_with('/')) base_url.remove_suffix(1);
    return std::string(base_url) + "/realms/" + std::string(realm);
}

std::string discovery_document(std::string_view issuer) {
    const std::string base = std::string(issuer) + "/protocol/openid-connect";
    return JsonObject()
        .text("issuer", issuer)
        .text("authorization_endpoint", base + "/auth")
        .text("token_endpoint", base + "/token")
        .text("userinfo_endpoint", base + "/userinfo")
        .text("end_session_endpoint", base + "/logout")
        .text("jwks_uri", base + "/certs")
        .texts("grant_types_supported",
               {"authorization_code", "password", "refresh_token", "client_credentials"})
        .texts("response_types_supported", {"code"})
        .texts("response_modes_supported", {"query"})
        .texts("subject_types_supported", {"public"})
        .texts("id_token_signing_alg_values_supported", {"RS256"})
        .texts("scopes_supported", {"openid", "email", "profile"})
        .texts("token_endpoint_auth_methods_supported",
               {"client_secret_post", "client_secret_basic", "none"})
        .texts("code_challenge_methods_supported", {"S256"})
        .texts("claims_supported", {"iss", "sub", "aud", "exp", "iat", "email", "email_verified",
                                    "name", "given_name", "family_name", "preferred_username",
                                    "custId", "level", "group", "groups", "accountType"})
        .done();
}

}  // namespace playhead::auth
