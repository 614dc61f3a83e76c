#include "http/entity_tag.h"

#include <gtest/gtest.h>

namespace playhead::http {
namespace {

TEST(EntityTag, IsWrittenStrongAndWeak) {
    EXPECT_EQ(entity_tag("ab12", true), R"("ab12")");
    EXPECT_EQ(entity_tag("ab12", false), R"(W/"ab12")");
}

TEST(EntityTag, MatchesOneOfAList) {
    for (const char* header :
         {R"("ab12")", R"(W/"ab12")", R"("x", "ab12")", R"(W/"x",W/"ab12" )", "*", " * "}) {
        EXPECT_TRUE(matches_entity_tag(header, "ab12")) << header;
    }
    for (const char* header : {"", "ab12", R"("ab1")", R"("ab123")", R"("xab12")", R"(W/ab12)",
                               R"("x", "y")", R"("ab12)", ",", R"(ab12")"}) {
        EXPECT_FALSE(matches_entity_tag(header, "ab12")) << header;
    }
}

}  // namespace
}  // namespace playhead::http
