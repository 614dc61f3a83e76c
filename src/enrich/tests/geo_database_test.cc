#include "enrich/geo_database.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "enrich/range_table.h"

namespace playhead::enrich {
namespace {

const std::filesystem::path kMaxMind = std::filesystem::path(PLAYHEAD_SHARED_DATA) / "maxmind";

class GeoDatabaseTest : public testing::Test {
protected:
    void SetUp() override {
        if (!std::filesystem::exists(kMaxMind)) {
            GTEST_SKIP() << "the shared test data folder is not there: " << kMaxMind;
        }
    }
    static std::unique_ptr<GeoDatabase> open(const std::vector<std::string>& names) {
        std::vector<std::string> paths;
        for (const auto& name : names) paths.push_back((kMaxMind / name).string());
        auto database = GeoDatabase::open(paths);
        EXPECT_TRUE(database) << database.error().message;
        return database ? std::move(*database) : nullptr;
    }
};

GeoAnswer find(const GeoDatabase& database, std::string_view address) {
    return database.find_uncached(*IpAddress::parse(address));
}

std::string text_at(const nlohmann::json& record, const std::string& pointer) {
    const nlohmann::json::json_pointer at(pointer);
    return record.contains(at) ? record.at(at).get<std::string>() : "";
}

/// The source of a test database: networks and their records.
class Source {
public:
    explicit Source(const std::string& name) {
        std::ifstream in(kMaxMind / (name + ".json"));
        const auto json = nlohmann::json::parse(in);
        for (const auto& object : json) {
            for (const auto& [network, record] : object.items())
                networks_.push_back({parse(network), record});
        }
    }
    const auto& networks() const { return networks_; }

    /// The record of the narrowest network around the address.
    const nlohmann::json& record_of(const IpAddress& address) const {
        const std::pair<IpNetwork, nlohmann::json>* best = nullptr;
        for (const auto& candidate : networks_) {
            if (!candidate.first.contains(address)) continue;
            if (best == nullptr || candidate.first.prefix_bits() >= best->first.prefix_bits()) {
                best = &candidate;
            }
        }
        return best->second;
    }

private:
    /// The sources write IPv4 networks as "::1.2.3.0/120".
    static IpNetwork parse(const std::string& text) {
        const bool v4 = text.starts_with("::") && text.find('.') != std::string::npos;
        if (!v4) return *IpNetwork::parse(text);
        const auto slash = text.find('/');
        const int bits = std::stoi(text.substr(slash + 1)) - 96;
        return *IpNetwork::parse(text.substr(2, slash - 2) + "/" + std::to_string(bits));
    }
    std::vector<std::pair<IpNetwork, nlohmann::json>> networks_;
};

void expect_answer(const GeoAnswer& answer, const nlohmann::json& record, std::string_view where) {
    std::string country = text_at(record, "/country/iso_code");
    if (country.empty()) country = text_at(record, "/registered_country/iso_code");
    EXPECT_EQ(answer.country, country) << where;
    std::string continent = text_at(record, "/continent/code");
    if (continent.empty()) continent = continent_of_country(country);
    EXPECT_EQ(answer.continent, continent) << where;
    EXPECT_EQ(answer.region, text_at(record, "/subdivisions/0/names/en")) << where;
    EXPECT_EQ(answer.city, text_at(record, "/city/names/en")) << where;
    EXPECT_EQ(answer.asn, record.value("autonomous_system_number", 0U)) << where;
    std::string isp = text_at(record, "/isp");
    if (isp.empty()) isp = text_at(record, "/autonomous_system_organization");
    EXPECT_EQ(answer.isp, isp) << where;
    const bool located = record.contains("location") && record["location"].contains("latitude");
    ASSERT_EQ(answer.has_location, located) << where;
    if (!located) return;
    EXPECT_NEAR(answer.latitude, record["location"]["latitude"].get<double>(), 0.0501) << where;
    EXPECT_NEAR(answer.longitude, record["location"]["longitude"].get<double>(), 0.0501) << where;
    EXPECT_NEAR(answer.latitude * 10, std::round(answer.latitude * 10), 1e-9);
}

class GeoSourceTest : public GeoDatabaseTest, public testing::WithParamInterface<const char*> {};

TEST_P(GeoSourceTest, AnswersForEveryNetworkOfTheSource) {
    const auto database = open({std::string(GetParam()) + ".mmdb"});
    ASSERT_TRUE(database);
    const Source source(GetParam());
    ASSERT_GT(source.networks().size(), 100U);
    for (const auto& [network, record] : source.networks()) {
        const auto address = network.address();
        expect_answer(database->find_uncached(address), source.record_of(address),
                      address.to_string());
    }
}

INSTANTIATE_TEST_SUITE_P(MaxMind, GeoSourceTest,
                         testing::Values("GeoIP2-City-Test", "GeoIP2-Country-Test",
                                         "GeoIP2-ISP-Test", "GeoLite2-ASN-Test"));

TEST_F(GeoDatabaseTest, MergesItsFiles) {
    const auto database =
        open({"GeoIP2-City-Test.mmdb", "GeoLite2-ASN-Test.mmdb", "GeoIP2-ISP-Test.mmdb"});
    ASSERT_TRUE(database);
    const auto answer = find(*database, "89.160.20.112");
    EXPECT_EQ(answer.country, "SE");
    EXPECT_EQ(answer.continent, "EU");
    EXPECT_EQ(answer.city, "Linköping");
    EXPECT_EQ(answer.asn, 29518U);
    EXPECT_EQ(answer.isp, "Bredband2 AB");
    const auto cached = database->find(*IpAddress::parse("89.160.20.112"));
    EXPECT_EQ(database->find(*IpAddress::parse("89.160.20.112")), cached);
    EXPECT_EQ(cached->city, answer.city);
    EXPECT_EQ(find(*database, "127.0.0.1").country, "");
}

TEST_F(GeoDatabaseTest, SurvivesDamagedFiles) {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(kMaxMind / "bad-data")) {
        if (entry.path().extension() != ".mmdb") continue;
        ++files;
        const std::vector<std::string> paths{entry.path().string()};
        const auto database = GeoDatabase::open(paths);
        if (!database) {
            EXPECT_NE(database.error().message.find(paths[0]), std::string::npos);
            continue;
        }
        for (unsigned i = 0; i < 256; ++i) {
            find(**database, std::to_string(i) + ".1.2.3");
            find(**database, fmt::format("2{:03x}:1::", i));
        }
    }
    EXPECT_GE(files, 20U);
}

TEST_F(GeoDatabaseTest, SurvivesEveryDamagedByteOfASmallFile) {
    std::ifstream in(kMaxMind / "GeoLite2-ASN-Test.mmdb", std::ios::binary);
    const std::string whole{std::istreambuf_iterator<char>(in), {}};
    const auto path =
        (std::filesystem::temp_directory_path() / fmt::format("playhead_geo_{}.mmdb", ::getpid()))
            .string();
    for (std::size_t at = 0; at < whole.size(); at += 97) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 0xFF);
        std::ofstream(path, std::ios::binary) << damaged;
        const auto database = GeoDatabase::open(std::vector<std::string>{path});
        if (!database) continue;
        for (const auto* address : {"1.128.0.0", "12.81.92.1", "2600:6000::1", "67.43.156.1"}) {
            find(**database, address);
        }
    }
    std::filesystem::remove(path);
}

