/// Answers of the token endpoint (RFC 6749 section 5.2) and its form. Internal to `auth`.
#pragma once

#include <string>
#include <string_view>

#include "auth/token_issuer.h"
#include "base/result.h"

namespace playhead::auth {

inline tl::unexpected<TokenReply> refuse(TokenReply reply) {
    return tl::unexpected<TokenReply>(std::move(reply));
}

TokenReply oauth_error(int status, std::string_view error, std::string_view description);
TokenReply invalid_grant(std::string_view description);
TokenReply unknown_client();
TokenReply missing_parameter(std::string_view name);
/// 503 for what passes by itself, else a 500 that tells the log more than the caller.
TokenReply of_error(const Error& error);

/// The value of `name`, "" when it is missing.
std::string_view field(const FormPairs& form, std::string_view name);
/// False when a parameter is sent twice (RFC 6749 section 3.2) or there are more than 32.
bool well_formed(const FormPairs& form);
TokenReply malformed_form();
/// As a value in a query string.
std::string percent_encoded(std::string_view text);

}  // namespace playhead::auth
