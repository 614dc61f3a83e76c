/// What clients send to the token endpoint other than a form: JSON bodies and HTTP Basic. Pure.
#pragma once

#include <string_view>

#include "auth/token_issuer.h"
#include "base/result.h"

namespace playhead::auth {

inline constexpr std::size_t kTokenFieldsMax = 32;

/// Whether a body is a JSON object, whatever its content type says: the older generation's
/// refresh was documented with one under the content type of a form.
bool looks_like_json(std::string_view body);

/// The text members of a JSON object, in order. InvalidArgument when it is no object, has a member
/// that is no text, or more than `kTokenFieldsMax`.
Result<FormPairs> form_from_json(std::string_view body);

/// Adds `client_id` and `client_secret` of an `Authorization: Basic` header (RFC 6749 section
/// 2.3.1). True when there is no such header or it was read; false when it cannot be read, or the
/// form names a client as well, which is one credential too many.
bool add_basic_credentials(std::string_view authorization, FormPairs& form);

}  // namespace playhead::auth
