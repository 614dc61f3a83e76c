#include "http/router.h"

#include <gtest/gtest.h>

#include <string>

namespace playhead::http {
namespace {

class Routes : public ::testing::Test {
protected:
    void add(std::string_view pattern, Method method = Method::Get) {
        router_.add(method, pattern, {}, [](Request&, Responder) {});
    }
    /// "pattern: value value", or "404", or "405 <allow>".
    std::string match(std::string_view path, Method method = Method::Get) const {
        const Match found = router_.match(method, path);
        if (found.kind == Match::Kind::NoPath) return "404";
        if (found.kind == Match::Kind::NoMethod) return "405 " + std::string(found.allow);
        std::string text = found.route->pattern + ":";
        for (std::size_t index = 0; index < found.value_count; ++index) {
            text.append(" ").append(found.values[index]);
        }
        return text;
    }
    Router router_;
};

TEST_F(Routes, PreferLiteralsToParametersAndParametersToTheRest) {
    add("/");
    add("/a/{x}");
    add("/a/b");
    add("/a/{x}/c");
    add("/a/b/{y}/d");
    add("/files/{path*}");
    EXPECT_EQ(match("/"), "/:");
    EXPECT_EQ(match("/a/b"), "/a/b:");
    EXPECT_EQ(match("/a/z"), "/a/{x}: z");
    EXPECT_EQ(match("/a/b/c"), "/a/{x}/c: b");
    EXPECT_EQ(match("/a/b/c/d"), "/a/b/{y}/d: c");
    EXPECT_EQ(match("/files/"), "/files/{path*}: ");
    EXPECT_EQ(match("/files/x/../y"), "/files/{path*}: x/../y");
}

TEST_F(Routes, DoNotMatchWhatIsOnlySimilar) {
    add("/a/{x}");
    add("/files/{path*}");
    for (const auto* path : {"", "a/b", "/a", "/a/", "/a/b/", "/a/b/c", "//", "/files", "*"}) {
        EXPECT_EQ(match(path), "404") << path;
    }
    EXPECT_EQ(match(std::string(5000, '/')), "404");
}

TEST_F(Routes, NameTheMethodsOfAPath) {
    add("/x", Method::Get);
    add("/x", Method::Delete);
    add("/y", Method::Post);
    EXPECT_EQ(match("/x", Method::Head), "/x:");
    EXPECT_EQ(match("/x", Method::Put), "405 GET, HEAD, DELETE, OPTIONS");
    EXPECT_EQ(match("/y", Method::Head), "405 POST, OPTIONS");
    EXPECT_EQ(match("/y", Method::Other), "405 POST, OPTIONS");
}

TEST_F(Routes, AreAddedOnce) {
    add("/x");
    EXPECT_DEATH(add("/x"), "internal check failed");
}

}  // namespace
}  // namespace playhead::http
