/// A directory with two tenants and one user, and everything of `auth` on top of it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "auth/api_key.h"
#include "auth/discovery.h"
#include "auth/token_issuer.h"
#include "auth/token_verifier.h"

namespace playhead::auth {

inline constexpr std::int64_t kStartMs = 1'700'000'000'000;
inline constexpr std::int64_t kStartS = kStartMs / 1000;
inline const std::string kIssuer = "https://identity.example/realms/mediamelon";
inline const std::string kPassword = "correct horse";

/// The cheapest argon2id, so that tests do not spend their time in it.
inline PasswordOptions cheap_passwords() {
    PasswordOptions options;
    options.passes = 1;
    options.memory_bytes = std::size_t{8} * 1024;
    return options;
}

class AuthTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "ph_auth_XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        auto opened = directory::Directory::open(folder_ / "directory.sqlite", clock_);
        ASSERT_TRUE(opened);
        directory_ = std::move(*opened);
        add_tenant(199493832, 6831, "A&E");
        add_tenant(42, 1, "Child (of 7)", 199493832);
        user_ = add_user("ann@example.com", directory::Role::Viewer);
        // One key for all tests: making one takes a noticeable part of a second.
        static const std::string pem = *RsaKey::generate_pem();
        directory::SigningKeyRow row;
        row.kid = RsaKey::from_private_pem(pem)->thumbprint();
        row.private_pem = pem;
        ASSERT_TRUE(directory_->activate_signing_key(row, 0, true));
        auto ring = KeyRing::open(*directory_, clock_);
        ASSERT_TRUE(ring);
        keys_ = std::move(*ring);
        api_keys_ = std::make_unique<ApiKeyVerifier>(*directory_, clock_);
        issuer_ = std::make_unique<TokenIssuer>(*directory_, *keys_, passwords_, throttle_,
                                                *api_keys_, entropy_, clock_);
        verifier_ = std::make_unique<TokenVerifier>(*keys_, clock_);
    }
    void TearDown() override {
        directory_.reset();
        std::filesystem::remove_all(folder_);
    }

    void add_tenant(std::int64_t id, std::int64_t plan, const std::string& name,
                    std::optional<std::int64_t> parent = std::nullopt) {
        directory::Tenant tenant;
        tenant.customer_id = id;
        tenant.plan_level = plan;
        tenant.name = name;
        tenant.parent_customer_id = parent;
        ASSERT_TRUE(directory_->add_tenant(tenant));
    }
    directory::User add_user(const std::string& email, directory::Role role) {
        directory::User user;
        user.email = email;
        user.password_hash = *passwords_.hash(kPassword);
        user.customer_id = 199493832;
        user.role = role;
        user.given_name = "Ann";
        user.family_name = "Lee \"Q\"";
        auto added = directory_->add_user(user);
        EXPECT_TRUE(added);
        return *added;
    }
    static FormPairs password_form(const std::string& user, const std::string& password) {
        return {{"username", user},
                {"password", password},
                {"grant_type", "password"},
                {"client_id", "smartsight-backend"},
                {"scope", "openid"}};
    }
    static FormPairs refresh_form(const std::string& token) {
        return {{"grant_type", "refresh_token"},
                {"client_id", "smartsight-backend"},
                {"refresh_token", token}};
    }
    static nlohmann::json json_of(const TokenReply& reply) {
        return nlohmann::json::parse(reply.body);
    }
    nlohmann::json logged_in(const std::string& email = "ann@example.com") {
        const auto reply = issuer_->token(password_form(email, kPassword), context_);
        EXPECT_EQ(reply.status, 200) << reply.body;
        return json_of(reply);
    }
    static nlohmann::json claims_of(const std::string& token) {
        const auto jws = parse_rs256(token);
        EXPECT_TRUE(jws);
        return nlohmann::json::parse(jws->payload);
    }
    /// Claims that verify, to be spoilt one at a time.
    static nlohmann::json good_claims() {
        return {{"iss", kIssuer},
                {"sub", "someone"},
                {"aud", "account"},
                {"typ", "Bearer"},
                {"exp", kStartS + 900},
                {"iat", kStartS},
                {"custId", "199493832"},
                {"level", "6831"},
                {"group", {"/A&E (199493832)"}},
                {"realm_access", {{"roles", {"viewer"}}}},
                {"scope", "openid email profile"}};
    }
    std::string signed_token(const nlohmann::json& claims) {
        const auto token = keys_->sign(claims.dump());
        EXPECT_TRUE(token);
        return *token;
    }
    std::string refusal(const std::string& token) {
        const auto verdict = verifier_->verify(token);
        if (verdict) return "accepted";
        EXPECT_EQ(verdict.error().code, ErrorCode::Unauthenticated);
        return verdict.error().message;
    }

    ManualClock clock_{kStartMs};
    SystemEntropy entropy_;
    std::filesystem::path folder_;
    TokenContext context_{kIssuer, "198.51.100.7"};
    PasswordHasher passwords_{cheap_passwords()};
    LoginThrottle throttle_{clock_};
    std::unique_ptr<directory::Directory> directory_;
    std::unique_ptr<KeyRing> keys_;
    std::unique_ptr<ApiKeyVerifier> api_keys_;
    std::unique_ptr<TokenIssuer> issuer_;
    std::unique_ptr<TokenVerifier> verifier_;
    directory::User user_;
};

}  // namespace playhead::auth
