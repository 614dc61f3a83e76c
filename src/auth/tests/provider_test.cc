#include <cjose/cjose.h>

#include <cstdlib>
#include <map>
#include <memory>

#include "auth/provider_verifier.h"
#include "auth/tests/auth_fixture.h"

namespace playhead::auth {
namespace {

const std::string kProvider = "https://id.example/realms/x";

/// One key each for the whole run: making one takes a noticeable part of a second.
const RsaKey& private_key(int number) {
    static const RsaKey keys[] = {*RsaKey::from_private_pem(*RsaKey::generate_pem()),
                                  *RsaKey::from_private_pem(*RsaKey::generate_pem())};
    return keys[number];
}

class ProviderTest : public ::testing::Test {
protected:
    void SetUp() override { serve({{"one", 0}}); }

    void serve(const std::map<std::string, int>& keys) {
        std::string list;
        for (const auto& [kid, number] : keys) {
            list += (list.empty() ? "" : ",") + private_key(number).public_jwk(kid);
        }
        documents_[kProvider + "/.well-known/openid-configuration"] =
            nlohmann::json{{"issuer", kProvider}, {"jwks_uri", "https://keys.example/jwks"}}.dump();
        documents_["https://keys.example/jwks"] = "{\"keys\":[" + list + "]}";
    }
    void serve_jwk(const nlohmann::json& jwk) {
        documents_["https://keys.example/jwks"] = nlohmann::json{{"keys", {jwk}}}.dump();
    }
    static nlohmann::json good() {
        return {{"iss", kProvider},
                {"sub", "someone"},
                {"aud", {"account", "other"}},
                {"typ", "Bearer"},
                {"exp", kStartS + 900},
                {"iat", kStartS},
                {"custId", "7"},
                {"level", "3"},
                {"group", {"/Org (8)", "no customer", "/Org (7)"}},
                {"email", "a@b.test"},
                {"realm_access", {{"roles", {"viewer"}}}}};
    }
    static nlohmann::json good(const char* name, const nlohmann::json& value) {
        auto claims = good();
        claims[name] = value;
        return claims;
    }
    static std::string token(const nlohmann::json& claims, int key = 0,
                             const std::string& kid = "one") {
        return *sign_rs256(claims.dump(), private_key(key), kid);
    }
    std::string verdict(const std::string& text) {
        const auto identity = verifier_->verify(text);
        return identity ? "accepted" : identity.error().message;
    }
    void map_claims(const ClaimMapping& mapping) {
        options_.claims = mapping;
        verifier_ = std::make_unique<ProviderVerifier>(keys_, clock_, options_);
    }

