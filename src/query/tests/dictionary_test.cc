#include "query/dictionary.h"

#include <gtest/gtest.h>

namespace playhead::query {
namespace {

TEST(Dictionary, BuiltInTextLoads) {
    const auto dictionary = Dictionary::load();
    ASSERT_TRUE(dictionary) << dictionary.error().message;
    EXPECT_GT(dictionary->metrics().size(), 80U);
    EXPECT_GT(dictionary->dimensions().size(), 90U);
    EXPECT_EQ(dictionary->metric("plays"), dictionary->metric("viewercount"));
    EXPECT_EQ(dictionary->dimension("os"), dictionary->dimension("platform"));
    EXPECT_TRUE(dictionary->timezone_known("Europe/Berlin"));
    EXPECT_FALSE(dictionary->timezone_whole_hours("Asia/Kolkata"));
}

struct Refused {
    const char* what;
    const char* metrics;
    const char* part_of_message;
};

TEST(Dictionary, RefusesWhatItDoesNotUnderstand) {
    const char* head =
        "sketch: {}\ncoefficients: {}\nmetrics:\n- {key: x, good: up, definition: d, form: count, ";
    for (const auto& [what, text, part] : {
             Refused{"column", "numerator: nonsense}", "nonsense"},
             Refused{"function", "numerator: system(plays)}", "system"},
             Refused{"field", "numerator: plays, denominater: plays}", "denominater"},
             Refused{"statement", "numerator: \"plays; DROP TABLE x\"}", "; DROP"},
             Refused{"select", "numerator: \"(SELECT 1)\"}", "SELECT"},
             Refused{"twice", "numerator: plays, aliases: [x]}", "named twice"},
             Refused{"yaml", "numerator: [}", "yaml"},
         }) {
        const auto parsed = Dictionary::parse({std::string(head) + text, "dimensions: []", ""});
        ASSERT_FALSE(parsed) << what;
        EXPECT_NE(parsed.error().message.find(part), std::string::npos)
            << what << ": " << parsed.error().message;
    }
}

}  // namespace
}  // namespace playhead::query
