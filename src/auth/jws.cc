#include "auth/jws.h"

#include <cjose/cjose.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <simdjson.h>

#include <array>
#include <optional>
#include <set>
#include <vector>

#include "auth/json_text.h"
#include "auth/secrets.h"
#include "directory/directory.h"

namespace playhead::auth {

namespace {

constexpr int kKeyBits = 2048;
constexpr std::size_t kModulusBytesMin = kKeyBits / 8;
constexpr std::size_t kModulusBytesMax = 1024;
constexpr std::size_t kCoordinateBytes = 32;  ///< of a point on P-256
constexpr std::size_t kKidBytesMax = 128;
constexpr int kHeaderMembersMax = 16;

template <auto Free>
struct Freer {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using PkeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using JwsPtr = std::unique_ptr<cjose_jws_t, Freer<cjose_jws_release>>;
using HeaderPtr = std::unique_ptr<cjose_header_t, Freer<cjose_header_release>>;

using Bytes = std::vector<std::uint8_t>;

std::optional<Bytes> number_of(const EVP_PKEY* key, const char* name) {
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) return std::nullopt;
    const std::unique_ptr<BIGNUM, Freer<BN_clear_free>> number(raw);
    Bytes bytes(static_cast<std::size_t>(BN_num_bytes(raw)));
    BN_bn2bin(raw, bytes.data());
    return bytes;
}

tl::unexpected<Error> refused(const char* reason) {
    return fail(ErrorCode::Unauthenticated, reason);
}

tl::unexpected<Error> bad_key() {
    return fail(ErrorCode::Internal, "A signing key cannot be read.");
}

std::shared_ptr<_cjose_jwk_int> own(cjose_jwk_t* handle) {
    return {handle, [](cjose_jwk_t* key) { cjose_jwk_release(key); }};
}

/// The header's kid and typ, "" where there is none; an error when the header is not one we would
/// write.
Result<UnverifiedJws> checked_header(const std::string& json, bool es256) {
    simdjson::dom::parser parser;
    simdjson::dom::object header;
    if (parser.parse(json).get_object().get(header) != simdjson::SUCCESS) {
        return refused("The token's header is no JSON object.");
    }
    std::set<std::string_view> seen;
    std::string_view algorithm;
    std::string_view kid;
    std::string_view type;
    for (const auto& [name, value] : header) {
        if (seen.size() >= kHeaderMembersMax || !seen.insert(name).second) {
            return refused("The token's header repeats a name or is too long.");
        }
        if (name == "alg" && value.get(algorithm) != simdjson::SUCCESS) {
            return refused("The token's algorithm is not a name.");
        }
        if (name == "kid" && (value.get(kid) != simdjson::SUCCESS || kid.size() > kKidBytesMax)) {
            return refused("The token's key id is not a short name.");
        }
        if (name == "typ" && value.get(type) != simdjson::SUCCESS) {
            return refused("The token's type is not a name.");
        }
        // Extensions that must be understood, and are not.
        if (name == "crit" || name == "b64" || name == "zip" || name == "enc") {
            return refused("The token's header asks for an extension that is not supported.");
        }
    }
    UnverifiedJws jws;
    if (es256 && algorithm == "ES256") {
        jws.algorithm = Algorithm::Es256;
    } else if (algorithm != "RS256") {
        return refused(es256 ? "The token's algorithm is neither RS256 nor ES256."
                             : "The token's algorithm is not RS256.");
    }
    jws.kid = kid;
    jws.type = directory::lower_ascii(type.substr(0, kKidBytesMax));
    return jws;
}

/// `es256` also where that algorithm may be named.
Result<UnverifiedJws> parse_compact(std::string_view token, bool es256) {
    if (token.size() > kTokenBytesMax) return refused("The token is too long.");
    const auto first = token.find('.');
    const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
        return refused("The token has not three parts.");
    }
    const auto header = base64url_decode(token.substr(0, first));
    auto payload = base64url_decode(token.substr(first + 1, second - first - 1));
    const auto signature = base64url_decode(token.substr(second + 1));
    if (!header || !payload || !signature) return refused("The token is not base64url.");
    if (header->empty() || payload->empty() || signature->empty()) {
        return refused("A part of the token is empty.");
    }
    auto jws = checked_header(*header, es256);
    if (!jws) return fail(jws.error());
    if (jws->algorithm == Algorithm::Es256 && signature->size() != 2 * kCoordinateBytes) {
        return refused("The token's signature has not the length of its algorithm.");
    }
    jws->payload = std::move(*payload);
    return jws;
}

bool is_signed_by(std::string_view token, cjose_jwk_t* key) {
    cjose_err error{};
    const JwsPtr jws(cjose_jws_import(token.data(), token.size(), &error));
    return jws && cjose_jws_verify(jws.get(), key, &error);
}

}  // namespace

Result<std::string> RsaKey::generate_pem() {
    const PkeyPtr key(EVP_RSA_gen(kKeyBits));
    const BioPtr memory(BIO_new(BIO_s_mem()));
    if (!key || !memory ||
        PEM_write_bio_PKCS8PrivateKey(memory.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                      nullptr) != 1) {
        return fail(ErrorCode::Internal, "A signing key could not be made.");
    }
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &data);
    return std::string(data, static_cast<std::size_t>(size));
}

