#include "auth/tests/auth_fixture.h"

namespace playhead::auth {
namespace {

const std::string kVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const std::string kChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const std::string kAfterLogout = "https://app.example/out";
const std::string kRedirect = "https://identity.example/callback?x=1";

TEST(Pkce, MatchesTheExampleOfRfc7636AppendixB) {
    EXPECT_TRUE(pkce_matches(kVerifier, kChallenge));
    EXPECT_FALSE(pkce_matches(kVerifier + "x", kChallenge));
    EXPECT_FALSE(pkce_matches("short", base64url(sha256("short"))));
    EXPECT_FALSE(pkce_matches(std::string(100'000, 'v'), kChallenge));
    EXPECT_FALSE(pkce_matches("", ""));
}

class AuthorizationCodeTest : public AuthTest {
protected:
    static FormPairs request(const std::string& name = "", const std::string& value = "") {
        FormPairs form{{"response_type", "code"},
                       {"client_id", "playhead-portal"},
                       {"redirect_uri", kRedirect},
                       {"code_challenge", kChallenge},
                       {"code_challenge_method", "S256"},
                       {"state", "a b&c"},
                       {"nonce", "n-1"},
                       {"username", "ann@example.com"},
                       {"password", kPassword}};
        for (auto& pair : form) {
            if (pair.first == name) pair.second = value;
        }
        return form;
    }
    std::string new_code() {
        const auto reply = issuer_->authorize_login(request(), context_);
        EXPECT_EQ(reply.status, 302) << reply.body;
        const auto begin = reply.location.find("&code=") + 6;
        return reply.location.substr(begin, reply.location.find('&', begin) - begin);
    }
    static FormPairs redemption(const std::string& code) {
        return {{"grant_type", "authorization_code"},
                {"client_id", "playhead-portal"},
                {"redirect_uri", kRedirect},
                {"code", code},
                {"code_verifier", kVerifier}};
    }
};

TEST_F(AuthorizationCodeTest, TradesALoginForACodeAndTheCodeForTokens) {
    EXPECT_FALSE(issuer_->check_authorization(request(), context_));
    const auto reply = issuer_->authorize_login(request(), context_);
    ASSERT_EQ(reply.status, 302);
    EXPECT_TRUE(reply.location.starts_with(kRedirect + "&code="));
    EXPECT_NE(reply.location.find("&state=a%20b%26c&iss=https%3a%2f%2f"), std::string::npos);
    const auto tokens = issuer_->token(redemption(new_code()), context_);
    ASSERT_EQ(tokens.status, 200) << tokens.body;
    EXPECT_EQ(claims_of(json_of(tokens)["id_token"])["nonce"], "n-1");
    const auto identity = verifier_->verify(json_of(tokens)["access_token"].get<std::string>());
    ASSERT_TRUE(identity);
    const auto info = issuer_->userinfo(*identity);
    ASSERT_EQ(info.status, 200);
    EXPECT_EQ(json_of(info)["email"], "ann@example.com");
    EXPECT_EQ(json_of(info)["sub"], user_.subject);
    EXPECT_EQ(issuer_->userinfo(Identity{}).status, 401);
}

TEST_F(AuthorizationCodeTest, EndsTheSessionWhenACodeIsUsedTwice) {
    const auto code = new_code();
    const auto tokens = issuer_->token(redemption(code), context_);
    ASSERT_EQ(tokens.status, 200);
    EXPECT_EQ(issuer_->token(redemption(code), context_).status, 400);
    auto refresh = refresh_form(json_of(tokens)["refresh_token"]);
    refresh[1].second = "playhead-portal";
    EXPECT_EQ(issuer_->token(refresh, context_).status, 400);
}

TEST_F(AuthorizationCodeTest, WantsTheSameClientTargetAndVerifierWithinAMinute) {
    for (const std::size_t at : {1U, 2U, 4U}) {
        auto form = redemption(new_code());
        form[at].second = at == 1 ? "smartsight-backend" : std::string(50, 'v');
        EXPECT_EQ(issuer_->token(form, context_).status, 400) << form[at].first;
        form = redemption(form[3].second);
        EXPECT_EQ(issuer_->token(form, context_).status, 400) << "spent by the wrong attempt";
    }
    const auto code = new_code();
    clock_.advance_ms(kAuthorizationCodeTtlMs);
    EXPECT_EQ(issuer_->token(redemption(code), context_).status, 400);
    EXPECT_EQ(issuer_->token(redemption(std::string(100'000, 'c')), context_).status, 400);
}

TEST_F(AuthorizationCodeTest, NeverRedirectsToAnotherOrigin) {
    for (const char* target :
         {"https://identity.example.evil/cb", "https://identity.example@evil/cb", "//evil/cb",
          "https://identity.example", "http://identity.example/cb", "javascript:alert(1)", "",
          "https://identity.example/cb#x", "https://identity.example/\r\nSet-Cookie: a=b"}) {
        const auto reply = issuer_->authorize_login(request("redirect_uri", target), context_);
        EXPECT_EQ(reply.status, 400) << target;
        EXPECT_EQ(reply.location, "") << target;
    }
}

TEST_F(AuthorizationCodeTest, RefusesRequestsWithoutPkceAndWrongPasswords) {
    const auto status = [&](const char* name, const std::string& value) {
        return issuer_->authorize_login(request(name, value), context_).status;
    };
    EXPECT_EQ(status("code_challenge_method", "plain"), 400);
    EXPECT_EQ(status("code_challenge", ""), 400);
    EXPECT_EQ(status("response_type", "token"), 400);
    EXPECT_EQ(status("client_id", "other"), 401);
    EXPECT_EQ(status("state", std::string(100'000, 's')), 400);
    EXPECT_EQ(status("username", ""), 400);
    EXPECT_EQ(status("password", "wrong"), 401);
}

/// The portal, whose own server is identity.example, and an application of somebody else's.
class EndSessionTest : public AuthorizationCodeTest {
protected:
    void SetUp() override {
        AuthorizationCodeTest::SetUp();
        TokenIssuerOptions options;
        options.client_ids.emplace_back("app");
        options.redirect_uris = {{"app", "https://app.example/in"}};
        options.post_logout_redirect_uris = {{"app", kAfterLogout}};
        issuer_ = std::make_unique<TokenIssuer>(*directory_, *keys_, passwords_, throttle_,
                                                *api_keys_, entropy_, clock_, options);
        tokens_ = json_of(issuer_->token(redemption(new_code()), context_));
    }
    std::string hint() const { return tokens_["id_token"]; }
    bool is_logged_in() {
        auto refresh = refresh_form(tokens_["refresh_token"]);
        refresh[1].second = "playhead-portal";
        const auto reply = issuer_->token(refresh, context_);
        if (reply.status == 200) tokens_ = json_of(reply);
        return reply.status == 200;
    }
    nlohmann::json tokens_;
};

TEST_F(EndSessionTest, EndsTheLoginOfTheHintAndGoesOn) {
    ASSERT_TRUE(is_logged_in());
    const auto reply =
        issuer_->end_session({{"id_token_hint", hint()},
                              {"client_id", "playhead-portal"},
                              {"post_logout_redirect_uri", "https://identity.example/bye"},
                              {"state", "s 1"}},
                             context_);
    EXPECT_EQ(reply.status, 302) << reply.body;
    EXPECT_EQ(reply.location, "https://identity.example/bye?state=s%201");
    EXPECT_FALSE(is_logged_in());
    // Again, and after the id token has expired: the same, since nothing more is to end.
    clock_.advance_ms(3'000'000);
    EXPECT_EQ(issuer_->end_session({{"id_token_hint", hint()}}, context_).status, 200);
}

TEST_F(EndSessionTest, GoesToRegisteredTargetsOnly) {
    const auto to = [&](const std::string& target, const std::string& client) {
        FormPairs form{{"post_logout_redirect_uri", target}};
        if (!client.empty()) form.emplace_back("client_id", client);
        return issuer_->end_session(form, context_).status;
    };
    EXPECT_EQ(to(kAfterLogout, "app"), 302);
    EXPECT_EQ(to(kAfterLogout, ""), 400) << "of no client";
    EXPECT_EQ(to(kAfterLogout, "playhead-portal"), 400) << "of another client";
    EXPECT_EQ(to("https://app.example/in", "app"), 400) << "registered for logging in only";
    EXPECT_EQ(to("https://identity.example/bye", "app"), 400) << "the portal's server";
    for (const auto* target :
         {"https://evil.example/", "https://app.example/out/", "https://app.example/out?x=1", "out",
          "javascript:alert(1)", "//evil.example/", "https://app.example/out#x"}) {
        EXPECT_EQ(to(target, "app"), 400) << target;
    }
    for (const auto* target : {"https://identity.example.evil/", "https://identity.example@evil/",
                               "https://evil/https://identity.example/"}) {
        EXPECT_EQ(to(target, "playhead-portal"), 400) << target;
    }
}

TEST_F(EndSessionTest, TakesIdTokensOfThisIssuerForTheirClientOnly) {
    const auto status = [&](const FormPairs& form) {
        return issuer_->end_session(form, context_).status;
    };
    for (const auto& token :
         {tokens_["access_token"].get<std::string>(), tokens_["refresh_token"].get<std::string>(),
          std::string("x"), hint() + "x"}) {
        EXPECT_EQ(status({{"id_token_hint", token}}), 400);
    }
    EXPECT_EQ(status({{"id_token_hint", hint()}, {"client_id", "app"}}), 400);
    EXPECT_EQ(status({{"id_token_hint", hint()}, {"client_id", "nobody"}}), 401);
    EXPECT_EQ(status({{"id_token_hint", hint()}, {"id_token_hint", hint()}}), 400);
    EXPECT_TRUE(is_logged_in()) << "none of these ended the login";
    // A target that is not allowed does not keep anybody logged in.
    EXPECT_EQ(status({{"id_token_hint", hint()}, {"post_logout_redirect_uri", "https://evil/"}}),
              400);
    EXPECT_FALSE(is_logged_in());
    EXPECT_EQ(status({}), 200);
}

}  // namespace
}  // namespace playhead::auth
