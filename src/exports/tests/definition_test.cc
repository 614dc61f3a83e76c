#include "exports/definition.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace playhead::exports {
namespace {

class DefinitionTest : public testing::Test {
protected:
    DefinitionTest() {
        std::filesystem::create_directories(root_ + "/inside");
        std::error_code ignored;
        std::filesystem::create_directory_symlink("/etc", root_ + "/link", ignored);
    }
    ~DefinitionTest() override { std::filesystem::remove_all(root_); }

    Result<Definition> to(const std::string& target, const std::string& more = "") const {
        return parse_definition(R"({"table": "sessions", "target": ")" + target + "\"" + more + "}",
                                policy_);
    }

    std::string root_ = testing::TempDir() + "exports_root";
    ExportPolicy policy_{{root_}, {"http://127.0.0.1:9000"}};
    std::string keys_ =
        R"(, "endpoint": "http://127.0.0.1:9000", "access_key": "A", "secret_key": "hidden")";
};

TEST_F(DefinitionTest, DirectoriesBelowTheRootOnly) {
    EXPECT_TRUE(to("file://" + root_ + "/inside"));
    EXPECT_TRUE(to("file://" + root_ + "/not/there/yet"));
    for (const std::string& outside :
         {std::string("file:///etc"), "file://" + root_ + "/../x", "file://" + root_ + "-other",
          "file://" + root_ + "/link/x", std::string("file://relative"), std::string("/etc"),
          std::string("http://127.0.0.1/")}) {
        const auto refused = to(outside);
        ASSERT_FALSE(refused) << outside;
        EXPECT_EQ(refused.error().parameter, "target");
    }
    EXPECT_FALSE(parse_definition(R"({"table": "sessions", "target": "file:///tmp"})", {}));
}

TEST_F(DefinitionTest, BucketsOfAllowedEndpointsOnly) {
    EXPECT_TRUE(to("s3://bucket/a/b=c/", keys_));
    EXPECT_EQ(to("s3://bucket").error().parameter, "endpoint");
    EXPECT_EQ(to("s3://b/a", keys_).error().parameter, "target");
    EXPECT_EQ(to("s3://bucket/../x", keys_).error().parameter, "target");
    EXPECT_EQ(to("s3://bucket/a?x", keys_).error().parameter, "target");
    EXPECT_EQ(to("s3://bucket", R"(, "endpoint": "http://169.254.169.254")").error().parameter,
              "endpoint");
}

TEST_F(DefinitionTest, TheSecretIsStoredAndNeverShown) {
    const auto definition = to("s3://bucket/p", keys_);
    ASSERT_TRUE(definition);
    EXPECT_EQ(definition_json(*definition, true).find("hidden"), std::string::npos);
    const auto again = parse_definition(definition_json(*definition, false), policy_);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->s3.secret_key, "hidden");
}

TEST_F(DefinitionTest, FieldsAreChecked) {
    const auto target = "file://" + root_;
    EXPECT_EQ(to(target, R"(, "schedule": "weekly")").error().parameter, "schedule");
    EXPECT_EQ(to(target, R"(, "lookback_days": 32)").error().parameter, "lookback_days");
    EXPECT_EQ(to(target, R"(, "lateness_minutes": -1)").error().parameter, "lateness_minutes");
    EXPECT_EQ(to(target, R"(, "enabled": "yes")").error().parameter, "enabled");
    EXPECT_EQ(to(target, R"(, "secret": 1)").error().parameter, "secret");
    EXPECT_EQ(to(target, R"(, "table": "users")").error().parameter, "table");
    EXPECT_EQ(parse_definition("[]", policy_).error().parameter, "body");
}

}  // namespace
}  // namespace playhead::exports