    ManualClock clock_{kStartMs};
    std::map<std::string, std::string> documents_;
    bool down_ = false;
    int fetches_ = 0;
    ProviderKeys keys_{[this](const std::string& url) -> Result<std::string> {
                           ++fetches_;
                           if (down_ || !documents_.contains(url)) {
                               return fail(ErrorCode::Unavailable, "down");
                           }
                           return documents_[url];
                       },
                       clock_,
                       {kProvider}};
    ProviderVerifierOptions options_ = [] {
        ProviderVerifierOptions options;
        options.issuer = kProvider;
        return options;
    }();
    std::unique_ptr<ProviderVerifier> verifier_ =
        std::make_unique<ProviderVerifier>(keys_, clock_, options_);
};

TEST_F(ProviderTest, MapsTheClaimsOfAToken) {
    const auto identity = verifier_->verify(token(good()));
    ASSERT_TRUE(identity) << identity.error().message;
    EXPECT_EQ(identity->customer_ids, (std::vector<std::int64_t>{7, 8}));
    EXPECT_EQ(identity->plan_level, 3);
    EXPECT_EQ(identity->roles, std::vector<std::string>{"viewer"});
    EXPECT_EQ(identity->email, "a@b.test");
    EXPECT_EQ(identity->kind, IdentityKind::User);
    EXPECT_TRUE(authorize(*identity, 8, 3, Permission::Read));
    EXPECT_FALSE(authorize(*identity, 9, std::nullopt, Permission::Read));
}

/// A key on P-256 of the provider's; only tests sign with one.
class EcKey {
public:
    EcKey() : key_(cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &error_), cjose_jwk_release) {}
    nlohmann::json jwk(const std::string& kid) const {
        cjose_err error{};
        const std::unique_ptr<char, decltype(&std::free)> text(
            cjose_jwk_to_json(key_.get(), false, &error), std::free);
        auto json = nlohmann::json::parse(text.get());
        json["kid"] = kid;
        return json;
    }
    std::string token(const nlohmann::json& claims, const std::string& kid) const {
        cjose_err error{};
        const std::unique_ptr<cjose_header_t, decltype(&cjose_header_release)> header(
            cjose_header_new(&error), cjose_header_release);
        cjose_header_set(header.get(), CJOSE_HDR_ALG, CJOSE_HDR_ALG_ES256, &error);
        cjose_header_set(header.get(), CJOSE_HDR_KID, kid.c_str(), &error);
        const auto text = claims.dump();
        const std::unique_ptr<cjose_jws_t, decltype(&cjose_jws_release)> jws(
            cjose_jws_sign(key_.get(), header.get(),
                           reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), &error),
            cjose_jws_release);
        const char* out = nullptr;
        return cjose_jws_export(jws.get(), &out, &error) ? out : "";
    }

private:
    cjose_err error_{};
    std::unique_ptr<cjose_jwk_t, decltype(&cjose_jwk_release)> key_;
};

TEST_F(ProviderTest, TakesEs256FromAKeyOnP256Only) {
    const EcKey key, other;
    serve_jwk(key.jwk("ec"));
    EXPECT_EQ(verdict(key.token(good(), "ec")), "accepted");
    EXPECT_EQ(verdict(other.token(good(), "ec")), "The token's signature is wrong.");
    auto cut = key.token(good("custId", 8), "ec");
    cut.resize(cut.size() - 2);  // 63 bytes
    EXPECT_EQ(verdict(cut), "The token's signature has not the length of its algorithm.");
    // An algorithm of the token's choosing, either way round.
    EXPECT_EQ(verdict(token(good(), 0, "ec")), "The token's algorithm is not that of its key.");
    serve({{"one", 0}});
    ASSERT_TRUE(keys_.refresh());
    EXPECT_EQ(verdict(key.token(good(), "one")), "The token's algorithm is not that of its key.");
    EXPECT_EQ(verdict(key.token(good(), "ec")),
              "The token was signed with a key that is not known.");
}

TEST_F(ProviderTest, LeavesOutKeysThatAreNotOnTheCurveOrForSomethingElse) {
    const EcKey key;
    const auto with = [&](const char* name, const nlohmann::json& value) {
        auto jwk = key.jwk("ec");
        jwk[name] = value;
        return jwk;
    };
    for (const auto& jwk :
         {with("x", key.jwk("ec")["y"]), with("x", "AAAA"), with("crv", "P-384"),
          with("use", "enc"), with("alg", "ES384"), with("kty", "OKP"), with("y", 7)}) {
        serve_jwk(jwk);
        EXPECT_FALSE(keys_.refresh()) << jwk;
    }
    serve_jwk(with("alg", "ES256"));
    EXPECT_TRUE(keys_.refresh());
}

TEST_F(ProviderTest, TakesOtherNamesPathsAndRoleNames) {
    ClaimMapping mapping;
    mapping.customer = "https://x.test/customer";
    mapping.plan = "account.plan.id";
    mapping.roles = "team";
    mapping.role_names = {{"qoe-admins", "admin"}};
    map_claims(mapping);
    auto claims = good("https://x.test/customer", 9);
    claims["account"] = {{"plan", {{"id", 4}}}};
    claims["team"] = {"qoe-admins", "viewer"};
    const auto identity = verifier_->verify(token(claims));
    ASSERT_TRUE(identity) << identity.error().message;
    EXPECT_EQ(identity->customer_ids.front(), 9);
    EXPECT_EQ(identity->plan_level, 4);
    EXPECT_EQ(identity->roles, std::vector<std::string>{"admin"});
}

