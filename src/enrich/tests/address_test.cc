#include "enrich/address.h"

#include <gtest/gtest.h>

#include "enrich/cdn_name.h"
#include "enrich/privacy.h"
#include "enrich/text.h"

namespace playhead::enrich {
namespace {

std::string parsed(std::string_view text) {
    const auto address = IpAddress::parse(text);
    return address ? address->to_string() : "none";
}

TEST(IpAddress, ParsesTheFormsOfForwardingHeaders) {
    EXPECT_EQ(parsed("203.0.113.7"), "203.0.113.7");
    EXPECT_EQ(parsed("203.0.113.7:8080"), "203.0.113.7");
    EXPECT_EQ(parsed("2001:db8::7"), "2001:db8::7");
    EXPECT_EQ(parsed("[2001:db8::7]:443"), "2001:db8::7");
    EXPECT_EQ(parsed("fe80::1%eth0"), "fe80::1");
    EXPECT_EQ(parsed("::ffff:203.0.113.7"), "203.0.113.7");
    for (const auto* text :
         {"", "unknown", "_hidden", "1.2.3", "[2001:db8::7", "1.2.3.4.5", "999.1.1.1",
          "example.org", "[]", "1111111111111111111111111111111111111111111111111111111111"}) {
        EXPECT_EQ(parsed(text), "none") << text;
    }
}

TEST(IpNetwork, ContainsItsAddressesOnly) {
    const auto network = IpNetwork::parse("10.1.2.3/15");
    ASSERT_TRUE(network);
    EXPECT_TRUE(network->contains(*IpAddress::parse("10.0.255.255")));
    EXPECT_FALSE(network->contains(*IpAddress::parse("10.2.0.0")));
    EXPECT_FALSE(network->contains(*IpAddress::parse("a00::")));
    EXPECT_TRUE(IpNetwork::parse("::/0")->contains(*IpAddress::parse("2001:db8::1")));
    EXPECT_TRUE(IpNetwork::parse("192.0.2.1")->contains(*IpAddress::parse("192.0.2.1")));
    for (const auto* text : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "x/8", "::/129"}) {
        EXPECT_FALSE(IpNetwork::parse(text)) << text;
    }
}

TEST(AddressPolicy, KeepsAsMuchAsItSays) {
    const auto v4 = *IpAddress::parse("203.0.113.77");
    const auto v6 = *IpAddress::parse("2001:db8:1234:5678::9");
    EXPECT_EQ(stored_address(v4, *parse_address_policy("/24")), "203.0.113.0");
    EXPECT_EQ(stored_address(v6, *parse_address_policy("/24")), "2001:db8:1234::");
    EXPECT_EQ(stored_address(v4, *parse_address_policy("/16")), "203.0.0.0");
    EXPECT_EQ(stored_address(v6, *parse_address_policy("/16")), "2001:db8::");
    EXPECT_EQ(stored_address(v4, *parse_address_policy("none")), "203.0.113.77");
    EXPECT_EQ(stored_address(v6, *parse_address_policy("drop")), "");
    EXPECT_EQ(parse_address_policy("/8").error().parameter, "address_truncation");
}

class TrustedProxiesTest : public testing::Test {
protected:
    std::string client(std::string_view peer, std::string_view header) const {
        return proxies_.client(*IpAddress::parse(peer), header).to_string();
    }
    const std::vector<std::string> networks_{"10.0.0.0/8", "2001:db8:f::/48"};
    const TrustedProxies proxies_ = TrustedProxies::parse(networks_).value();
};

TEST_F(TrustedProxiesTest, BelieveOnlyTrustedHops) {
    EXPECT_EQ(client("198.51.100.1", "203.0.113.7"), "198.51.100.1");
    EXPECT_EQ(client("10.0.0.1", "203.0.113.7"), "203.0.113.7");
    EXPECT_EQ(client("10.0.0.1", "6.6.6.6, 203.0.113.7 , 10.2.2.2"), "203.0.113.7");
    EXPECT_EQ(client("2001:db8:f::1", "[2001:db8::7]:5000"), "2001:db8::7");
    EXPECT_EQ(client("10.0.0.1", ""), "10.0.0.1");
    EXPECT_EQ(client("10.0.0.1", "203.0.113.7, unknown"), "10.0.0.1");
    EXPECT_EQ(client("10.0.0.1", ",,,"), "10.0.0.1");
    EXPECT_EQ(client("10.0.0.1", "10.0.0.2, 10.0.0.3"), "10.0.0.2");
}

TEST_F(TrustedProxiesTest, NameTheNetworkThatIsNone) {
    const std::vector<std::string> wrong{"10.0.0.0/8", "proxy.example"};
    EXPECT_EQ(TrustedProxies::parse(wrong).error().value, "proxy.example");
}

TEST(SubscriberHasher, IsStableAndKeyed) {
    const auto hasher = SubscriberHasher::create("0123456789abcdef").value();
    const auto other = SubscriberHasher::create("0123456789abcdeF").value();
    const auto hash = hasher.hash("tenant", "anna");
    EXPECT_EQ(hash.size(), 32U);
    EXPECT_EQ(hash, hasher.hash("tenant", "anna"));
    EXPECT_NE(hash, hasher.hash("tenant", "bert"));
    EXPECT_NE(hash, other.hash("tenant", "anna"));
    EXPECT_NE(hasher.hash("ab", "c"), hasher.hash("a", "bc"));
    EXPECT_EQ(hasher.hash("tenant", ""), "");
    EXPECT_FALSE(SubscriberHasher::create("short"));
}

TEST(CdnName, IsFoundByDomain) {
    EXPECT_EQ(cdn_of_host("vod.AKAMAIZED.net"), "Akamai");
    EXPECT_EQ(cdn_of_host("https://u:p@d111.cloudfront.net:443/a/b.m3u8?x=1"), "CloudFront");
    EXPECT_EQ(cdn_of_host("http://dualstack.video.map.fastly.net./x"), "Fastly");
    EXPECT_EQ(cdn_of_host("rr1---sn-4g5.googlevideo.com"), "Google");
    EXPECT_EQ(cdn_of_host("demo.b-cdn.net"), "Bunny");
    EXPECT_EQ(cdn_of_host("demo.vo.llnwd.net"), "Limelight");
    EXPECT_EQ(cdn_of_host("notakamaized.net"), "");
    EXPECT_EQ(cdn_of_host("akamaized.net.evil.example"), "");
    EXPECT_EQ(cdn_of_host("https://evil.example/akamaized.net"), "");
    EXPECT_EQ(cdn_of_host(""), "");
}

TEST(CleanText, IsValidUtf8WithoutControlCharacters) {
    EXPECT_EQ(clean_text("caf\xC3\xA9\n", 100), "caf\xC3\xA9 ");
    EXPECT_EQ(clean_text("caf\xC3\xA9", 4), "caf");
    EXPECT_EQ(clean_text("\xC3(\xFF", 100), "?(?");
    EXPECT_EQ(clean_text("\xED\xA0\x80", 100), "???");
    EXPECT_EQ(clean_text("\xF0\x9F\x98\x80", 100), "\xF0\x9F\x98\x80");
    EXPECT_EQ(clean_text("\xC0\xAF", 100), "??");
}

}  // namespace
}  // namespace playhead::enrich
