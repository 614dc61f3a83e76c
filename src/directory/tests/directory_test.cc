#include "directory/directory.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "directory/tenant_snapshot.h"

namespace playhead::directory {
namespace {

constexpr std::int64_t kStartMs = 1'700'000'000'000;

class DirectoryTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "ph_dir_XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        directory_ = reopen();
    }
    void TearDown() override {
        directory_.reset();
        std::filesystem::remove_all(folder_);
    }
    std::filesystem::path file() const { return folder_ / "directory.sqlite"; }
    std::unique_ptr<Directory> reopen() {
        auto opened = Directory::open(file(), clock_);
        EXPECT_TRUE(opened) << opened.error().message;
        return std::move(*opened);
    }
    static Tenant tenant(std::int64_t id) {
        Tenant made;
        made.customer_id = id;
        made.name = "Tenant " + std::to_string(id);
        made.plan_level = 6831;
        return made;
    }
    static User user(const std::string& email, std::int64_t customer) {
        User made;
        made.email = email;
        made.password_hash = "$hash";
        made.customer_id = customer;
        return made;
    }
    User added_user() {
        EXPECT_TRUE(directory_->add_tenant(tenant(7)));
        auto added = directory_->add_user(user("ann@example.com", 7));
        EXPECT_TRUE(added);
        return *added;
    }
    RefreshToken refresh(const std::string& hash, std::int64_t user_id) const {
        RefreshToken token;
        token.token_hash = hash;
        token.family = "family";
        token.user_id = user_id;
        token.expires_ms = clock_.now_ms() + 1000;
        return token;
    }

    ManualClock clock_{kStartMs};
    std::filesystem::path folder_;
    std::unique_ptr<Directory> directory_;
};

TEST_F(DirectoryTest, KeepsATenantAcrossReopening) {
    Tenant made = tenant(199493832);
    made.allowed_origins = {"https://a.example", "https://b.example"};
    made.ingest_keys = {"k1"};
    made.rate_limit_per_address_per_s = 50;
    ASSERT_TRUE(directory_->add_tenant(made));
    directory_.reset();
    directory_ = reopen();
    const auto found = directory_->tenant(199493832);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, made.name);
    EXPECT_EQ(found->plan_level, 6831);
    EXPECT_EQ(found->allowed_origins, made.allowed_origins);
    EXPECT_EQ(found->ingest_keys, made.ingest_keys);
    EXPECT_EQ(found->rate_limit_per_address_per_s, 50);
    EXPECT_EQ(found->created_ms, kStartMs);
    EXPECT_FALSE(found->parent_customer_id);
}

