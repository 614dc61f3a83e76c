// Where webhooks may go. The lists of addresses are those that RFC 6890 and cloud manuals name.
#include "notify/webhook.h"

#include <gtest/gtest.h>

namespace playhead::notify {
namespace {

bool goes(const WebhookPolicy& policy, const std::string& url) {
    return policy.check(url).has_value();
}

TEST(WebhookPolicy, ReachesOnlyWhatIsPublic) {
    const auto policy = WebhookPolicy::make({}).value();
    for (const auto* address : {"8.8.8.8", "93.184.216.34", "2606:4700::6810:84e5", "172.15.0.1",
                                "172.32.0.1", "100.63.0.1", "169.253.1.1", "64:ff9b::808:808"}) {
        EXPECT_TRUE(policy.allows(address)) << address;
    }
    for (const auto* address : {"127.0.0.1",
                                "127.255.1.2",
                                "0.0.0.0",
                                "10.1.2.3",
                                "172.16.0.1",
                                "172.31.255.255",
                                "192.168.1.1",
                                "169.254.169.254",
                                "100.64.0.1",
                                "192.0.0.192",
                                "198.18.0.1",
                                "224.0.0.1",
                                "255.255.255.255",
                                "240.0.0.1",
                                "::1",
                                "::",
                                "fe80::1",
                                "fd00::1",
                                "fc00::1",
                                "ff02::1",
                                "::ffff:127.0.0.1",
                                "::ffff:10.0.0.1",
                                "::7f00:1",
                                "64:ff9b::7f00:1",
                                "64:ff9b::a9fe:a9fe",
                                "2002:7f00:1::",
                                "2001::1",
                                "2001:db8::1",
                                "",
                                "x",
                                "127.1"}) {
        EXPECT_FALSE(policy.allows(address)) << address;
    }
}

TEST(WebhookPolicy, TakesHttpsUrlsWithoutOddities) {
    const auto policy = WebhookPolicy::make({}).value();
    for (const auto* url :
         {"https://hooks.example.com/services/T0/B0?x=1", "https://example.com",
          "https://example.com:8443/x", "https://[2606:4700::6810:84e5]/x", "https://8.8.8.8/x"}) {
        EXPECT_TRUE(goes(policy, url)) << url;
    }
    for (const auto* url : {"http://example.com/",
                            "ftp://example.com/",
                            "https://",
                            "https:///x",
                            "example.com",
                            "https://user@example.com/",
                            "https://example.com@127.0.0.1/",
                            "https://127.0.0.1/",
                            "https://[::1]/",
                            "https://[fe80::1%25eth0]/",
                            "https://169.254.169.254/latest/",
                            "https://localhost/",
                            "https://x.localhost/",
                            "https://example.com:0x50/",
                            "https://example.com:/",
                            "https://example.com/#x",
                            "https://exa mple.com/",
                            "https://example.com\\@evil/",
                            "https://example.com/\r\nX: y",
                            "https://ex\u00e4.com/",
                            "https://[::ffff:127.0.0.1]/",
                            "https://[1.2.3.4]/",
                            "https://10.0.0.1:443/"}) {
        EXPECT_FALSE(goes(policy, url)) << url;
    }
    EXPECT_FALSE(goes(policy, "https://example.com/" + std::string(kUrlBytesMax, 'x')));
    const auto refused = policy.check("http://example.com/");
    EXPECT_EQ(refused.error().parameter, "notify");
}

TEST(WebhookPolicy, AllowsTheNetworksOfTheOperator) {
    const auto policy = WebhookPolicy::make({"127.0.0.0/8", "fd00:1::/32"}).value();
    EXPECT_TRUE(goes(policy, "http://127.0.0.1:9000/hook"));
    EXPECT_TRUE(goes(policy, "https://[fd00:1::5]/hook"));
    EXPECT_TRUE(policy.allows("127.0.0.1"));
    EXPECT_FALSE(goes(policy, "http://10.0.0.1/hook"));
    EXPECT_FALSE(goes(policy, "http://[fd00:2::5]/hook"));
    EXPECT_FALSE(goes(policy, "http://example.com/hook")) << "plain http to whoever it may be";
    EXPECT_FALSE(WebhookPolicy::make({"localhost"}));
    EXPECT_FALSE(WebhookPolicy::make({"10.0.0.0/33"}));
}

TEST(WebhookUrl, IsTakenApart) {
    const auto url = split_url("https://hooks.example.com:8443?q=1");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->origin, "https://hooks.example.com:8443");
    EXPECT_EQ(url->host, "hooks.example.com");
    EXPECT_EQ(url->target, "/?q=1");
}

TEST(WebhookSignature, IsThatOfTheStandardWebhooksSpecification) {
    // The specification's own example.
    const auto key = key_of_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    ASSERT_TRUE(key);
    EXPECT_EQ(webhook_signature(*key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                                R"({"test": 2432232314})"),
              "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSecret, HasTheFormOfTheSpecification) {
    for (const auto* secret : {"", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                               "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "whsec_****************"}) {
        EXPECT_FALSE(key_of_secret(secret)) << secret;
    }
    EXPECT_FALSE(key_of_secret("whsec_" + std::string(88, 'A'))) << "66 bytes";
    EXPECT_EQ(key_of_secret("whsec_" + std::string(32, 'A'))->size(), 24U);
}

}  // namespace
}  // namespace playhead::notify
