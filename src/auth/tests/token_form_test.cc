#include "auth/token_form.h"

#include <gtest/gtest.h>

namespace playhead::auth {
namespace {

TEST(TokenForm, KnowsJsonWhateverItsTypeSays) {
    EXPECT_TRUE(looks_like_json(" \n{\"grant_type\":\"password\"}"));
    EXPECT_TRUE(looks_like_json("[]"));
    EXPECT_FALSE(looks_like_json("grant_type=password"));
    EXPECT_FALSE(looks_like_json("  "));
}

TEST(TokenForm, ReadsTheTextsOfAnObject) {
    const auto form = form_from_json(R"({"grant_type":"refresh_token","username":"a\"b"})");
    ASSERT_TRUE(form);
    const FormPairs expected{{"grant_type", "refresh_token"}, {"username", "a\"b"}};
    EXPECT_EQ(*form, expected);
}

TEST(TokenForm, RefusesWhatIsNoFlatObject) {
    for (const char* body : {"{", "[]", "7", R"({"a":1})", R"({"a":{"b":"c"}})", R"({"a":null})"}) {
        EXPECT_FALSE(form_from_json(body)) << body;
    }
    std::string many = "{";
    for (std::size_t index = 0; index <= kTokenFieldsMax; ++index) {
        many += (index == 0 ? "\"k" : ",\"k") + std::to_string(index) + "\":\"v\"";
    }
    EXPECT_FALSE(form_from_json(many + "}"));
}

TEST(TokenForm, TakesBasicCredentials) {
    FormPairs form{{"grant_type", "client_credentials"}};
    EXPECT_TRUE(add_basic_credentials("bAsIc aWQ6c2U6Y3JldA==", form));
    const FormPairs expected{
        {"grant_type", "client_credentials"}, {"client_id", "id"}, {"client_secret", "se:cret"}};
    EXPECT_EQ(form, expected);
}

TEST(TokenForm, LeavesOtherHeadersAlone) {
    FormPairs form{{"client_id", "app"}};
    EXPECT_TRUE(add_basic_credentials("", form));
    EXPECT_TRUE(add_basic_credentials("Bearer aWQ6c2VjcmV0", form));
    EXPECT_EQ(form.size(), 1U);
}

TEST(TokenForm, RefusesAnUnusableHeaderAndASecondCredential) {
    FormPairs form;
    EXPECT_FALSE(add_basic_credentials("Basic %%%", form));
    EXPECT_FALSE(add_basic_credentials("Basic aWQ=", form));
    FormPairs with_secret{{"client_secret", "x"}};
    EXPECT_FALSE(add_basic_credentials("Basic aWQ6c2VjcmV0", with_secret));
    FormPairs other{{"client_id", "other"}};
    EXPECT_FALSE(add_basic_credentials("Basic aWQ6c2VjcmV0", other));
    FormPairs same{{"client_id", "id"}};
    EXPECT_TRUE(add_basic_credentials("Basic aWQ6c2VjcmV0", same));
}

}  // namespace
}  // namespace playhead::auth
