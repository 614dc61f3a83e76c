// What hostile or broken clients send: framing tricks, slowness, excess.
#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "http/content_coding.h"
#include "http/tests/loopback.h"

namespace playhead::http {
namespace {

using testing::LoopbackTest;
using testing::RawClient;

class HostileInput : public LoopbackTest {
protected:
    HostileInput() {
        RouteOptions small = inline_route();
        small.body_bytes_max = 4096;
        router().add(Method::Post, "/", small, [](Request& request, Responder responder) {
            responder.send(Response(200, "text/plain", "body:" + std::string(request.body())));
        });
        RouteOptions large = inline_route();
        large.body_bytes_max = 2 * 1024 * 1024;
        router().add(Method::Post, "/large", large, [](Request& request, Responder responder) {
            responder.send(Response(200, "text/plain", std::to_string(request.body().size())));
        });
        start();
    }
};

TEST_F(HostileInput, IsRefusedWith400WhereAProxyMightSeeAnotherMessage) {
    // Views, not strings: a long list of string constructors takes sanitized builds minutes.
    constexpr std::string_view kHead = "POST / HTTP/1.1\r\nHost: a\r\n";
    constexpr std::array<std::string_view, 24> kAfterHead{
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhelloX",
        "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "Content-Length: 5, 5\r\n\r\nhello",
        "Content-Length: +5\r\n\r\nhello",
        "Content-Length: 0x5\r\n\r\nhello",
        "Content-Length: -1\r\n\r\n",
        "Content-Length:\r\n\r\n",
        "Content-Length: 99999999999999999999\r\n\r\n",
        "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        "X-Folded: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        "Content-Length : 5\r\n\r\nhello",
        "Content-Length: 5\n\nhello",
        "Bad Name: x\r\n\r\n",
        ": no name\r\n\r\n",
        "X: a\x01"
        "b\r\n\r\n",
        "X: a\rb\r\n\r\n"};
    constexpr std::array<std::string_view, 11> kWhole{
        "POST / HTTP/1.1\nHost: a\n\n",
        "POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "POST / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/2.0\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.2\r\nHost: a\r\n\r\n",
        "POST  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / nonsense\r\nHost: a\r\n\r\n",
        std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11),
        std::string_view("\0\0\0\0", 4),
        " POST / HTTP/1.1\r\nHost: a\r\n\r\n"};
    std::vector<std::string> corpus(kWhole.begin(), kWhole.end());
    for (const auto rest : kAfterHead) corpus.push_back(std::string(kHead).append(rest));
    for (const auto& request : corpus) {
        const auto text = converse(request);
        EXPECT_TRUE(text.starts_with("HTTP/1.1 400")) << request << "\n→ " << text;
        EXPECT_NE(text.find("Connection: close"), std::string::npos) << request;
        EXPECT_EQ(text.find("HTTP/1.1 4", 1), std::string::npos) << request;
    }
}

TEST_F(HostileInput, LeavesHonestOddRequestsAlone) {
    const std::vector<std::string> corpus{
        "\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
        "POST / HTTP/1.1\r\nhost: a\r\nTRANSFER-ENCODING: Chunked\r\nConnection: close\r\n\r\n"
        "2;name=value\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nEmpty:\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"
        "hello",
    };
    for (const auto& request : corpus) {
        const auto text = converse(request);
        EXPECT_TRUE(text.ends_with("body:hello")) << request << "\n→ " << text;
    }
}

TEST_F(HostileInput, GivesTheSameAnswerHoweverTheBytesAreCut) {
    const std::string request =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        "5\r\nhello\r\n0\r\n\r\n";
    for (std::size_t cut = 1; cut < request.size(); cut += 3) {
        RawClient raw(port());
        raw.send(request.substr(0, cut));
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        raw.send(request.substr(cut));
        EXPECT_TRUE(raw.receive_all().ends_with("body:hello")) << cut;
    }
}

TEST_F(HostileInput, IsCutOffWith408WhenItComesTooSlowly) {
    RawClient head(port());
    head.send("POST / HTTP/1.1\r\nHo");
    RawClient body(port());
    body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
    RawClient dripping(port());
    dripping.send("POST / HTTP/1.1\r\n");
    for (int index = 0; index < 15; ++index) {
        dripping.send("X: y\r\n");
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_TRUE(head.receive_all().starts_with("HTTP/1.1 408"));
    EXPECT_TRUE(body.receive_all().starts_with("HTTP/1.1 408"));
    EXPECT_TRUE(dripping.receive_all().starts_with("HTTP/1.1 408"));
}

TEST_F(HostileInput, IsRefusedWith431WhenTheHeadIsTooLarge) {
    EXPECT_TRUE(
        converse("POST / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n")
            .starts_with("HTTP/1.1 431"));
    std::string many = "POST / HTTP/1.1\r\nHost: a\r\n";
    for (int index = 0; index < 200; ++index) many += "X: y\r\n";
    EXPECT_TRUE(converse(many + "\r\n").starts_with("HTTP/1.1 431"));
}

TEST_F(HostileInput, IsRefusedWith413BeforeALargeBodyIsRead) {
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
    EXPECT_TRUE(converse(head + "Content-Length: 99000000\r\n\r\nabc").starts_with("HTTP/1.1 413"));
    EXPECT_TRUE(converse(head + "Content-Length: 99000000\r\n\r\n" + std::string(500'000, 'x'))
                    .starts_with("HTTP/1.1 413"));
    EXPECT_TRUE(converse(head + "Transfer-Encoding: chunked\r\n\r\n2000\r\n" +
                         std::string(0x2000, 'x') + "\r\n0\r\n\r\n")
                    .starts_with("HTTP/1.1 413"));
}

TEST_F(HostileInput, IsRefusedWhenACompressedBodyIsABombOrDamaged) {
    auto http = client();
    const auto send = [&](std::string_view path, std::string_view encoding, std::string body) {
        const auto response = http.send({"POST",
                                         std::string(path),
                                         {{"Content-Encoding", std::string(encoding)}},
                                         std::move(body)});
        return response ? response->status : 0;
    };
    const std::string zeros(64 * 1024 * 1024, '\0');
    EXPECT_EQ(send("/large", "gzip", encode_content(Coding::Gzip, zeros)), 413);
    EXPECT_EQ(send("/large", "zstd", encode_content(Coding::Zstd, zeros)), 413);
    const auto good = encode_content(Coding::Gzip, "hello");
    EXPECT_EQ(send("/", "gzip", good), 200);
    EXPECT_EQ(send("/", "gzip", good.substr(0, good.size() - 3)), 400);
    EXPECT_EQ(send("/", "gzip", "not gzip at all"), 400);
    EXPECT_EQ(send("/", "zstd", "not zstd at all"), 400);
    EXPECT_EQ(send("/", "br", "whatever"), 415);
    EXPECT_EQ(send("/", "gzip, gzip", good), 415);
}

TEST_F(HostileInput, DoesNotHoldABodyBeyondTheBytesInFlight) {
    server_->drain_and_stop(0);
    options_.net.shards = 1;
    options_.net.bytes_in_flight_max = 100'000;
    server_ = nullptr;
    router().add(Method::Post, "/large", inline_route(),
                 [](Request&, Responder responder) { responder.send(Response(204)); });
    start();
    const auto text =
        converse("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\nabc");
    EXPECT_TRUE(text.starts_with("HTTP/1.1 503")) << text;
    // What was refused does not count any more.
    EXPECT_EQ(client().post("/large", "text/plain", std::string(50'000, 'x'))->status, 204);
}

TEST_F(HostileInput, IsClosedAfterIdling) {
    server_->drain_and_stop(0);
    options_.net.idle_timeout_ms = 100;
    server_ = nullptr;
    start();
    RawClient raw(port());
    EXPECT_TRUE(raw.closed_by_peer(2000));
}

}  // namespace
}  // namespace playhead::http
