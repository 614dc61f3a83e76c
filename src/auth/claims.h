/// The claims of the tokens we issue. Internal to `auth`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "directory/records.h"

namespace playhead::auth {

/// What all tokens of one answer share.
struct TokenFrame {
    std::string issuer;
    std::string realm;
    std::string client_id;
    std::string session;  ///< `sid`, the refresh family
    std::string nonce;    ///< repeated in the id token when the client sent one
    std::int64_t now_s = 0;
};

inline constexpr std::string_view kUserScope = "openid email profile";

/// `readable` begins with the user's own tenant.
std::string access_claims(const TokenFrame& frame, const directory::User& user,
                          const std::vector<directory::Tenant>& readable, std::string_view jti,
                          std::int64_t ttl_s);
std::string id_claims(const TokenFrame& frame, const directory::User& user,
                      const std::vector<directory::Tenant>& readable, std::string_view jti,
                      std::int64_t ttl_s);
std::string refresh_claims(const TokenFrame& frame, std::string_view subject, std::string_view jti,
                           std::int64_t ttl_s);
/// The answer of the userinfo endpoint (OpenID Connect Core 1.0 section 5.3.2).
std::string userinfo_claims(const directory::User& user);
/// For an API key that asked by client_credentials; `scope` is the key's.
std::string client_claims(const TokenFrame& frame, const directory::Tenant& tenant,
                          std::string_view scope, std::string_view jti, std::int64_t ttl_s);

}  // namespace playhead::auth
