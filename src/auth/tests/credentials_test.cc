#include <set>
#include <thread>

#include "auth/api_key.h"
#include "auth/login_throttle.h"
#include "auth/password.h"
#include "auth/tests/auth_fixture.h"

namespace playhead::auth {
namespace {

TEST(PasswordHasher, HashesAtTheDocumentedCostAndVerifies) {
    PasswordHasher hasher;
    const auto hash = hasher.hash(kPassword);
    ASSERT_TRUE(hash);
    EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << *hash;
    EXPECT_TRUE(*hasher.verify(kPassword, *hash));
    EXPECT_FALSE(*hasher.verify("wrong password", *hash));
}

TEST(PasswordHasher, RefusesUnknownUsersBrokenHashesAndOutsizePasswords) {
    PasswordHasher hasher(cheap_passwords());
    EXPECT_FALSE(*hasher.verify("no such user", "")) << "not even the dummy's own password";
    EXPECT_FALSE(*hasher.verify(kPassword, "$argon2id$broken"));
    EXPECT_FALSE(*hasher.verify(kPassword, std::string(100'000, '$')));
    EXPECT_FALSE(*hasher.verify(std::string(100'000, 'p'), ""));
    for (const std::string& bad : {std::string(), std::string("short"), std::string(1025, 'p')}) {
        const auto hash = hasher.hash(bad);
        ASSERT_FALSE(hash);
        EXPECT_EQ(hash.error().code, ErrorCode::InvalidArgument);
        EXPECT_EQ(hash.error().value, "") << "a password is never repeated";
    }
}

TEST(PasswordHasher, AnswersUnavailableRatherThanHashingMoreAtOnceThanAllowed) {
    PasswordOptions options = cheap_passwords();
    options.concurrent_max = 1;
    options.wait_ms = 0;
    options.memory_bytes = std::size_t{16} * 1024 * 1024;
    PasswordHasher hasher(options);
    std::atomic<int> busy = 0;
    std::atomic<int> done = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 4; ++i) {
                const auto hash = hasher.hash(kPassword);
                ++(hash ? done : busy);
                if (!hash) {
                    EXPECT_EQ(hash.error().code, ErrorCode::Unavailable);
                }
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_GE(done, 1);
    EXPECT_EQ(done + busy, 16);
    EXPECT_TRUE(hasher.hash(kPassword)) << "every slot was given back";
}

TEST(LoginThrottle, DoublesTheDelayUpToItsLimit) {
    ManualClock clock(kStartMs);
    LoginThrottle throttle(clock);
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(throttle.admit("ann", "10.0.0.1"));
    for (const std::int64_t wait_s : {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900}) {
        EXPECT_EQ(throttle.admit("ann", "10.0.0.1"), wait_s);
        clock.advance_ms(wait_s * 1000 - 1);
        EXPECT_EQ(throttle.admit("ann", "10.0.0.200"), 1) << "the same network";
        clock.advance_ms(1);
        EXPECT_FALSE(throttle.admit("ann", "10.0.0.1"));
    }
}

TEST(LoginThrottle, ForgetsAfterSuccessAndAfterAnHour) {
    ManualClock clock(kStartMs);
    LoginThrottle throttle(clock);
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(throttle.admit("ann", "10.0.0.1"));
    EXPECT_TRUE(throttle.admit("ann", "10.0.0.1"));
    EXPECT_FALSE(throttle.admit("ann", "10.0.1.1")) << "another network";
    EXPECT_FALSE(throttle.admit("bob", "10.0.0.1")) << "another account";
    throttle.succeeded("ann", "10.0.0.1");
    EXPECT_FALSE(throttle.admit("ann", "10.0.0.1"));
    for (int i = 0; i < 4; ++i) static_cast<void>(throttle.admit("ann", "10.0.0.1"));
    EXPECT_TRUE(throttle.admit("ann", "10.0.0.1"));
    clock.advance_ms(60 * 60 * 1000 + 1);
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(throttle.admit("ann", "10.0.0.1"));
}

TEST(LoginThrottle, SlowsDownOneNetworkThatTriesManyAccounts) {
    ManualClock clock(kStartMs);
    LoginThrottle throttle(clock);
    for (int i = 0; i < 50; ++i) {
        EXPECT_FALSE(throttle.admit("user" + std::to_string(i), "2001:db8::1"));
    }
    EXPECT_EQ(throttle.admit("fresh", "2001:db8::ffff:1"), 1);
    EXPECT_FALSE(throttle.admit("fresh", "2001:db8:1::1"));
}

TEST(LoginThrottle, KeepsItsMemoryBounded) {
    ManualClock clock(kStartMs);
    LoginThrottle throttle(clock);
    const std::string huge(100'000, 'u');
    EXPECT_FALSE(throttle.admit(huge, huge));
    for (std::size_t i = 0; i < kThrottleEntriesMax; ++i) {
        static_cast<void>(throttle.admit("u", std::to_string(i)));
    }
    EXPECT_EQ(throttle.size(), kThrottleEntriesMax);
}

TEST(LoginThrottle, TakesNetworksNotAddresses) {
    EXPECT_EQ(address_prefix("192.0.2.1"), address_prefix("192.0.2.255"));
    EXPECT_EQ(address_prefix("192.0.2.1"), address_prefix("::ffff:192.0.2.9"));
    EXPECT_NE(address_prefix("192.0.2.1"), address_prefix("192.0.3.1"));
    EXPECT_EQ(address_prefix("2001:db8::1"), address_prefix("2001:db8:0:0:ffff::2"));
    EXPECT_NE(address_prefix("2001:db8::1"), address_prefix("2001:db8:0:1::1"));
    EXPECT_EQ(address_prefix(std::string(100'000, 'x')).size(), 64U);
}

class ApiKeyTest : public AuthTest {};

TEST_F(ApiKeyTest, IsAcceptedWithItsScopeAndStoredAsAHashOnly) {
    const auto made =
        create_api_key(*directory_, entropy_, 199493832, directory::KeyScope::Ingest, "CI");
    ASSERT_TRUE(made);
    EXPECT_EQ(made->key.substr(0, made->id.size()), made->id);
    const auto row = directory_->api_key(made->id);
    ASSERT_TRUE(row);
    EXPECT_EQ(row->key_hash, sha256_hex(made->key));
    EXPECT_EQ(row->name, "CI");
    const auto identity = api_keys_->verify(made->key);
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->kind, IdentityKind::ApiKey);
    EXPECT_EQ(identity->plan_level, 6831);
    EXPECT_TRUE(authorize(*identity, 199493832, std::nullopt, Permission::Ingest));
    EXPECT_FALSE(authorize(*identity, 199493832, std::nullopt, Permission::Read));
    EXPECT_FALSE(authorize(*identity, 42, std::nullopt, Permission::Ingest));
    EXPECT_EQ(directory_->api_key(made->id)->last_used_ms, kStartMs);
}

TEST_F(ApiKeyTest, StopsWithinSecondsOfItsRevocation) {
    const auto made =
        create_api_key(*directory_, entropy_, 199493832, directory::KeyScope::Admin, "");
    ASSERT_TRUE(made);
    EXPECT_TRUE(api_keys_->verify(made->key));
    ASSERT_TRUE(directory_->revoke_api_key(made->id));
    EXPECT_TRUE(api_keys_->verify(made->key)) << "the cached verdict";
    clock_.advance_ms(2000);
    EXPECT_FALSE(api_keys_->verify(made->key));
}

TEST_F(ApiKeyTest, RefusesWhatIsNotExactlyAKey) {
    const auto made =
        create_api_key(*directory_, entropy_, 199493832, directory::KeyScope::Admin, "");
    ASSERT_TRUE(made);
    auto spoilt = made->key;
    spoilt.back() = spoilt.back() == 'A' ? 'B' : 'A';
    for (const std::string& bad : {std::string(), made->id, made->key + "x", spoilt,
                                   std::string(made->key.size(), '_'), std::string(100'000, 'k')}) {
        const auto verdict = api_keys_->verify(bad);
        ASSERT_FALSE(verdict);
        EXPECT_EQ(verdict.error().code, ErrorCode::Unauthenticated);
    }
    EXPECT_FALSE(create_api_key(*directory_, entropy_, 5, directory::KeyScope::Read, ""));
}

TEST_F(ApiKeyTest, IsRefusedForADisabledTenant) {
    const auto made =
        create_api_key(*directory_, entropy_, 199493832, directory::KeyScope::Read, "");
    ASSERT_TRUE(made);
    auto tenant = directory_->tenant(199493832);
    tenant->enabled = false;
    ASSERT_TRUE(directory_->update_tenant(*tenant));
    EXPECT_FALSE(api_keys_->verify(made->key));
}

TEST(Secrets, AreRandomAndOfTheRightShape) {
    SystemEntropy entropy;
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) seen.insert(random_secret(entropy));
    EXPECT_EQ(seen.size(), 100U);
    EXPECT_EQ(seen.begin()->size(), 43U);
    const auto uuid = random_uuid(entropy);
    EXPECT_EQ(uuid.size(), 36U);
    EXPECT_EQ(uuid[14], '4');
    EXPECT_EQ(sha256_hex("abc"),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_TRUE(equal_constant_time("a", "a"));
    EXPECT_FALSE(equal_constant_time("a", "ab"));
}

}  // namespace
}  // namespace playhead::auth