TEST_F(ProviderTest, RefusesWhatIsNotAnAccessTokenForUs) {
    EXPECT_EQ(verdict(token(good())), "accepted");
    const std::pair<const char*, nlohmann::json> wrong[] = {
        {"typ", "ID"},           {"typ", "Refresh"}, {"iss", kProvider + "/"},
        {"iss", "https://evil"}, {"aud", "other"},   {"aud", nlohmann::json::array()},
        {"exp", kStartS - 31},   {"exp", "never"},   {"iat", kStartS + 31},
        {"nbf", kStartS + 31},   {"nbf", "soon"},    {"sub", ""},
        {"custId", "seven"},     {"custId", -7},     {"custId", 0},
        {"custId", {7}},         {"exp", INT64_MIN}};
    for (const auto& [name, value] : wrong) {
        EXPECT_NE(verdict(token(good(name, value))), "accepted") << name << value;
    }
    for (const char* name : {"typ", "iss", "aud", "exp", "iat", "sub"}) {
        auto claims = good();
        claims.erase(name);
        EXPECT_NE(verdict(token(claims)), "accepted") << name;
    }
    auto nobody = good();
    nobody.erase("custId");
    nobody.erase("group");
    EXPECT_EQ(verdict(token(nobody)), "The token names no customer.");
    EXPECT_EQ(verdict(token(good("exp", INT64_MAX))), "accepted");
}

TEST_F(ProviderTest, RefusesRepeatedNamesAndForeignKeys) {
    auto text = good().dump();
    text.insert(text.size() - 1, R"(,"custId":"9")");
    EXPECT_EQ(verdict(*sign_rs256(text, private_key(0), "one")),
              "The token's claims cannot be read.");
    EXPECT_EQ(verdict(token(good(), 1)), "The token's signature is wrong.");
    EXPECT_EQ(verdict(token(good(), 1, "two")),
              "The token was signed with a key that is not known.");
}

