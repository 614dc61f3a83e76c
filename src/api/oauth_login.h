/// The authorization endpoint for browsers: `GET` shows the login page, `POST` takes it.
///
/// Against forged logins the page's form carries a random value that is also in a cookie of the
/// page's path (HttpOnly, SameSite=Lax); a POST without both, or from another origin, shows the
/// page again. Errors of the request itself are shown, never redirected.
#pragma once

#include <string>

#include "auth/secrets.h"
#include "auth/token_issuer.h"
#include "net/message.h"

namespace playhead::api {

net::Response show_login(const net::Request& request, const auth::TokenContext& context,
                         const auth::TokenIssuer& issuer, auth::Entropy& entropy);
net::Response take_login(const net::Request& request, const auth::TokenContext& context,
                         auth::TokenIssuer& issuer, auth::Entropy& entropy);

/// Logging out by the browser; `form` is the query or the body.
net::Response end_session(const auth::FormPairs& form, const auth::TokenContext& context,
                          auth::TokenIssuer& issuer);

}  // namespace playhead::api
