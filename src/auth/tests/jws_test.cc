#include "auth/jws.h"

#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include "auth/secrets.h"
#include "auth/tests/auth_fixture.h"

namespace playhead::auth {
namespace {

// RFC 7515 appendix A.2.
constexpr std::string_view kRfcModulus =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4"
    "QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdb"
    "BYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-D"
    "WNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
constexpr std::string_view kRfcToken =
    "eyJhbGciOiJSUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5j"
    "ujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L0"
    "7Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUip"
    "UTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

std::string encoded(std::string_view text) {
    return base64url({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

TEST(Jws, VerifiesTheExampleOfRfc7515AppendixA2) {
    const auto key = RsaKey::from_public(kRfcModulus, "AQAB");
    ASSERT_TRUE(key);
    const auto jws = parse_rs256(kRfcToken);
    ASSERT_TRUE(jws);
    EXPECT_EQ(jws->payload,
              "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");
    EXPECT_TRUE(verify_rs256(kRfcToken, *key));
    // Every kind of spoilt byte: header, payload, signature.
    for (const std::size_t at : {std::size_t{5}, std::size_t{30}, kRfcToken.size() - 10}) {
        std::string spoilt(kRfcToken);
        spoilt[at] = spoilt[at] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(parse_rs256(spoilt) && verify_rs256(spoilt, *key)) << at;
    }
    EXPECT_FALSE(RsaKey::from_public("AQAB", "AQAB")) << "a short modulus";
}

TEST(Jws, NamesAKeyByTheThumbprintOfRfc7638) {
    const auto key = RsaKey::from_public(
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJE"
        "CPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Q"
        "vzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6"
        "WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "AQAB");
    ASSERT_TRUE(key);
    EXPECT_EQ(key->thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

TEST(Base64Url, IsStrictAndRoundTrips) {
    for (const std::string text : {"", "f", "fo", "foo", "foob", "fooba", "foobar", "\xff\xfe"}) {
        EXPECT_EQ(base64url_decode(encoded(text)), text);
    }
    EXPECT_EQ(encoded("foob"), "Zm9vYg");
    for (const char* bad : {"Zg==", "Zm9 ", "Zm+/", "A", "Zh", "Zm9vYh", "Z\n8"}) {
        EXPECT_FALSE(base64url_decode(bad)) << bad;
    }
}

class AlgorithmConfusion : public AuthTest {
protected:
    std::string forged(const std::string& header, const std::string& signature) const {
        return encoded(header) + "." + encoded(good_claims().dump()) + "." + signature;
    }
    /// The header `header` with a signature of the active key over another token.
    std::string with_header(const std::string& header) {
        const auto good = signed_token(good_claims());
        return forged(header, good.substr(good.rfind('.') + 1));
    }
};

TEST_F(AlgorithmConfusion, AcceptsTheTokenAllOthersAreDerivedFrom) {
    EXPECT_EQ(refusal(signed_token(good_claims())), "accepted");
}

TEST_F(AlgorithmConfusion, RefusesNoneInAnySpelling) {
    const auto kid = keys_->active_kid();
    for (const char* name : {"none", "None", "NONE", "nOnE", "", "RS256 ", "rs256"}) {
        const auto header = nlohmann::json{{"alg", name}, {"kid", kid}}.dump();
        EXPECT_EQ(refusal(forged(header, "")), "A part of the token is empty.") << name;
        EXPECT_EQ(refusal(with_header(header)), "The token's algorithm is not RS256.") << name;
    }
}

TEST_F(AlgorithmConfusion, RefusesAnHmacMadeWithThePublicKey) {
    const auto kid = keys_->active_kid();
    const auto jwk = nlohmann::json::parse(keys_->jwks())["keys"][0];
    const auto header = nlohmann::json{{"alg", "HS256"}, {"kid", kid}}.dump();
    const auto input = encoded(header) + "." + encoded(good_claims().dump());
    for (const std::string& secret : {jwk.dump(), jwk["n"].get<std::string>()}) {
        std::array<std::uint8_t, 32> mac{};
        unsigned size = 0;
        HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
             reinterpret_cast<const unsigned char*>(input.data()), input.size(), mac.data(), &size);
        EXPECT_EQ(refusal(input + "." + base64url(mac)), "The token's algorithm is not RS256.");
    }
}

TEST_F(AlgorithmConfusion, RefusesOtherRsaAndEllipticAlgorithms) {
    for (const char* name : {"RS384", "RS512", "PS256", "ES256", "HS384"}) {
        const auto header = nlohmann::json{{"alg", name}, {"kid", keys_->active_kid()}}.dump();
        EXPECT_EQ(refusal(with_header(header)), "The token's algorithm is not RS256.");
    }
}

TEST_F(AlgorithmConfusion, RefusesHeadersThatRepeatNamesOrAskForExtensions) {
    const auto kid = keys_->active_kid();
    for (const std::string& header :
         {R"({"alg":"RS256","alg":"none","kid":")" + kid + "\"}",
          R"({"alg":"none","alg":"RS256","kid":")" + kid + "\"}",
          R"({"alg":"RS256","crit":["exp"],"kid":")" + kid + "\"}",
          R"({"alg":"RS256","b64":false,"kid":")" + kid + "\"}",
          R"({"alg":["RS256"],"kid":")" + kid + "\"}", std::string(R"({"alg":"RS256","kid":7})"),
          std::string(R"(["RS256"])"), std::string("{"), std::string("null")}) {
        EXPECT_NE(refusal(with_header(header)), "accepted") << header;
    }
}

TEST_F(AlgorithmConfusion, RefusesKidsThatNameNoKeyOfOurs) {
    for (const std::string& kid :
         {std::string("../../../dev/null"), std::string("' OR 1=1 --"), std::string("/etc/passwd"),
          std::string("a\0b", 3), std::string(128, 'k'), std::string(100'000, 'k')}) {
        const auto header = nlohmann::json{{"alg", "RS256"}, {"kid", kid}}.dump();
        EXPECT_NE(refusal(with_header(header)), "accepted");
    }
    EXPECT_EQ(refusal(with_header(R"({"alg":"RS256"})")), "The token names no key.");
}

TEST_F(AlgorithmConfusion, IgnoresKeysThatTheTokenBringsAlong) {
    const auto pem = RsaKey::generate_pem();
    ASSERT_TRUE(pem);
    const auto own = RsaKey::from_private_pem(*pem);
    ASSERT_TRUE(own);
    auto header = nlohmann::json{{"alg", "RS256"}, {"kid", keys_->active_kid()}};
    header["jwk"] = nlohmann::json::parse(own->public_jwk("x"));
    header["jku"] = "https://attacker.example/keys";
    EXPECT_EQ(refusal(with_header(header.dump())), "The token's signature is wrong.");
    const auto token = sign_rs256(good_claims().dump(), *own, keys_->active_kid());
    ASSERT_TRUE(token);
    EXPECT_EQ(refusal(*token), "The token's signature is wrong.");
}

TEST_F(AlgorithmConfusion, RefusesATamperedPayloadAndTokensOfAnotherShape) {
    const auto good = signed_token(good_claims());
    auto claims = good_claims();
    claims["custId"] = "42";
    const auto first = good.find('.');
    const auto last = good.rfind('.');
    EXPECT_EQ(refusal(good.substr(0, first + 1) + encoded(claims.dump()) + good.substr(last)),
              "The token's signature is wrong.");
    for (const std::string& bad :
         {std::string(), std::string("."), std::string(".."), std::string("a.b.c"), good + ".x",
          good + "=", " " + good, good + "\n", good.substr(0, last), good.substr(0, last + 1),
          std::string("....."), std::string(100'000, '.'), std::string(100'000, 'a'),
          std::string(5'000, 'a') + "." + std::string(5'000, 'a') + "." + std::string(100, 'a')}) {
        EXPECT_NE(refusal(bad), "accepted") << bad.substr(0, 50);
    }
}

}  // namespace
}  // namespace playhead::auth
