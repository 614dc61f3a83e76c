#include "auth/tests/auth_fixture.h"
#include "auth/token_verifier.h"

namespace playhead::auth {
namespace {

class TokenVerifierTest : public AuthTest {
protected:
    std::string spoilt(const std::string& name, const nlohmann::json& value) {
        auto claims = good_claims();
        claims[name] = value;
        return refusal(signed_token(claims));
    }
    std::string without(const std::string& name) {
        auto claims = good_claims();
        claims.erase(name);
        return refusal(signed_token(claims));
    }
};

TEST_F(TokenVerifierTest, ReadsTheIdentityOfAGoodToken) {
    auto claims = good_claims();
    claims["group"] = {"/A&E (199493832)", "/Odd (1) name (42)", "/no number",
                       "/x (99999999999999999999)"};
    claims["email"] = "ann@example.com";
    const auto identity = verifier_->verify(signed_token(claims));
    ASSERT_TRUE(identity) << identity.error().message;
    EXPECT_EQ(identity->kind, IdentityKind::User);
    EXPECT_EQ(identity->subject, "someone");
    EXPECT_EQ(identity->email, "ann@example.com");
    EXPECT_EQ(identity->customer_ids, (std::vector<std::int64_t>{199493832, 42}));
    EXPECT_EQ(identity->plan_level, 6831);
    EXPECT_EQ(identity->roles, std::vector<std::string>{"viewer"});
    EXPECT_EQ(identity->scopes, (std::vector<std::string>{"openid", "email", "profile"}));
}

TEST_F(TokenVerifierTest, RefusesEveryWrongOrMissingClaim) {
    for (const char* type : {"Refresh", "ID", "bearer", ""}) {
        EXPECT_EQ(spoilt("typ", type), "The token is no access token.");
    }
    EXPECT_EQ(without("typ"), "The token is no access token.");
    EXPECT_EQ(spoilt("exp", kStartS), "The token has expired.");
    EXPECT_EQ(spoilt("exp", -1), "The token's claims cannot be read.");
    EXPECT_EQ(spoilt("exp", "9999999999"), "The token's claims cannot be read.");
    EXPECT_EQ(spoilt("exp", 1e300), "The token's claims cannot be read.");
    EXPECT_NE(without("exp"), "accepted");
    EXPECT_NE(without("iat"), "accepted");
    EXPECT_EQ(spoilt("nbf", kStartS + 31), "The token is not valid yet.");
    EXPECT_EQ(spoilt("nbf", kStartS + 30), "accepted");
    EXPECT_EQ(spoilt("iat", kStartS + 31), "The token is not valid yet.");
    EXPECT_EQ(spoilt("aud", "other"), "The token is meant for someone else.");
    EXPECT_EQ(spoilt("aud", {"other", "account"}), "accepted");
    EXPECT_EQ(without("sub"), "The token names nobody.");
    EXPECT_EQ(spoilt("custId", "12x"), "The token names no customer.");
    EXPECT_EQ(spoilt("custId", 12), "The token's claims cannot be read.");
    EXPECT_EQ(without("custId"), "The token names no customer.");
}

TEST_F(TokenVerifierTest, AcceptsOwnRealmUnderAnyHostButTheConfiguredIssuerOnlyExactly) {
    EXPECT_EQ(spoilt("iss", "http://127.0.0.1:8080/realms/mediamelon"), "accepted");
    for (const char* other :
         {"https://a.example/realms/other", "/realms/mediamelon", "",
          "https://a.example/realms/mediamelon/", "ftp://a/realms/mediamelon"}) {
        EXPECT_EQ(spoilt("iss", other), "The token was issued by someone else.") << other;
    }
    TokenVerifierOptions options;
    options.issuer = "https://only.example/realms/mediamelon";
    TokenVerifier strict(*keys_, clock_, options);
    EXPECT_FALSE(strict.verify(signed_token(good_claims())));
    auto claims = good_claims();
    claims["iss"] = options.issuer;
    EXPECT_TRUE(strict.verify(signed_token(claims)));
}

TEST_F(TokenVerifierTest, RefusesRepeatedClaims) {
    auto text = good_claims().dump();
    text.insert(1, R"("custId":"1",)");
    const auto token = keys_->sign(text);
    ASSERT_TRUE(token);
    EXPECT_EQ(refusal(*token), "The token's claims cannot be read.");
}

TEST_F(TokenVerifierTest, DoesNotLetACachedTokenOutliveItsExpiry) {
    const auto token = signed_token(good_claims());
    EXPECT_EQ(refusal(token), "accepted");
    clock_.advance_ms(899'999);
    EXPECT_EQ(refusal(token), "accepted");
    clock_.advance_ms(1);
    EXPECT_EQ(refusal(token), "The token has expired.");
}

TEST_F(TokenVerifierTest, KeepsOldKeysUntilTheirTokensAreGoneAfterARotation) {
    const auto old_kid = keys_->active_kid();
    const auto old_token = signed_token(good_claims());
    ASSERT_TRUE(keys_->rotate());
    EXPECT_NE(keys_->active_kid(), old_kid);
    EXPECT_EQ(nlohmann::json::parse(keys_->jwks())["keys"].size(), 2U);
    EXPECT_EQ(refusal(old_token), "accepted");
    EXPECT_EQ(refusal(signed_token(good_claims())), "accepted");
    clock_.advance_ms(2 * 3600 * 1000 + 1);
    EXPECT_EQ(refusal(old_token), "The token was signed with a key that is not known.");
    EXPECT_EQ(nlohmann::json::parse(keys_->jwks())["keys"].size(), 1U);
}

TEST_F(TokenVerifierTest, StopsACachedTokenAtOnceWhenItsKeyIsRemoved) {
    const auto token = signed_token(good_claims());
    EXPECT_EQ(refusal(token), "accepted");
    ASSERT_TRUE(keys_->remove(keys_->active_kid()));
    EXPECT_NE(refusal(token), "accepted");
    EXPECT_EQ(refusal(signed_token(good_claims())), "accepted");
}

TEST_F(TokenVerifierTest, FindsAKeyThatAnotherProcessMadeAndAsksNotTooOften) {
    auto other_directory = directory::Directory::open(folder_ / "directory.sqlite", clock_);
    ASSERT_TRUE(other_directory);
    auto other = KeyRing::open(**other_directory, clock_);
    ASSERT_TRUE(other);
    EXPECT_EQ((*other)->active_kid(), keys_->active_kid()) << "one first key for both";
    EXPECT_FALSE(keys_->find("unknown"));
    ASSERT_TRUE((*other)->rotate());
    const auto token = (*other)->sign(good_claims().dump());
    ASSERT_TRUE(token);
    EXPECT_NE(refusal(*token), "accepted") << "looked up less than a second ago";
    clock_.advance_ms(1000);
    EXPECT_EQ(refusal(*token), "accepted");
}

TEST_F(TokenVerifierTest, GetsAFirstKeyWhenTheDirectoryHasNoneYet) {
    auto empty = directory::Directory::open(folder_ / "empty.sqlite", clock_);
    ASSERT_TRUE(empty);
    const auto first = KeyRing::open(**empty, clock_);
    const auto second = KeyRing::open(**empty, clock_);
    ASSERT_TRUE(first && second);
    EXPECT_EQ((*first)->active_kid().size(), 43U);
    EXPECT_EQ((*first)->active_kid(), (*second)->active_kid());
}

TEST_F(TokenVerifierTest, PublishesNoPrivateNumber) {
    const auto keys = nlohmann::json::parse(keys_->jwks())["keys"];
    ASSERT_EQ(keys.size(), 1U);
    EXPECT_EQ(keys[0]["kid"], keys_->active_kid());
    EXPECT_EQ(keys[0]["alg"], "RS256");
    for (const char* name : {"d", "p", "q", "dp", "dq", "qi"}) EXPECT_FALSE(keys[0].contains(name));
}

TEST(VerdictCache, ForgetsTheLeastRecentlyUsedAndTheExpired) {
    VerdictCache<int> cache(2);
    cache.put(sha256("a"), 1, 100);
    cache.put(sha256("b"), 2, 100);
    EXPECT_EQ(cache.get(sha256("a"), 0), 1);
    cache.put(sha256("c"), 3, 50);
    EXPECT_FALSE(cache.get(sha256("b"), 0));
    EXPECT_EQ(cache.get(sha256("a"), 99), 1);
    EXPECT_FALSE(cache.get(sha256("c"), 50));
    EXPECT_EQ(cache.size(), 1U);
    cache.put(sha256("a"), 7, 200);
    EXPECT_EQ(cache.get(sha256("a"), 150), 7);
}

TEST(BearerToken, TakesTheSchemeInAnyCaseAndRefusesOthers) {
    EXPECT_EQ(*bearer_token("Bearer abc"), "abc");
    EXPECT_EQ(*bearer_token("bEARER   abc "), "abc");
    for (const char* bad : {"", "Bearer", "Bearer ", "Basic abc", "abc"}) {
        EXPECT_FALSE(bearer_token(bad)) << bad;
    }
    EXPECT_FALSE(bearer_token(std::string(100'000, 'b')));
}

TEST(Authorize, ComparesCustomerPlanAndRole) {
    Identity viewer;
    viewer.customer_ids = {7, 8};
    viewer.roles = {"viewer"};
    viewer.plan_level = 6831;
    EXPECT_TRUE(authorize(viewer, 7, 6831, Permission::Read));
    EXPECT_TRUE(authorize(viewer, 8, std::nullopt, Permission::Read));
    const auto refused = [](const Result<void>& verdict, const char* parameter) {
        return !verdict && verdict.error().code == ErrorCode::PermissionDenied &&
               verdict.error().parameter == parameter;
    };
    EXPECT_TRUE(refused(authorize(viewer, 9, 6831, Permission::Read), "customerId"));
    EXPECT_TRUE(refused(authorize(viewer, 7, 1, Permission::Read), "planlevel"));
    EXPECT_TRUE(refused(authorize(viewer, 7, 6831, Permission::Write), ""));
    EXPECT_TRUE(refused(authorize(viewer, 7, 6831, Permission::Ingest), ""));
    Identity editor = viewer;
    editor.roles = {"editor"};
    EXPECT_TRUE(authorize(editor, 7, 6831, Permission::Write));
    EXPECT_FALSE(authorize(editor, 7, 6831, Permission::Admin));
    Identity admin = viewer;
    admin.roles = {"admin"};
    EXPECT_TRUE(authorize(admin, 7, 6831, Permission::Admin));
    EXPECT_TRUE(refused(authorize(admin, 9, 6831, Permission::Read), "customerId"))
        << "an admin of one customer is none of another";
    Identity nobody = viewer;
    nobody.roles = {"USER"};
    nobody.scopes = {"admin"};
    EXPECT_FALSE(authorize(nobody, 7, 6831, Permission::Read)) << "scopes give a user nothing";
}

}  // namespace
}  // namespace playhead::auth
