#include "app/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace playhead::app {
namespace {

std::string write_file(const std::string& text) {
    const auto path = std::filesystem::temp_directory_path() /
                      ("playhead-config-" + std::to_string(::getpid()) + ".yaml");
    std::ofstream(path) << text;
    return path.string();
}

TEST(Config, LaterSourcesWinAndAreNamed) {
    Config config;
    const std::string path = write_file(
        "listen: 0.0.0.0:1\ningest:\n  cut_interval_ms: 250\n"
        "geo_db: [a.mmdb, b.mmdb]\n");
    ASSERT_TRUE(config.load_yaml(path));
    EXPECT_EQ(config.text("listen"), "0.0.0.0:1");
    EXPECT_EQ(config.integer("ingest.cut_interval_ms"), 250);
    EXPECT_EQ(config.list("geo_db"), (std::vector<std::string>{"a.mmdb", "b.mmdb"}));
    ::setenv("PLAYHEAD_LISTEN", "127.0.0.1:2", 1);
    ASSERT_TRUE(config.load_environment());
    ::unsetenv("PLAYHEAD_LISTEN");
    EXPECT_EQ(config.text("listen"), "127.0.0.1:2");
    ASSERT_TRUE(config.set("listen", "127.0.0.1:3", "flag --listen"));
    EXPECT_NE(config.print().find("listen: \"127.0.0.1:3\"  # flag --listen"), std::string::npos);
    EXPECT_NE(config.print().find(path + ":3"), std::string::npos);
    std::filesystem::remove(path);
}

TEST(Config, NamesTheNearestKeyAndTheExpectedValue) {
    Config config;
    const auto unknown = config.set("lisen", "x", "flag");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().expected, "listen");
    const auto wrong = config.set("ingest.workers", "many", "flag");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().parameter, "ingest.workers");
    EXPECT_EQ(wrong.error().value, "many");
    EXPECT_FALSE(config.set("ingest.durability", "maybe", "flag"));
}

TEST(Config, EveryFlagAndVariableIsUnique) {
    std::vector<std::string> names;
    for (const Setting& setting : settings()) {
        names.push_back(flag_of(setting));
        names.push_back(variable_of(setting));
    }
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

}  // namespace
}  // namespace playhead::app
