#include "api/login_page.h"

#include <gtest/gtest.h>

namespace playhead::api {
namespace {

TEST(LoginPage, EscapesWhatItRepeats) {
    const auth::FormPairs form{{"client_id", "\"><script>alert(1)</script>"},
                               {"username", "'<b>&"},
                               {"password", "not repeated"},
                               {"extra", "not repeated"}};
    const auto page = login_page({form, "csrf", "<i>wrong</i>", 401});
    EXPECT_EQ(page.status, 401);
    EXPECT_EQ(page.body.find("<script"), std::string::npos);
    EXPECT_EQ(page.body.find("<i>"), std::string::npos);
    EXPECT_EQ(page.body.find("not repeated"), std::string::npos);
    EXPECT_NE(page.body.find("value=\"&#39;&lt;b&gt;&amp;\""), std::string::npos);
}

TEST(LoginPage, NamesTheOriginOfTheRedirectInThePolicyAndNothingElse) {
    const auto policy = [](const std::string& uri) {
        const auth::FormPairs form{{"redirect_uri", uri}};
        return std::string(login_page({form, "csrf", "", 200}).header("Content-Security-Policy"));
    };
    EXPECT_NE(policy("https://app.example:8443/back?x=1")
                  .find("form-action 'self' https://app.example:8443; frame-ancestors 'none'"),
              std::string::npos);
    for (const char* uri : {"https://a;script-src *", "https://a, b", "nothing"}) {
        EXPECT_NE(policy(uri).find("form-action 'self'; frame-ancestors"), std::string::npos)
            << uri;
    }
}

TEST(ErrorPage, HasNoFormAndEscapes) {
    const auto page = error_page(400, "<a href=x>");
    EXPECT_EQ(page.body.find("<a "), std::string::npos);
    EXPECT_EQ(page.body.find("<form"), std::string::npos);
    EXPECT_NE(std::string(page.header("Content-Security-Policy")).find("form-action 'none'"),
              std::string::npos);
}

}  // namespace
}  // namespace playhead::api