TEST(GeoDatabase, NamesTheFileThatIsNoDatabase) {
    const std::vector<std::string> paths{PLAYHEAD_SOURCE_DIR "/CMakeLists.txt"};
    const auto database = GeoDatabase::open(paths);
    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(database.error().value, paths[0]);
}

TEST(GeoDatabase, KnowsNothingWithoutFiles) {
    const auto database = GeoDatabase::open({});
    ASSERT_TRUE(database);
    EXPECT_EQ(find(**database, "203.0.113.1").country, "");
}

TEST(Continent, IsKnownForCountries) {
    EXPECT_EQ(continent_of_country("DE"), "EU");
    EXPECT_EQ(continent_of_country("NA"), "AF");
    EXPECT_EQ(continent_of_country("US"), "NA");
    EXPECT_EQ(continent_of_country("ZZ"), "");
    EXPECT_EQ(continent_of_country("O "), "");
}

TEST(RangeTable, FindsTheRangeAroundAnAddress) {
    const auto table = RangeTable::parse(
        "1.0.4.0,1.0.7.255,38803,\"Goldenit, Pty ltd Australia\"\r\n"
        "1.0.0.0,1.0.0.255,13335,Cloudflare\n"
        "2001:200::,2001:200:5ff:ffff:ffff:ffff:ffff:ffff,2500,WIDE Project\n",
        "test.csv");
    ASSERT_TRUE(table) << table.error().message;
    const auto find_in = [&](std::string_view address) {
        return table->find(*IpAddress::parse(address));
    };
    EXPECT_EQ(find_in("1.0.0.0").asn, 13335U);
    EXPECT_EQ(find_in("1.0.0.255").organization, "Cloudflare");
    EXPECT_EQ(find_in("1.0.5.1").organization, "Goldenit, Pty ltd Australia");
    EXPECT_EQ(find_in("2001:200:5ff::1").asn, 2500U);
    for (const auto* address : {"0.255.255.255", "1.0.1.0", "1.0.8.0", "2001:1ff::", "ffff::"}) {
        EXPECT_EQ(find_in(address).asn, 0U) << address;
    }
}

TEST(RangeTable, NamesTheLineThatIsNoRange) {
    for (const auto* line :
         {"1.0.0.0,1.0.0.255,x,y", "1.0.0.9,1.0.0.1,1,y", "1.0.0.0,::1,1,y", "hello", ",,,"}) {
        const auto table =
            RangeTable::parse("1.0.0.0,1.0.0.255,1,a\n" + std::string(line), "t.csv");
        ASSERT_FALSE(table) << line;
        EXPECT_NE(table.error().message.find("t.csv, line 2"), std::string::npos);
    }
}

}  // namespace
}  // namespace playhead::enrich
