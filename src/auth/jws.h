/// RS256 signatures (RFC 7515, RFC 7518 section 3.3), ours and a provider's, and a provider's ES256
/// (section 3.4), and nothing else: cjose signs and verifies, we parse. A token is taken apart
/// strictly before cjose sees it: exact base64url, one object without repeated names, the algorithm
/// compared with that of the key and never chosen by the token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

// The library's own name for its key type.
struct _cjose_jwk_int;  // NOLINT(bugprone-reserved-identifier)

namespace playhead::auth {

/// Longer tokens are refused unread.
inline constexpr std::size_t kTokenBytesMax = 16 * 1024;

/// An RSA key, with or without its private half. Immutable; copies share it. Thread safe.
class RsaKey {
public:
    /// Makes a 2048-bit key pair as PKCS#8 PEM. Takes up to a second.
    static Result<std::string> generate_pem();
    static Result<RsaKey> from_private_pem(std::string_view pem);
    /// `modulus` and `exponent` in base64url, as in a JWK. Less than 2048 bits are refused.
    static Result<RsaKey> from_public(std::string_view modulus, std::string_view exponent);

    /// RFC 7638: names a key by what it is.
    std::string thumbprint() const;
    /// One member of a JWKS document, public half only.
    std::string public_jwk(std::string_view kid) const;
    _cjose_jwk_int* handle() const { return handle_.get(); }
    const std::shared_ptr<_cjose_jwk_int>& shared_handle() const noexcept { return handle_; }

private:
    RsaKey(std::shared_ptr<_cjose_jwk_int> handle, std::string modulus, std::string exponent)
        : handle_(std::move(handle)),
          modulus_(std::move(modulus)),
          exponent_(std::move(exponent)) {}

    std::shared_ptr<_cjose_jwk_int> handle_;
    std::string modulus_;  ///< base64url, as `exponent_`
    std::string exponent_;
};

enum class Algorithm : std::uint8_t { Rs256, Es256 };

/// Somebody else's public key, good for one algorithm. Immutable; copies share it. Thread safe.
class CheckKey {
public:
    static CheckKey rs256(const RsaKey& key);
    /// Coordinates on P-256 in base64url, as in a JWK; a point off the curve is refused.
    static Result<CheckKey> es256(std::string_view x, std::string_view y);

    Algorithm algorithm() const noexcept { return algorithm_; }
    const std::string& thumbprint() const noexcept { return thumbprint_; }
    _cjose_jwk_int* handle() const { return handle_.get(); }

private:
    CheckKey(Algorithm algorithm, std::shared_ptr<_cjose_jwk_int> handle, std::string thumbprint)
        : algorithm_(algorithm), handle_(std::move(handle)), thumbprint_(std::move(thumbprint)) {}

    Algorithm algorithm_;
    std::shared_ptr<_cjose_jwk_int> handle_;
    std::string thumbprint_;
};

/// What a compact JWS says, before anything is known about its signature.
struct UnverifiedJws {
    std::string kid;      ///< empty when the header names none
    std::string type;     ///< the header's `typ` in lower case, empty when it has none
    std::string payload;  ///< the bytes that were signed over; not checked to be JSON
    Algorithm algorithm = Algorithm::Rs256;
};

/// Unauthenticated with the reason when the token is not a compact JWS with alg RS256 or ES256.
Result<UnverifiedJws> parse_jws(std::string_view token);

/// Unauthenticated with the reason when the token is not a compact JWS with alg RS256.
Result<UnverifiedJws> parse_rs256(std::string_view token);

/// True when the signature of a token that `parse_jws` took, with the key's algorithm, is the
/// key's.
bool verify_jws(std::string_view token, const CheckKey& key);

/// True when the signature of a token that `parse_rs256` took is the key's.
bool verify_rs256(std::string_view token, const RsaKey& key);

/// Signs `payload`; header {"alg":"RS256","typ":"JWT","kid":…}.
Result<std::string> sign_rs256(std::string_view payload, const RsaKey& key, std::string_view kid);

}  // namespace playhead::auth
