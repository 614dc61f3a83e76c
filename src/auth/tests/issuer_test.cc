#include <set>
#include <thread>

#include "auth/json_text.h"
#include "auth/tests/auth_fixture.h"
#include "auth/token_issuer.h"

namespace playhead::auth {
namespace {

class TokenIssuerTest : public AuthTest {
protected:
    std::string error_of(const FormPairs& form, int status) {
        const auto reply = issuer_->token(form, context_);
        EXPECT_EQ(reply.status, status) << reply.body;
        return json_of(reply).value("error", "");
    }
    int audited(const std::string& action) {
        int count = 0;
        const auto entries = directory_->audit_log(std::nullopt, 0, 1000);
        for (const auto& entry : *entries) {
            if (entry.action == action) ++count;
        }
        return count;
    }
};

TEST_F(TokenIssuerTest, AnswersThePasswordGrantWithThePublishedKeys) {
    const auto body = logged_in();
    std::set<std::string> names;
    for (const auto& item : body.items()) names.insert(item.key());
    EXPECT_EQ(names, (std::set<std::string>{"access_token", "expires_in", "refresh_expires_in",
                                            "refresh_token", "token_type", "id_token",
                                            "not-before-policy", "session_state", "scope"}));
    EXPECT_EQ(body["expires_in"], 900);
    EXPECT_EQ(body["refresh_expires_in"], 1800);
    EXPECT_EQ(body["token_type"], "Bearer");
    EXPECT_EQ(body["not-before-policy"], 0);
    EXPECT_EQ(body["scope"], "openid email profile");
    EXPECT_EQ(body["session_state"].get<std::string>().size(), 36U);
    EXPECT_EQ(audited("login"), 1);
}

TEST_F(TokenIssuerTest, WritesThePublishedClaims) {
    const auto body = logged_in();
    const auto claims = claims_of(body["access_token"]);
    EXPECT_EQ(claims["iss"], kIssuer);
    EXPECT_EQ(claims["sub"], user_.subject);
    EXPECT_EQ(claims["typ"], "Bearer");
    EXPECT_EQ(claims["azp"], "smartsight-backend");
    EXPECT_EQ(claims["exp"].get<std::int64_t>() - claims["iat"].get<std::int64_t>(), 900);
    EXPECT_EQ(claims["sid"], body["session_state"]);
    EXPECT_EQ(claims["acr"], "1");
    EXPECT_EQ(claims["allowed-origins"], nlohmann::json::array({"*"}));
    EXPECT_EQ(claims["level"], "6831");
    EXPECT_EQ(claims["accountType"], "MMCUSTOMER");
    EXPECT_EQ(claims["custId"], "199493832");
    EXPECT_EQ(claims["group"], nlohmann::json::array({"/A&E (199493832)"}));
    EXPECT_EQ(claims["preferred_username"], "ann@example.com");
    EXPECT_EQ(claims["name"], "Ann Lee \"Q\"");
    EXPECT_EQ(claims["email_verified"], true);
    EXPECT_TRUE(claims["resource_access"]["account"]["roles"].is_array());
    const auto identity = verifier_->verify(body["access_token"].get<std::string>());
    ASSERT_TRUE(identity) << identity.error().message;
    EXPECT_EQ(identity->customer_ids, std::vector<std::int64_t>{199493832});
    EXPECT_TRUE(authorize(*identity, 199493832, 6831, Permission::Read));
    EXPECT_FALSE(authorize(*identity, 42, std::nullopt, Permission::Read));
    EXPECT_EQ(claims_of(body["id_token"])["typ"], "ID");
    EXPECT_EQ(claims_of(body["id_token"])["aud"], "smartsight-backend");
}

TEST_F(TokenIssuerTest, NamesEveryReadableCustomerOfAParentAccount) {
    add_user("root@example.com", directory::Role::Admin);
    const auto body = logged_in("ROOT@example.com");
    EXPECT_EQ(claims_of(body["access_token"])["group"],
              nlohmann::json::array({"/A&E (199493832)", "/Child (of 7) (42)"}));
    const auto identity = verifier_->verify(body["access_token"].get<std::string>());
    ASSERT_TRUE(identity);
    EXPECT_TRUE(authorize(*identity, 42, std::nullopt, Permission::Admin));
    EXPECT_FALSE(authorize(*identity, 7, std::nullopt, Permission::Read));
}

TEST_F(TokenIssuerTest, RefusesRefreshAndIdTokensAsBearer) {
    const auto body = logged_in();
    EXPECT_EQ(refusal(body["refresh_token"]), "The token is no access token.");
    EXPECT_EQ(refusal(body["id_token"]), "The token is no access token.");
}

TEST_F(TokenIssuerTest, AnswersErrorsAsRfc6749) {
    EXPECT_EQ(error_of({}, 400), "invalid_request");
    EXPECT_EQ(error_of({{"grant_type", "implicit"}}, 400), "unsupported_grant_type");
    EXPECT_EQ(error_of({{"grant_type", "password"}, {"client_id", "x"}}, 401), "invalid_client");
    EXPECT_EQ(error_of({{"grant_type", "password"}, {"client_id", "smartsight-backend"}}, 400),
              "invalid_request");
    auto twice = password_form("ann@example.com", kPassword);
    twice.emplace_back("username", "root@example.com");
    EXPECT_EQ(error_of(twice, 400), "invalid_request");
    EXPECT_EQ(error_of(FormPairs(100'000, {"a", "b"}), 400), "invalid_request");
    const std::string huge(100'000, 'x');
    EXPECT_EQ(error_of(password_form(huge, huge), 401), "invalid_grant");
    EXPECT_EQ(error_of(refresh_form(huge), 400), "invalid_grant");
    EXPECT_EQ(error_of({{"grant_type", huge}}, 400), "unsupported_grant_type");
    EXPECT_EQ(error_of({{"grant_type", "password"}, {"client_id", huge}}, 401), "invalid_client");
}

TEST_F(TokenIssuerTest, AnswersAnUnknownUserLikeAWrongPassword) {
    const auto wrong = issuer_->token(password_form("ann@example.com", "wrong"), context_);
    const auto unknown = issuer_->token(password_form("eve@example.com", "wrong"), context_);
    EXPECT_EQ(wrong.status, 401);
    EXPECT_EQ(wrong.body, unknown.body);
    EXPECT_EQ(audited("login-failed"), 2);
}

TEST_F(TokenIssuerTest, RefusesDisabledUsersAndTenants) {
    const auto refresh = logged_in()["refresh_token"].get<std::string>();
    user_.enabled = false;
    ASSERT_TRUE(directory_->update_user(user_));
    EXPECT_EQ(error_of(password_form("ann@example.com", kPassword), 400), "invalid_grant");
    EXPECT_EQ(error_of(refresh_form(refresh), 400), "invalid_grant");
    user_.enabled = true;
    ASSERT_TRUE(directory_->update_user(user_));
    auto tenant = directory_->tenant(199493832);
    tenant->enabled = false;
    ASSERT_TRUE(directory_->update_tenant(*tenant));
    EXPECT_EQ(error_of(password_form("ann@example.com", kPassword), 400), "invalid_grant");
}

TEST_F(TokenIssuerTest, RotatesRefreshTokensAndRevokesTheFamilyOnReuse) {
    const auto first = logged_in()["refresh_token"].get<std::string>();
    const auto second = issuer_->token(refresh_form(first), context_);
    ASSERT_EQ(second.status, 200) << second.body;
    const auto token = json_of(second)["refresh_token"].get<std::string>();
    EXPECT_NE(token, first);
    EXPECT_EQ(error_of(refresh_form(first), 400), "invalid_grant");
    EXPECT_EQ(error_of(refresh_form(token), 400), "invalid_grant") << "the family is revoked";
    EXPECT_EQ(audited("refresh-reused"), 1);
    EXPECT_EQ(issuer_->token(password_form("ann@example.com", kPassword), context_).status, 200);
}

TEST_F(TokenIssuerTest, GivesOneSuccessorWhenARefreshTokenIsSentTwiceAtOnce) {
    const auto token = logged_in()["refresh_token"].get<std::string>();
    std::atomic<int> granted = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            if (issuer_->token(refresh_form(token), context_).status == 200) ++granted;
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(granted, 1);
}

TEST_F(TokenIssuerTest, EndsARefreshTokenByTimeByLogoutAndForOtherClients) {
    auto token = logged_in()["refresh_token"].get<std::string>();
    auto other = refresh_form(token);
    other[1].second = "playhead-portal";
    EXPECT_EQ(error_of(other, 400), "invalid_grant");
    EXPECT_EQ(issuer_->logout({{"refresh_token", token}}).status, 204);
    EXPECT_EQ(issuer_->logout({{"refresh_token", "never was"}}).status, 204);
    EXPECT_EQ(issuer_->logout({}).status, 400);
    EXPECT_EQ(error_of(refresh_form(token), 400), "invalid_grant");
    token = logged_in()["refresh_token"].get<std::string>();
    clock_.advance_ms(1800 * 1000);
    EXPECT_EQ(error_of(refresh_form(token), 400), "invalid_grant");
}

TEST_F(TokenIssuerTest, EndsALoginAfterItsLongestTimeHoweverOftenItIsRefreshed) {
    TokenIssuerOptions options;
    options.session_max_s = 3000;
    TokenIssuer issuer(*directory_, *keys_, passwords_, throttle_, *api_keys_, entropy_, clock_,
                       options);
    auto reply = issuer.token(password_form("ann@example.com", kPassword), context_);
    ASSERT_EQ(reply.status, 200);
    clock_.advance_ms(1500 * 1000);
    reply = issuer.token(refresh_form(json_of(reply)["refresh_token"]), context_);
    ASSERT_EQ(reply.status, 200);
    clock_.advance_ms(1500 * 1000);
    EXPECT_EQ(issuer.token(refresh_form(json_of(reply)["refresh_token"]), context_).status, 400);
}

TEST_F(TokenIssuerTest, AnswersTheOlderGenerationInItsForm) {
    const FormPairs form{
        {"grant_type", "password"}, {"username", "ann@example.com"}, {"password", kPassword}};
    const auto reply = issuer_->legacy_token(form, context_);
    ASSERT_EQ(reply.status, 200) << reply.body;
    const auto body = json_of(reply);
    EXPECT_EQ(body.size(), 5U);
    EXPECT_EQ(body["token_type"], "bearer");
    EXPECT_EQ(body["scope"], "read");
    EXPECT_EQ(body["expires_in"], 3600);
    EXPECT_EQ(refusal(body["access_token"]), "accepted");
    const auto refreshed = issuer_->legacy_token(
        {{"grant_type", "refresh_token"}, {"username", body["refresh_token"]}}, context_);
    ASSERT_EQ(refreshed.status, 200) << refreshed.body;
    const auto again = issuer_->legacy_token(
        {{"grant_type", "refresh_token"}, {"refresh_token", json_of(refreshed)["refresh_token"]}},
        context_);
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(issuer_->legacy_token({{"grant_type", "refresh_token"}}, context_).status, 400);
    EXPECT_EQ(issuer_->legacy_token({}, context_).status, 400);
}

TEST_F(TokenIssuerTest, ThrottlesGuessingWithoutLookingAtThePassword) {
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(issuer_->token(password_form("ann@example.com", "wrong"), context_).status, 401);
    }
    const auto reply = issuer_->token(password_form("ann@example.com", kPassword), context_);
    EXPECT_EQ(reply.status, 429);
    EXPECT_EQ(reply.retry_after_s, 1);
    const TokenContext elsewhere{kIssuer, "203.0.113.9"};
    EXPECT_EQ(issuer_->token(password_form("ann@example.com", kPassword), elsewhere).status, 200);
    clock_.advance_ms(1000);
    EXPECT_EQ(issuer_->token(password_form("ann@example.com", kPassword), context_).status, 200);
}

TEST_F(TokenIssuerTest, GivesAnApiKeyATokenOfItsScope) {
    const auto key =
        create_api_key(*directory_, entropy_, 199493832, directory::KeyScope::Read, "");
    ASSERT_TRUE(key);
    FormPairs form{
        {"grant_type", "client_credentials"}, {"client_id", key->id}, {"client_secret", key->key}};
    const auto reply = issuer_->token(form, context_);
    ASSERT_EQ(reply.status, 200) << reply.body;
    EXPECT_FALSE(json_of(reply).contains("refresh_token"));
    const auto identity = verifier_->verify(json_of(reply)["access_token"].get<std::string>());
    ASSERT_TRUE(identity) << identity.error().message;
    EXPECT_EQ(identity->kind, IdentityKind::Client);
    EXPECT_TRUE(authorize(*identity, 199493832, 6831, Permission::Read));
    EXPECT_FALSE(authorize(*identity, 199493832, 6831, Permission::Write));
    EXPECT_FALSE(authorize(*identity, 199493832, 6831, Permission::Ingest));
    form[1].second = "other";
    EXPECT_EQ(error_of(form, 401), "invalid_client");
    form[2].second = std::string(100'000, 'x');
    EXPECT_EQ(error_of(form, 401), "invalid_client");
}

TEST_F(TokenIssuerTest, StaysBelowTheTokenLimitWithAsManyCustomersAsAnAccountMayHave) {
    auto root = add_user("root@example.com", directory::Role::Admin);
    for (int i = 0; i < 100; ++i) {
        add_tenant(1'000'000'000'000'000 + i, 1, std::string(200, 'n'), 199493832);
    }
    const auto token = logged_in("root@example.com")["access_token"].get<std::string>();
    EXPECT_LT(token.size(), kTokenBytesMax);
    const auto identity = verifier_->verify(token);
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->customer_ids.size(), directory::kCustomersPerUserMax);
}

TEST(Discovery, DescribesTheRealm) {
    const auto issuer = issuer_url("https://a.example:8443//", "mediamelon");
    EXPECT_EQ(issuer, "https://a.example:8443/realms/mediamelon");
    const auto document = nlohmann::json::parse(discovery_document(issuer));
    EXPECT_EQ(document["issuer"], issuer);
    EXPECT_EQ(document["jwks_uri"], issuer + "/protocol/openid-connect/certs");
    EXPECT_EQ(document["id_token_signing_alg_values_supported"], nlohmann::json::array({"RS256"}));
}

TEST(JsonText, EscapesWhatMustBeAndReplacesWhatIsNoUtf8) {
    EXPECT_EQ(json_quote("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\u000a\\u0001\"");
    EXPECT_EQ(json_quote("h\xc3\xa9 \xf0\x9f\x8e\xac"), "\"h\xc3\xa9 \xf0\x9f\x8e\xac\"");
    for (const std::string bad :
         {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xe2\x82", "\xf5\x80\x80\x80"}) {
        EXPECT_TRUE(nlohmann::json::accept(json_quote(bad))) << bad.size();
    }
}

}  // namespace
}  // namespace playhead::auth
