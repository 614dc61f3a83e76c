/// The built-in issuer's pages: logging in, and what went wrong. Self-contained HTML without
/// scripts. Pure.
#pragma once

#include <string>
#include <string_view>

#include "auth/token_issuer.h"
#include "net/message.h"

namespace playhead::api {

struct LoginPage {
    /// The authorization request, repeated in hidden fields; `username` is filled in again.
    const auth::FormPairs& form;
    std::string_view csrf;   ///< also in the cookie; 43 base64url characters
    std::string_view wrong;  ///< shown above the fields, "" at the first visit
    int status = 200;
};

/// The form, posting to its own URL. With a policy that allows no script, no framing and no other
/// target than this server and the redirect URI's origin.
net::Response login_page(const LoginPage& page);

/// A page with one sentence and nothing to click: where a redirect could be hostile.
net::Response error_page(int status, std::string_view sentence);

/// Says that the login has ended.
net::Response logged_out_page();

/// `&`, `<`, `>` and quotes as entities.
std::string html_escaped(std::string_view text);

}  // namespace playhead::api