TEST_F(ProviderTest, RefusesOtherAlgorithmsWhateverTheyAreKeyedWith) {
    const auto parts = token(good());
    const auto first = parts.find('.');
    for (const char* alg : {"none", "None", "HS256", "ES256", "RS384", "RS512", "PS256", "rs256"}) {
        const auto header = nlohmann::json{{"alg", alg}, {"kid", "one"}, {"typ", "at+jwt"}}.dump();
        const auto head =
            base64url({reinterpret_cast<const std::uint8_t*>(header.data()), header.size()});
        EXPECT_EQ(verdict(head + parts.substr(first)),
                  alg == std::string("ES256")
                      ? "The token's signature has not the length of its algorithm."
                      : "The token's algorithm is neither RS256 nor ES256.")
            << alg;
    }
    // A key that is for something else verifies nothing, though its numbers are right.
    for (const auto& [member, value] :
         {std::pair{"alg", "RS512"}, {"alg", "HS256"}, {"use", "enc"}, {"kty", "EC"}}) {
        auto jwk = nlohmann::json::parse(private_key(1).public_jwk("two"));
        jwk[member] = value;
        serve_jwk(jwk);
        clock_.advance_ms(6'000);
        EXPECT_NE(verdict(token(good(), 1, "two")), "accepted") << member << value;
    }
}

TEST_F(ProviderTest, FindsARotatedKeyAndForgetsTheWithdrawnOne) {
    const auto old = token(good());
    EXPECT_EQ(verdict(old), "accepted");
    serve({{"two", 1}});
    EXPECT_EQ(verdict(old), "accepted");
    clock_.advance_ms(5'000);
    EXPECT_EQ(verdict(token(good(), 1, "two")), "accepted");
    EXPECT_EQ(verdict(old), "The token was signed with a key that is not known.");
}

TEST_F(ProviderTest, NoticesAWithdrawnKeyByItselfAndAKeyThatChangedUnderItsName) {
    const auto old = token(good("exp", kStartS + 90'000));
    EXPECT_EQ(verdict(old), "accepted");
    serve({{"one", 1}});
    clock_.advance_ms(10 * 60 * 1000 + 1);
    EXPECT_EQ(verdict(old), "The token's signature is wrong.");
}

TEST_F(ProviderTest, MadeUpKeyIdsDoNotFloodTheProvider) {
    EXPECT_EQ(verdict(token(good())), "accepted");
    const int before = fetches_;
    for (int i = 0; i < 1000; ++i) {
        EXPECT_NE(verdict(token(good(), 1, "made-up-" + std::to_string(i % 7))), "accepted");
        clock_.advance_ms(10);
    }
    EXPECT_LE(fetches_ - before, 2 * 3);  // 10 s, every 5 s, two documents each
}

TEST_F(ProviderTest, KeepsStaleKeysWhileTheProviderIsDownButNotForEver) {
    const auto old = token(good("exp", kStartS + 200'000));
    EXPECT_EQ(verdict(old), "accepted");
    down_ = true;
    clock_.advance_ms(24LL * 3600 * 1000 - 1000);
    EXPECT_EQ(verdict(old), "accepted");
    clock_.advance_ms(2000);
    const auto late = verifier_->verify(old);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::Unavailable);
    EXPECT_FALSE(keys_.usable());
    down_ = false;
    clock_.advance_ms(5'000);
    EXPECT_EQ(verdict(token(good("exp", kStartS + 200'000))), "accepted");
}

TEST_F(ProviderTest, ABrokenAnswerLeavesTheKeysAsTheyAre) {
    EXPECT_EQ(verdict(token(good())), "accepted");
    const auto& discovery = kProvider + "/.well-known/openid-configuration";
    const std::string key = private_key(1).public_jwk("two");
    const std::pair<std::string, std::string> broken[] = {
        {discovery, "no json"},
        {discovery, R"({"issuer":"https://evil","jwks_uri":"https://keys.example/jwks"})"},
        {discovery, R"({"issuer":")" + kProvider + R"(","jwks_uri":"http://keys.example/jwks"})"},
        {discovery, R"({"issuer":")" + kProvider + R"(","jwks_uri":"file:///etc/passwd"})"},
        {"https://keys.example/jwks", "[]"},
        {"https://keys.example/jwks", R"({"keys":[]})"},
        {"https://keys.example/jwks",
         R"({"keys":[{"kty":"RSA","kid":"x","n":"AQAB","e":"AQAB"}]})"},
        {"https://keys.example/jwks", "{\"keys\":[" + key + "," + key + "]}"}};
    for (const auto& [url, text] : broken) {
        serve({{"two", 1}});
        documents_[url] = text;
        EXPECT_FALSE(keys_.refresh()) << text;
        EXPECT_EQ(verdict(token(good())), "accepted") << text;
    }
}

TEST(ProviderUrl, IsHttpsOrLoopback) {
    for (const char* url : {"https://id.example/realms/x", "http://127.0.0.1:8080/x",
                            "http://[::1]:8080", "http://localhost/x"}) {
        EXPECT_TRUE(check_provider_url(url)) << url;
    }
    for (const char* url :
         {"http://id.example/x", "http://127.0.0.1.evil.test/", "ftp://127.0.0.1/",
          "http://127.0.0.1@evil.test/", "https://", "https:///x", "", "id.example", "https://a b",
          "https://a?x", "https://a#x", "http://localhost.evil/"}) {
        EXPECT_FALSE(check_provider_url(url)) << url;
    }
}

}  // namespace
}  // namespace playhead::auth
