#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "enrich/device_category.h"
#include "enrich/enricher.h"
#include "enrich/lru_cache.h"

namespace playhead::enrich {
namespace {

constexpr auto kRules = R"(
user_agent_parsers:
  - regex: '(Namoroka|Minefield)/(\d+)\.(\d+)\.(\d+(?:pre|))'
    family_replacement: 'Firefox ($1)'
  - regex: '(Chrome|Firefox)/(\d+)\.(\d+)(?:\.(\d+)|)'
  - regex: 'Fixed'
    family_replacement: 'Always'
    v1_replacement: '7'
os_parsers:
  - regex: 'Win(95|98|NT)'
    os_replacement: 'Windows $1'
  - regex: '(Android)[ /](\d+)(?:\.(\d+)|)'
device_parsers:
  - regex: '; *(PEDI)_(PLUS)_(W) Build'
    device_replacement: 'Odys $1 $2 $3'
    brand_replacement: 'Odys'
    model_replacement: '$1 $2 $3'
  - regex: '(thing)'
    regex_flag: 'i'
)";

class UserAgentRulesTest : public testing::Test {
protected:
    const std::unique_ptr<UserAgentRules> rules_ = UserAgentRules::parse(kRules, 2).value();
};

TEST_F(UserAgentRulesTest, FillReplacementsAndGroups) {
    const auto minefield = rules_->browser("Gecko/20100727 Minefield/4.0.1pre Firefox/3.5");
    EXPECT_EQ(minefield.family, "Firefox (Minefield)");
    EXPECT_EQ(minefield.dotted_version(), "4.0.1pre");
    const auto chrome = rules_->browser("Chrome/120.0");
    EXPECT_EQ(chrome.family, "Chrome");
    EXPECT_EQ(chrome.dotted_version(), "120.0");
    EXPECT_EQ(rules_->browser("Fixed").dotted_version(), "7");
    EXPECT_EQ(rules_->os("Mozilla/5.0 (Windows; U; Win95)").family, "Windows 95");
    const auto device = rules_->device("Android 4.2; de-de; PEDI_PLUS_W Build/JDQ39)");
    EXPECT_EQ(device.family, "Odys PEDI PLUS W");
    EXPECT_EQ(device.brand, "Odys");
    EXPECT_EQ(device.model, "PEDI PLUS W");
    EXPECT_EQ(rules_->device("some THING").model, "THING");
}

TEST_F(UserAgentRulesTest, AreCaseSensitiveAndMayNotMatch) {
    EXPECT_EQ(rules_->browser("chrome/120.0").family, "");
    EXPECT_EQ(rules_->browser("").family, "");
    EXPECT_EQ(rules_->browser(std::string(100'000, 'x')).family, "");
}

TEST(UserAgentRules, RefuseWhatIsNoRuleFile) {
    EXPECT_FALSE(UserAgentRules::parse("user_agent_parsers: [", 1));
    EXPECT_FALSE(UserAgentRules::parse("user_agent_parsers:\n  - family: x\n", 1));
    const auto wrong = UserAgentRules::parse("os_parsers:\n  - regex: '(x'\n", 2);
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().value, "(x");
    EXPECT_FALSE(UserAgentRules::load("/nowhere/regexes.yaml", 1));
}

/// The folder with uap-core's regexes.yaml and tests/, as Debian's package has it.
std::filesystem::path uap_core() {
    const char* const folder = std::getenv("PLAYHEAD_UAP_CORE");
    return folder == nullptr ? std::filesystem::path("/usr/share/uap-core") : folder;
}

struct Agreement {
    std::size_t cases = 0;
    std::size_t agreed = 0;
    double percent() const {
        return 100.0 * static_cast<double>(agreed) / static_cast<double>(cases);
    }
};

std::string expected(const YAML::Node& node, const char* key) {
    return node[key] && !node[key].IsNull() ? node[key].as<std::string>() : std::string();
}

class UapCoreTest : public testing::Test {
protected:
    void SetUp() override {
        if (!std::filesystem::exists(uap_core() / "tests" / "test_ua.yaml")) {
            GTEST_SKIP() << "uap-core's test cases are not there (set PLAYHEAD_UAP_CORE to the "
                            "folder with regexes.yaml and tests/)";
        }
        auto rules = UserAgentRules::load((uap_core() / "regexes.yaml").string(), 2);
        ASSERT_TRUE(rules) << rules.error().message;
        rules_ = std::move(*rules);
    }

    /// Compares each case; prints the first few that differ.
    template <class Fields>
    Agreement compare(const std::filesystem::path& file, const std::vector<const char*>& keys,
                      Fields fields) {
        Agreement agreement;
        for (const auto& test : YAML::LoadFile((uap_core() / file).string())["test_cases"]) {
            const auto text = test["user_agent_string"].as<std::string>();
            std::vector<std::string> wanted;
            for (const char* key : keys) wanted.push_back(expected(test, key));
            auto given = fields(text);
            if (given[0].empty()) given[0] = "Other";
            ++agreement.cases;
            if (given == wanted) {
                ++agreement.agreed;
            } else if (agreement.cases - agreement.agreed <= 10) {
                std::cout << text << "\n  " << testing::PrintToString(given) << "\n  expected "
                          << testing::PrintToString(wanted) << "\n";
            }
        }
        std::cout << file.filename().string() << ": " << agreement.agreed << " of "
                  << agreement.cases << " agree, " << agreement.percent() << " %\n";
        return agreement;
    }

    std::unique_ptr<UserAgentRules> rules_;
};

TEST_F(UapCoreTest, AgreesOnEveryBrowser) {
    const auto fields = [&](const std::string& text) {
        const auto f = rules_->browser(text);
        return std::vector<std::string>{f.family, f.version[0], f.version[1], f.version[2]};
    };
    const std::vector<const char*> keys{"family", "major", "minor", "patch"};
    EXPECT_EQ(compare("tests/test_ua.yaml", keys, fields).percent(), 100);
    for (const auto* file :
         {"firefox_user_agent_strings.yaml", "pgts_browser_list.yaml",
          "opera_mini_user_agent_strings.yaml", "podcasting_user_agent_strings.yaml"}) {
        const auto path = std::filesystem::path("test_resources") / file;
        if (!std::filesystem::exists(uap_core() / path)) continue;
        EXPECT_EQ(compare(path, keys, fields).percent(), 100);
    }
}

TEST_F(UapCoreTest, AgreesOnEveryOperatingSystem) {
    const auto fields = [&](const std::string& text) {
        const auto f = rules_->os(text);
        return std::vector<std::string>{f.family, f.version[0], f.version[1], f.version[2],
                                        f.version[3]};
    };
    const std::vector<const char*> keys{"family", "major", "minor", "patch", "patch_minor"};
    EXPECT_EQ(compare("tests/test_os.yaml", keys, fields).percent(), 100);
    const std::filesystem::path more = "test_resources/additional_os_tests.yaml";
    if (std::filesystem::exists(uap_core() / more)) {
        EXPECT_EQ(compare(more, keys, fields).percent(), 100);
    }
}

TEST_F(UapCoreTest, AgreesOnDevices) {
    const auto fields = [&](const std::string& text) {
        const auto d = rules_->device(text);
        return std::vector<std::string>{d.family, d.brand, d.model};
    };
    EXPECT_GE(compare("tests/test_device.yaml", {"family", "brand", "model"}, fields).percent(),
              99.9);
}

TEST(DeviceCategory, TellsScreensApart) {
    const auto category = [](std::string_view text, const char* os = "", const char* model = "") {
        return device_category(text, {os, {}}, {"", "", model});
    };
    EXPECT_EQ(category("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120"),
              "Personal computer");
    EXPECT_EQ(category("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari"),
              "Personal computer");
    EXPECT_EQ(category("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome"), "Personal computer");
    EXPECT_EQ(category("Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) Mobile/15E148"),
              "Smartphone");
    EXPECT_EQ(category("Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) Mobile"), "Tablet");
    EXPECT_EQ(category("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit Mobile Safari"),
              "Smartphone");
    EXPECT_EQ(category("Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537 Safari/537"),
              "Tablet");
    EXPECT_EQ(
        category("Dalvik/2.1.0 (Linux; U; Android 11; SM-G991B Build/RP1A)", "Android", "SM-G991B"),
        "Smartphone");
    EXPECT_EQ(
        category("Dalvik/2.1.0 (Linux; U; Android 11; SM-T510 Build/RP1A)", "Android", "SM-T510"),
        "Tablet");
    EXPECT_EQ(category("Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit Chrome/79"), "Smart TV");
    EXPECT_EQ(category("Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) SamsungBrowser", "Tizen"),
              "Smart TV");
    EXPECT_EQ(category("HbbTV/1.6.1 (+DRM; Panasonic;)"), "Smart TV");
    EXPECT_EQ(category("Roku/DVP-12.5 (12.5.0.4178-C2)"), "STB");
    EXPECT_EQ(category("AppleCoreMedia/1.0.0.21K69 (Apple TV; U; CPU OS 17_1)"), "STB");
    EXPECT_EQ(category("Dalvik/2.1.0 (Linux; U; Android 9; AFTMM Build/PS7624)"), "STB");
    EXPECT_EQ(category("Mozilla/5.0 (X11; Linux aarch64) Chrome/90 CrKey/1.56"), "STB");
    EXPECT_EQ(category("Mozilla/5.0 (PlayStation; PlayStation 5/2.26)"), "Game console");
    EXPECT_EQ(category("Mozilla/5.0 (Windows NT 10.0; Xbox; Xbox One) Edge/44"), "Game console");
    EXPECT_EQ(category("curl/8.0"), "unknown");
}

TEST(UserAgentParser, FillsWhatItCanWithoutRules) {
    const UserAgentParser parser("");
    EXPECT_EQ(parser.wait_until_loaded().error().code, ErrorCode::NotFound);
    const auto agent = parser.find("Mozilla/5.0 (iPhone; CPU iPhone OS 17_4)\x01");
    EXPECT_EQ(agent->device, "Smartphone");
    EXPECT_EQ(agent->text, "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4) ");
    EXPECT_EQ(agent->browser, "");
    EXPECT_EQ(parser.find(std::string(10'000, 'x'))->text.size(), UserAgent::kStoredBytesMax);
    EXPECT_EQ(parser.find("")->device, "");
}

TEST(LruCache, DropsWhatWasUsedLongestAgo) {
    LruCache<int> cache(160, 1);
    for (int i = 0; i < 10'000; ++i) {
        cache.insert(std::to_string(i), std::make_shared<const int>(i));
        ASSERT_TRUE(cache.find("0")) << i;
    }
    EXPECT_LE(cache.size(), 176U);
    EXPECT_GE(cache.size(), 100U);
    EXPECT_EQ(*cache.find("9999"), 9999);
    EXPECT_FALSE(cache.find("5000"));
}

TEST(Enricher, FillsTheClientContext) {
    const std::string city = PLAYHEAD_SHARED_DATA "/maxmind/GeoIP2-City-Test.mmdb";
    if (!std::filesystem::exists(city))
        GTEST_SKIP() << "the shared test data is not there: " << city;
    EnricherOptions options;
    options.geo_databases = {city};
    options.trusted_proxies = {"127.0.0.1"};
    const auto enricher = Enricher::create(options);
    ASSERT_TRUE(enricher) << enricher.error().message;
    const auto context = (*enricher)->describe("127.0.0.1", "89.160.20.112", "Roku/DVP-12.5",
                                               AddressPolicy::Slash24);
    EXPECT_EQ(context.ip_address, "89.160.20.0");
    EXPECT_EQ(context.country, "SE");
    EXPECT_TRUE(context.has_location);
    EXPECT_EQ(context.device, "STB");
    EXPECT_EQ(context.user_agent, "Roku/DVP-12.5");
    EXPECT_EQ((*enricher)->describe("?", "", "", AddressPolicy::Keep).country, "");
}

}  // namespace
}  // namespace playhead::enrich