Result<RsaKey> RsaKey::from_private_pem(std::string_view pem) {
    const BioPtr memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!memory) return bad_key();
    const PkeyPtr key(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr));
    if (!key || EVP_PKEY_is_a(key.get(), "RSA") != 1) return bad_key();
    constexpr std::array names{OSSL_PKEY_PARAM_RSA_E,         OSSL_PKEY_PARAM_RSA_N,
                               OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
                               OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
                               OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    std::array<Bytes, names.size()> numbers;
    for (std::size_t i = 0; i < names.size(); ++i) {
        auto number = number_of(key.get(), names.at(i));
        if (!number) return bad_key();
        numbers.at(i) = std::move(*number);
    }
    auto& [e, n, d, p, q, dp, dq, qi] = numbers;
    const cjose_jwk_rsa_keyspec spec{
        e.data(), e.size(), n.data(),  n.size(),  d.data(),  d.size(),  p.data(),  p.size(),
        q.data(), q.size(), dp.data(), dp.size(), dq.data(), dq.size(), qi.data(), qi.size()};
    cjose_err error{};
    cjose_jwk_t* handle = cjose_jwk_create_RSA_spec(&spec, &error);
    if (handle == nullptr) return bad_key();
    return RsaKey(own(handle), base64url(n), base64url(e));
}

Result<RsaKey> RsaKey::from_public(std::string_view modulus, std::string_view exponent) {
    auto n = base64url_decode(modulus);
    auto e = base64url_decode(exponent);
    if (!n || !e || n->size() < kModulusBytesMin || n->size() > kModulusBytesMax || e->empty() ||
        e->size() > sizeof(std::uint64_t)) {
        return bad_key();
    }
    cjose_jwk_rsa_keyspec spec{};
    spec.n = reinterpret_cast<std::uint8_t*>(n->data());
    spec.nlen = n->size();
    spec.e = reinterpret_cast<std::uint8_t*>(e->data());
    spec.elen = e->size();
    cjose_err error{};
    cjose_jwk_t* handle = cjose_jwk_create_RSA_spec(&spec, &error);
    if (handle == nullptr) return bad_key();
    return RsaKey(own(handle), std::string(modulus), std::string(exponent));
}

std::string RsaKey::thumbprint() const {
    return base64url(
        sha256(fmt::format(R"({{"e":"{}","kty":"RSA","n":"{}"}})", exponent_, modulus_)));
}

std::string RsaKey::public_jwk(std::string_view kid) const {
    return JsonObject()
        .text("kid", kid)
        .text("kty", "RSA")
        .text("alg", "RS256")
        .text("use", "sig")
        .text("n", modulus_)
        .text("e", exponent_)
        .done();
}

CheckKey CheckKey::rs256(const RsaKey& key) {
    return {Algorithm::Rs256, key.shared_handle(), key.thumbprint()};
}

Result<CheckKey> CheckKey::es256(std::string_view x, std::string_view y) {
    auto first = base64url_decode(x);
    auto second = base64url_decode(y);
    if (!first || !second || first->size() != kCoordinateBytes ||
        second->size() != kCoordinateBytes) {
        return bad_key();
    }
    cjose_jwk_ec_keyspec spec{};
    spec.crv = CJOSE_JWK_EC_P_256;
    spec.x = reinterpret_cast<std::uint8_t*>(first->data());
    spec.xlen = first->size();
    spec.y = reinterpret_cast<std::uint8_t*>(second->data());
    spec.ylen = second->size();
    cjose_err error{};
    cjose_jwk_t* handle = cjose_jwk_create_EC_spec(&spec, &error);
    if (handle == nullptr) return bad_key();
    return CheckKey(
        Algorithm::Es256, own(handle),
        base64url(sha256(fmt::format(R"({{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}})", x, y))));
}

Result<UnverifiedJws> parse_jws(std::string_view token) {
    return parse_compact(token, true);
}

Result<UnverifiedJws> parse_rs256(std::string_view token) {
    return parse_compact(token, false);
}

bool verify_jws(std::string_view token, const CheckKey& key) {
    return is_signed_by(token, key.handle());
}

bool verify_rs256(std::string_view token, const RsaKey& key) {
    return is_signed_by(token, key.handle());
}

Result<std::string> sign_rs256(std::string_view payload, const RsaKey& key, std::string_view kid) {
    cjose_err error{};
    const HeaderPtr header(cjose_header_new(&error));
    const std::string kid_text(kid);
    const bool ready = header &&
                       cjose_header_set(header.get(), CJOSE_HDR_ALG, CJOSE_HDR_ALG_RS256, &error) &&
                       cjose_header_set(header.get(), "typ", "JWT", &error) &&
                       cjose_header_set(header.get(), CJOSE_HDR_KID, kid_text.c_str(), &error);
    if (!ready) return fail(ErrorCode::Internal, "A token's header could not be made.");
    const JwsPtr jws(cjose_jws_sign(key.handle(), header.get(),
                                    reinterpret_cast<const std::uint8_t*>(payload.data()),
                                    payload.size(), &error));
    const char* text = nullptr;
    if (!jws || !cjose_jws_export(jws.get(), &text, &error)) {
        return fail(ErrorCode::Internal, "A token could not be signed.");
    }
    return std::string(text);
}

}  // namespace playhead::auth