TEST_F(DirectoryTest, CreatesItsFileReadableByItsOwnerOnly) {
    struct stat status{};
    ASSERT_EQ(stat(file().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(DirectoryTest, AnswersConflictWhenATenantOrUserIsAddedTwice) {
    added_user();
    const auto again = directory_->add_tenant(tenant(7));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::Conflict);
    EXPECT_EQ(again.error().message, "Tenant 7 exists already.");
    const auto twin = directory_->add_user(user("ANN@Example.com", 7));
    ASSERT_FALSE(twin);
    EXPECT_EQ(twin.error().code, ErrorCode::Conflict);
    EXPECT_EQ(twin.error().message, "User ann@example.com exists already.");
}

TEST_F(DirectoryTest, RefusesTenantsOfTheWrongShape) {
    const auto refused = [&](const Tenant& made) {
        const auto added = directory_->add_tenant(made);
        return !added && added.error().code == ErrorCode::InvalidArgument;
    };
    EXPECT_TRUE(refused(tenant(0)));
    EXPECT_TRUE(refused(tenant(-5)));
    Tenant made = tenant(1);
    made.name = std::string(100'000, 'n');
    EXPECT_TRUE(refused(made));
    made = tenant(1);
    made.allowed_origins = {"https://a\nhttps://b"};
    EXPECT_TRUE(refused(made));
    made = tenant(1);
    made.stats_interval_s = 0;
    EXPECT_TRUE(refused(made));
    made = tenant(1);
    made.parent_customer_id = 1;
    EXPECT_TRUE(refused(made));
    made.parent_customer_id = 2;
    const auto orphan = directory_->add_tenant(made);
    ASSERT_FALSE(orphan);
    EXPECT_EQ(orphan.error().code, ErrorCode::NotFound);
}

TEST_F(DirectoryTest, KnowsTheShapeOfAnEmail) {
    EXPECT_TRUE(is_email("a@b.c"));
    EXPECT_TRUE(is_email("first.last+tag@mail.example.com"));
    for (const char* bad : {"", "@", "a@", "@b.c", "a@b", "a@@b.c", "a@b@c.d", "a b@c.d", "a@.c",
                            "a@c.", "a\n@b.c"}) {
        EXPECT_FALSE(is_email(bad)) << bad;
    }
    EXPECT_FALSE(is_email(std::string(100'000, 'a') + "@b.c"));
}

TEST_F(DirectoryTest, StoresUsersWithFurtherCustomersAndRefusesUnknownOnes) {
    ASSERT_TRUE(directory_->add_tenant(tenant(7)));
    ASSERT_TRUE(directory_->add_tenant(tenant(8)));
    User made = user("Bob@Example.com", 7);
    made.role = Role::Editor;
    made.further_customers = {8};
    const auto added = directory_->add_user(made);
    ASSERT_TRUE(added) << added.error().message;
    EXPECT_EQ(added->email, "bob@example.com");
    EXPECT_EQ(added->role, Role::Editor);
    EXPECT_EQ(added->further_customers, std::vector<std::int64_t>{8});
    EXPECT_EQ(added->subject.size(), 36U);
    EXPECT_EQ(added->subject[14], '4');
    made.email = "c@example.com";
    made.further_customers = {9};
    const auto unknown = directory_->add_user(made);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::NotFound);
    EXPECT_FALSE(directory_->user_by_email("c@example.com")) << "the insert was rolled back";
    EXPECT_TRUE(directory_->user_by_email("BOB@example.com"));
}

TEST_F(DirectoryTest, GivesAnAdminTheTenantsOfItsGroupAndAViewerOnlyItsOwn) {
    ASSERT_TRUE(directory_->add_tenant(tenant(7)));
    for (const std::int64_t child : {3, 9}) {
        Tenant made = tenant(child);
        made.parent_customer_id = 7;
        made.enabled = child != 9;
        ASSERT_TRUE(directory_->add_tenant(made));
    }
    ASSERT_TRUE(directory_->add_tenant(tenant(20)));
    User made = user("root@example.com", 7);
    made.role = Role::Admin;
    made.further_customers = {20};
    auto added = directory_->add_user(made);
    ASSERT_TRUE(added);
    const auto ids = [&](const User& who) {
        std::vector<std::int64_t> found;
        const auto readable = directory_->readable_tenants(who);
        EXPECT_TRUE(readable);
        for (const auto& one : *readable) found.push_back(one.customer_id);
        return found;
    };
    EXPECT_EQ(ids(*added), (std::vector<std::int64_t>{7, 3, 20}));
    added->role = Role::Viewer;
    added->further_customers = {};
    ASSERT_TRUE(directory_->update_user(*added));
    EXPECT_EQ(ids(*added), (std::vector<std::int64_t>{7}));
}

TEST_F(DirectoryTest, RefusesAFileOfANewerSchema) {
    directory_.reset();
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &raw), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(raw, "PRAGMA user_version=99", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(raw);
    const auto opened = Directory::open(file(), clock_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::Unprocessable);
    EXPECT_NE(opened.error().message.find("version 99"), std::string::npos);
}

TEST_F(DirectoryTest, SaysSoWhenTheFileCannotBeOpenedOrIsNoDatabase) {
    const auto missing = Directory::open(folder_ / "none" / "x.sqlite", clock_);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::Unavailable);
    const auto path = folder_ / "garbage.sqlite";
    FILE* out = fopen(path.c_str(), "w");
    ASSERT_NE(out, nullptr);
    fputs(std::string(5000, 'x').c_str(), out);
    fclose(out);
    EXPECT_FALSE(Directory::open(path, clock_));
}

TEST_F(DirectoryTest, TradesARefreshTokenOnceAndRevokesTheFamilyOnReuse) {
    const auto who = added_user();
    ASSERT_TRUE(directory_->add_refresh_token(refresh("one", who.id)));
    EXPECT_EQ(*directory_->rotate_refresh_token("one", refresh("two", who.id)),
              RotateOutcome::Rotated);
    EXPECT_EQ(*directory_->rotate_refresh_token("nil", refresh("x", who.id)),
              RotateOutcome::Unknown);
    EXPECT_EQ(*directory_->rotate_refresh_token("one", refresh("three", who.id)),
              RotateOutcome::Reused);
    EXPECT_EQ(*directory_->rotate_refresh_token("two", refresh("four", who.id)),
              RotateOutcome::Revoked);
    EXPECT_FALSE(directory_->refresh_token("three"));
}

TEST_F(DirectoryTest, ForgetsExpiredRefreshTokensAndRevokesAllOnANewPassword) {
    const auto who = added_user();
    ASSERT_TRUE(directory_->add_refresh_token(refresh("old", who.id)));
    clock_.advance_ms(1000);
    EXPECT_EQ(*directory_->rotate_refresh_token("old", refresh("x", who.id)),
              RotateOutcome::Expired);
    clock_.advance_ms(1);
    ASSERT_TRUE(directory_->add_refresh_token(refresh("new", who.id)));
    EXPECT_FALSE(directory_->refresh_token("old"));
    ASSERT_TRUE(directory_->set_password_hash(who.id, "$other"));
    EXPECT_EQ(*directory_->rotate_refresh_token("new", refresh("y", who.id)),
              RotateOutcome::Revoked);
}

TEST_F(DirectoryTest, HasOneActiveSigningKeyAndDropsExpiredOnes) {
    ASSERT_TRUE(directory_->activate_signing_key({"a", "pem-a", 0, {}, true}, 0, true));
    const auto second = directory_->activate_signing_key({"b", "pem-b", 0, {}, true}, 0, true);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::Conflict);
    ASSERT_TRUE(
        directory_->activate_signing_key({"b", "pem-b", 0, {}, true}, kStartMs + 10, false));
    auto keys = directory_->signing_keys();
    ASSERT_TRUE(keys);
    ASSERT_EQ(keys->size(), 2U);
    EXPECT_EQ(keys->at(0).kid, "b");
    EXPECT_TRUE(keys->at(0).active);
    EXPECT_EQ(keys->at(1).not_after_ms, kStartMs + 10);
    clock_.advance_ms(11);
    keys = directory_->signing_keys();
    ASSERT_TRUE(keys);
    EXPECT_EQ(keys->size(), 1U);
}

TEST_F(DirectoryTest, KeepsAuditEntriesNewestFirstAndCutsLongTexts) {
    for (int i = 0; i < 3; ++i) {
        AuditEntry entry;
        entry.actor = std::string(100'000, 'x');
        entry.action = "login";
        entry.customer_id = i == 2 ? 8 : 7;
        ASSERT_TRUE(directory_->audit(entry));
    }
    const auto all = directory_->audit_log(std::nullopt, 0, 10);
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 3U);
    EXPECT_EQ(all->front().customer_id, 8);
    EXPECT_EQ(all->front().actor.size(), 512U);
    EXPECT_EQ(directory_->audit_log(7, 0, 1)->size(), 1U);
    EXPECT_EQ(directory_->audit_log(7, all->at(1).id, 10)->size(), 1U);
}

TEST_F(DirectoryTest, KeepsSettingsAndDocuments) {
    EXPECT_EQ(*directory_->setting("salt"), std::nullopt);
    ASSERT_TRUE(directory_->set_setting("salt", "1"));
    ASSERT_TRUE(directory_->set_setting("salt", "2"));
    EXPECT_EQ(*directory_->setting("salt"), "2");
    ASSERT_TRUE(directory_->add_tenant(tenant(7)));
    ASSERT_TRUE(directory_->put_document({"alert-rule", "r1", 7, "{}", 0}));
    ASSERT_TRUE(directory_->put_document({"alert-rule", "r1", 7, "{\"a\":1}", 0}));
    const auto found = directory_->documents("alert-rule", 7);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(found->front().body, "{\"a\":1}");
    EXPECT_TRUE(directory_->documents("alert-rule", 8)->empty());
    EXPECT_FALSE(directory_->put_document({"alert-rule", "r1", 99, "{}", 0}));
    EXPECT_TRUE(directory_->remove_document("alert-rule", 7, "r1"));
    EXPECT_FALSE(directory_->remove_document("alert-rule", 7, "r1"));
}

TEST_F(DirectoryTest, ShowsAWatchWhatAnotherHandleHasWritten) {
    auto watch = TenantWatch::start(*directory_);
    ASSERT_TRUE(watch);
    EXPECT_FALSE(*(*watch)->poll());
    auto cli = reopen();
    ASSERT_TRUE(cli->add_tenant(tenant(5)));
    EXPECT_EQ((*watch)->current()->find(5), nullptr);
    const auto before = (*watch)->current();
    EXPECT_TRUE(*(*watch)->poll());
    ASSERT_NE((*watch)->current()->find(5), nullptr);
    EXPECT_EQ((*watch)->current()->find(5)->name, "Tenant 5");
    EXPECT_EQ(before->size(), 0U) << "a held snapshot never changes";
    EXPECT_FALSE(*(*watch)->poll());
    Tenant changed = tenant(5);
    changed.enabled = false;
    ASSERT_TRUE(directory_->update_tenant(changed));
    EXPECT_TRUE(*(*watch)->poll());
    EXPECT_FALSE((*watch)->current()->find(5)->enabled);
}

TEST_F(DirectoryTest, LetsTwoHandlesAndSeveralThreadsWriteAtOnce) {
    auto cli = reopen();
    constexpr int kPerThread = 20;
    std::vector<std::thread> threads;
    std::atomic<int> added = 0;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            Directory& handle = t % 2 == 0 ? *directory_ : *cli;
            for (int i = 1; i <= kPerThread; ++i) {
                if (handle.add_tenant(tenant(t * 1000 + i))) ++added;
                if (handle.add_tenant(tenant(500'000 + i))) ++added;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(added, 4 * kPerThread + kPerThread) << "each shared id is added exactly once";
    EXPECT_EQ(directory_->tenants()->size(), 5U * kPerThread);
}

TEST_F(DirectoryTest, CanBeCreatedByTwoProcessesAtOnce) {
    const auto path = folder_ / "race.sqlite";
    std::vector<std::thread> threads;
    std::atomic<int> opened = 0;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            const auto handle = Directory::open(path, clock_);
            EXPECT_TRUE(handle) << handle.error().message;
            if (handle) ++opened;
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(opened, 4);
}

TEST(Records, NamesRolesAndScopesBothWays) {
    for (const Role role : {Role::Viewer, Role::Editor, Role::Admin}) {
        EXPECT_EQ(parse_role(role_name(role)), role);
    }
    for (const KeyScope scope : {KeyScope::Read, KeyScope::Ingest, KeyScope::Admin}) {
        EXPECT_EQ(parse_scope(scope_name(scope)), scope);
    }
    EXPECT_FALSE(parse_scope("root"));
    EXPECT_FALSE(parse_role(""));
}

TEST_F(DirectoryTest, DisablingAUserEndsItsLoginsForGood) {
    auto ann = added_user();
    ASSERT_TRUE(directory_->add_refresh_token(refresh("h1", ann.id)));
    ann.enabled = false;
    ASSERT_TRUE(directory_->update_user(ann));
    ann.enabled = true;
    ASSERT_TRUE(directory_->update_user(ann));
    EXPECT_TRUE(directory_->refresh_token("h1")->revoked_ms);
}

TEST_F(DirectoryTest, FindsAUserBySubjectAndRenamesAKey) {
    const auto ann = added_user();
    EXPECT_EQ(directory_->user_by_subject(ann.subject)->email, ann.email);
    EXPECT_EQ(directory_->user_by_subject("' OR 1=1 --").error().code, ErrorCode::NotFound);
    ApiKey key;
    key.id = "ph_1";
    key.key_hash = "hash";
    key.customer_id = 7;
    ASSERT_TRUE(directory_->add_api_key(key));
    ASSERT_TRUE(directory_->rename_api_key("ph_1", "new"));
    EXPECT_EQ(directory_->api_key("ph_1")->name, "new");
    EXPECT_FALSE(directory_->rename_api_key("ph_1", std::string(201, 'x')));
    EXPECT_EQ(directory_->rename_api_key("ph_2", "x").error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace playhead::directory
