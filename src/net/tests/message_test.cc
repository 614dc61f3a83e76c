#include "net/message.h"

#include <gtest/gtest.h>

#include <string>

#include "net/http1_parser.h"
#include "net/reply_writer.h"

namespace playhead::net {
namespace {

/// Parses one whole request; the buffer has to outlive the views of its body.
Request parsed(const std::string& text) {
    Http1RequestParser parser;
    Request request;
    const auto head = parser.feed(text, request);
    EXPECT_EQ(head.state, ParseState::HeadDone);
    const auto body = parser.feed(std::string_view(text).substr(head.consumed), request);
    EXPECT_EQ(body.state, ParseState::Complete);
    EXPECT_EQ(head.consumed + body.consumed, text.size());
    return request;
}

TEST(Request, GivesItsPartsAndHeadersInAnyCase) {
    const std::string text =
        "POST /a/b?x=1?y HTTP/1.1\r\nHost: h\r\nX-Key:  two words \r\nx-key: again\r\nEmpty:\r\n"
        "Content-Length: 4\r\n\r\nbody";
    const Request request = parsed(text);
    EXPECT_EQ(request.method(), Method::Post);
    EXPECT_EQ(request.target(), "/a/b?x=1?y");
    EXPECT_EQ(request.path(), "/a/b");
    EXPECT_EQ(request.query(), "x=1?y");
    EXPECT_EQ(request.header("x-KEY"), "two words");
    EXPECT_EQ(request.header("missing"), "");
    EXPECT_TRUE(request.has_header("empty"));
    EXPECT_EQ(request.header("empty"), "");
    EXPECT_EQ(request.header_count(), 5U);
    EXPECT_EQ(request.header_at(2).name, "x-key");
    EXPECT_EQ(request.body(), "body");
    // A body in the caller's buffer is not copied.
    EXPECT_EQ(request.body().data(), text.data() + text.size() - 4);
}

TEST(Request, LivesOnAfterTake) {
    auto text = std::make_unique<std::string>(
        "GET /path HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody");
    Request request = parsed(*text);
    const Request taken = request.take();
    text->assign(text->size(), 'X');
    text.reset();
    EXPECT_EQ(taken.path(), "/path");
    EXPECT_EQ(taken.header("Host"), "h");
    EXPECT_EQ(taken.body(), "body");
    EXPECT_EQ(request.path(), "");
    EXPECT_EQ(request.header_count(), 0U);
}

TEST(Response, CannotBeSplitByAHeaderValue) {
    Response response(302);
    response.add("Location", "/x\r\nSet-Cookie: a=b");
    EXPECT_EQ(response.header_lines(), "Location: /x  Set-Cookie: a=b\r\n");
    EXPECT_EQ(response.header("location"), "/x  Set-Cookie: a=b");
    EXPECT_FALSE(response.has("Set-Cookie"));
}

TEST(ReplyWriter, WritesADateAsRfc9110Wants) {
    EXPECT_EQ(http_date(784'111'777'000), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(http_date(784'111'778'999), "Sun, 06 Nov 1994 08:49:38 GMT");
}

TEST(ReplyWriter, LeavesOutTheLengthWhereThereIsNoBody) {
    std::string out;
    append_reply(out, Response(204), {}, "Fixed: 1\r\n", 784'111'777'000);
    EXPECT_EQ(out,
              "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
              "Server: playhead\r\nFixed: 1\r\n\r\n");
}

TEST(Http1RequestParser, ReadsTheSameWhateverTheCuts) {
    const std::string text =
        "\r\nPOST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n4;e=1\r\ndefg\r\n0\r\nT: x\r\n\r\n"
        "PUT /y HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyz";
    for (std::size_t step = 1; step <= text.size(); ++step) {
        Http1RequestParser parser;
        Request request;
        std::string seen;
        std::string buffer;
        for (std::size_t at = 0; at < text.size(); at += step) {
            buffer += text.substr(at, step);
            for (bool more = true; more;) {
                const auto result = parser.feed(buffer, request);
                ASSERT_NE(result.state, ParseState::Failed) << parser.reason();
                if (result.state == ParseState::HeadDone) parser.set_body_limit(100);
                if (result.state == ParseState::Complete) {
                    seen.append(request.path()).append("=").append(request.body()).append(";");
                }
                buffer.erase(0, result.consumed);
                more = result.state != ParseState::NeedMore &&
                       (!buffer.empty() || result.state == ParseState::HeadDone);
            }
        }
        EXPECT_EQ(seen, "/x=abcdefg;/y=xyz;") << step;
    }
}

}  // namespace
}  // namespace playhead::net
