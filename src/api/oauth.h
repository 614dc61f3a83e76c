/// Token endpoints of the built-in issuer, in both generations.
#pragma once

#include <string>

#include "api/contract.h"
#include "auth/bearer_verifier.h"
#include "auth/key_ring.h"
#include "auth/secrets.h"
#include "auth/token_issuer.h"

namespace playhead::api {

struct OauthOptions {
    std::string realm = "playhead";
    /// Base URL in tokens, "https://id.example.com"; empty: made from the request's Host header.
    std::string issuer_base;
};

/// `POST /realms/{realm}/protocol/openid-connect/token`, `…/logout` (and `GET`), `GET …/certs`,
/// `…/auth` (with `POST`: the login page), `…/userinfo`,
/// `GET /realms/{realm}/.well-known/openid-configuration`, `POST /generateOAuthToken`.
/// Everything passed must outlive the contract.
void add_oauth_routes(Contract& contract, const OauthOptions& options, auth::TokenIssuer& issuer,
                      auth::KeyRing& keys, auth::BearerVerifier& tokens, auth::Entropy& entropy);

}  // namespace playhead::api
