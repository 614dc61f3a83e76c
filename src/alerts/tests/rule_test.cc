#include "alerts/rule.h"

#include <gtest/gtest.h>

namespace playhead::alerts {
namespace {

TEST(Rule, ComesBackAsItWasStored) {
    auto rule = parse_rule(R"({"name":"n","metric":"failurerate","threshold":3.5,"operator":"below",
        "dimensions":["cdn","country"],"filter":"[islive=1]","calculationperiod":600,
        "detectioninterval":60,"minattempts":7,"minusers":2,"severity":"Critical","persistence":2,
        "resolution":3,"cooldown":120,"notify":["https://hook.test/x"],
        "notifysecret":"whsec_c2VjcmV0","enabled":false})");
    ASSERT_TRUE(rule) << rule.error().message;
    rule->id = "r1";
    rule->customer_id = 18'000'000'000'000'000'000ULL;
    rule->revision = 4;
    const auto text = stored_rule_json(*rule);
    const auto again = stored_rule(text);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(stored_rule_json(*again), text);
    EXPECT_EQ(again->notify_secret, "whsec_c2VjcmV0");
    EXPECT_EQ(rule_json(*again).find("c2VjcmV0"), std::string::npos) << "shown to nobody";
    EXPECT_EQ(again->revision, 4);
    EXPECT_FALSE(again->above);
    EXPECT_EQ(again->min_attempts, 7);
    EXPECT_EQ(again->dimensions, (std::vector<std::string>{"cdn", "country"}));
    // A client may send back what it was given, but cannot choose its id or revision.
    const auto sent_back = parse_rule(text);
    ASSERT_TRUE(sent_back);
    EXPECT_EQ(sent_back->id, "");
    EXPECT_EQ(sent_back->revision, 1);
}

TEST(Rule, ReferenceWindowInPlaceOfAThreshold) {
    const auto rule =
        parse_rule(R"({"name":"n","metric":"m","referencewindow":86400,"factor":1.5})");
    ASSERT_TRUE(rule) << rule.error().message;
    EXPECT_FALSE(rule->threshold);
    const auto again = stored_rule(rule_json(*rule));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->reference_window_s, 86'400);
    EXPECT_EQ(again->factor, 1.5);
}

TEST(Rule, RefusalsNameTheField) {
    const std::string good = R"({"name":"n","metric":"m","threshold":1)";
    for (const auto& [text, field, hint] : std::vector<std::array<std::string, 3>>{
             {"[]", "body", "object"},
             {"{", "body", "object"},
             {std::string(60'000, '['), "body", "object"},
             {R"({"metric":"m","threshold":1})", "name", "text"},
             {R"({"name":"","metric":"m","threshold":1})", "name", "text"},
             {R"({"name":"n","threshold":1})", "metric", "text"},
             {R"({"name":"n","metric":"a,b","threshold":1})", "metric", "one metric"},
             {R"({"name":"n","metric":"m"})", "threshold", "referencewindow"},
             {R"({"name":"n","metric":"m","threshold":1,"referencewindow":3600})", "threshold", ""},
             {R"({"name":"n","metric":"m","threshold":"1"})", "threshold", "number"},
             {R"({"name":"n","metric":"m","threshold":1e300})", "threshold", "number"},
             {good + R"(,"treshhold":1})", "treshhold", "did you mean \"threshold\""},
             {good + R"(,"severity":"warning"})", "severity", "Warning"},
             {good + R"(,"type":"AI"})", "type", "Manual"},
             {good + R"(,"operator":">"})", "operator", "above"},
             {good + R"(,"detectioninterval":61})", "detectioninterval", "multiple of 60"},
             {good + R"(,"detectioninterval":0})", "detectioninterval", "60"},
             {good + R"(,"persistence":1.5})", "persistence", "whole"},
             {good + R"(,"persistence":18446744073709551615})", "persistence", "whole"},
             {good + R"(,"cooldown":-1})", "cooldown", "whole"},
             {good + R"(,"dimensions":"cdn"})", "dimensions", "array"},
             {good + R"(,"dimensions":["cdn","cdn"]})", "dimensions", "once"},
             {good + R"(,"dimensions":["timestamp"]})", "dimensions", "timestamp"},
             {good + R"(,"dimensions":["a,b"]})", "dimensions", "once"},
             {good + R"(,"enabled":1})", "enabled", "true"},
             {good + R"(,"notify":[1]})", "notify", "array"},
             {good + ",\"filter\":" + std::string(20'000, '[') + std::string(20'000, ']') + "}",
              "filter", "text"}}) {
        const auto rule = parse_rule(text);
        ASSERT_FALSE(rule) << text;
        EXPECT_EQ(rule.error().code, ErrorCode::InvalidArgument);
        EXPECT_EQ(rule.error().parameter, field) << text;
        EXPECT_NE(rule.error().expected.find(hint), std::string::npos)
            << text << ": " << rule.error().expected;
    }
    EXPECT_FALSE(parse_rule(std::string(kRuleBytesMax + 1, ' ')));
}

}  // namespace
}  // namespace playhead::alerts
