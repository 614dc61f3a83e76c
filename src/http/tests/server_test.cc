#include "http/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "http/tests/loopback.h"

namespace playhead::http {
namespace {

using testing::LoopbackTest;
using testing::RawClient;

std::size_t count(const std::string& text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

class HttpServer : public LoopbackTest {};

TEST_F(HttpServer, AnswersInlineAndPooledHandlersOnOneConnection) {
    router().add(Method::Post, "/produce", inline_route(),
                 [](Request&, Responder responder) { responder.send(Response(204)); });
    router().add(Method::Get, "/v1/{tenant}/echo", {}, [](Request& request, Responder responder) {
        std::string text(request.param("tenant"));
        text.append("|").append(request.query()).append("|").append(request.remote_address());
        responder.send(Response(200, "text/plain", text));
    });
    start();
    auto http = client();
    const auto posted = http.post("/produce", "application/json", "{}");
    ASSERT_TRUE(posted) << posted.error().message;
    EXPECT_EQ(posted->status, 204);
    EXPECT_EQ(posted->header("Access-Control-Allow-Origin"), "*");
    const auto echoed = http.get("/v1/a%20b/echo?x=1,[2]|3");
    ASSERT_TRUE(echoed) << echoed.error().message;
    EXPECT_EQ(echoed->body, "a b|x=1,[2]|3|127.0.0.1");
    EXPECT_EQ(server_->connection_count(), 1U);
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrderWhateverTheOrderOfCompletion) {
    router().add(Method::Get, "/slow", {}, [](Request&, Responder responder) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        responder.send(Response(200, "text/plain", "slow"));
    });
    router().add(Method::Get, "/fast", inline_route(), [](Request&, Responder responder) {
        responder.send(Response(200, "text/plain", "fast"));
    });
    start();
    const auto text = converse(
        "GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /fast HTTP/1.1\r\nHost: a\r\n\r\n"
        "GET /fast HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(count(text, "HTTP/1.1 200"), 3U) << text;
    EXPECT_LT(text.find("slow"), text.find("fast"));
    EXPECT_EQ(count(text, "Connection: close"), 1U);
}

TEST_F(HttpServer, AnswersMorePipelinedRequestsThanItHoldsAtOnce) {
    router().add(Method::Get, "/pooled", {},
                 [](Request&, Responder responder) { responder.send(Response(204)); });
    router().add(Method::Get, "/inline", inline_route(),
                 [](Request&, Responder responder) { responder.send(Response(204)); });
    start();
    for (const std::string path : {"/pooled", "/inline"}) {
        std::string requests;
        for (int index = 0; index < 200; ++index) {
            requests += "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
        }
        requests += "GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        EXPECT_EQ(count(converse(requests), "HTTP/1.1 204"), 201U) << path;
    }
}

TEST_F(HttpServer, SendsDeferredRepliesFromAnotherThreadInBatches) {
    std::mutex mutex;
    std::vector<Responder> waiting;
    router().add(Method::Post, "/produce", inline_route(), [&](Request&, Responder responder) {
        const std::lock_guard lock(mutex);
        waiting.push_back(std::move(responder));
    });
    start();
    std::atomic<bool> stop{false};
    std::thread committer([&] {
        while (!stop) {
            std::vector<Responder> batch;
            {
                const std::lock_guard lock(mutex);
                batch.swap(waiting);
            }
            for (auto& responder : batch) responder.send(Response(204));
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    });
    std::atomic<int> good{0};
    std::vector<std::thread> clients;
    for (int index = 0; index < 100; ++index) {
        clients.emplace_back([&] {
            auto http = client();
            for (int round = 0; round < 5; ++round) {
                const auto response = http.post("/produce", "application/json", "{}");
                if (response && response->status == 204) ++good;
            }
        });
    }
    for (auto& thread : clients) thread.join();
    stop = true;
    committer.join();
    EXPECT_EQ(good, 500);
}

TEST_F(HttpServer, AnswersAProblemDocumentWhenAResponderIsDropped) {
    router().add(Method::Get, "/dropped", inline_route(), [](Request&, Responder) {});
    router().add(Method::Get, "/thrown", {},
                 [](Request&, Responder) { throw std::runtime_error("expected in this test"); });
    start();
    auto http = client();
    for (const auto* path : {"/dropped", "/thrown"}) {
        const auto response = http.get(path);
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ(response->status, 500);
        EXPECT_EQ(response->header("Content-Type"), "application/problem+json");
    }
}

TEST_F(HttpServer, TellsUnknownPathsFromUnknownMethods) {
    router().add(Method::Get, "/only-get", inline_route(), [](Request&, Responder responder) {
        responder.send(Response(200, "text/plain", "body"));
    });
    start();
    auto http = client();
    EXPECT_EQ(http.get("/nothing")->status, 404);
    const auto wrong = http.post("/only-get", "text/plain", "x");
    EXPECT_EQ(wrong->status, 405);
    EXPECT_EQ(wrong->header("Allow"), "GET, HEAD, OPTIONS");
    const auto head = http.send({"HEAD", "/only-get", {}, {}});
    EXPECT_EQ(head->status, 200);
    EXPECT_EQ(head->header("Content-Length"), "4");
    EXPECT_EQ(head->body, "");
    const auto options = http.send({"OPTIONS", "/only-get", {}, {}});
    EXPECT_EQ(options->status, 204);
    EXPECT_EQ(options->header("Allow"), "GET, HEAD, OPTIONS");
}

TEST_F(HttpServer, FailsToStartOnATakenPort) {
    start();
    ServerOptions options;
    options.net.listen = "127.0.0.1:" + std::to_string(port());
    Server second(options, clock_, metrics_);
    const auto started = second.start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::Conflict);
    EXPECT_EQ(started.error().value, options.net.listen);
}

TEST_F(HttpServer, RefusesAnAddressItCannotRead) {
    for (const auto* listen : {"", "nonsense", "127.0.0.1:", "127.0.0.1:99999", "host:80x"}) {
        ServerOptions options;
        options.net.listen = listen;
        Server server(options, clock_, metrics_);
        const auto started = server.start();
        ASSERT_FALSE(started) << listen;
        EXPECT_EQ(started.error().code, ErrorCode::InvalidArgument);
    }
}

TEST_F(HttpServer, RunsOutOfWorkersWith503) {
    options_.application.workers = 1;
    options_.application.pool_queue_max = 1;
    std::atomic<bool> release{false};
    router().add(Method::Get, "/busy", {}, [&](Request&, Responder responder) {
        while (!release) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        responder.send(Response(204));
    });
    start();
    RawClient raw(port());
    for (int index = 0; index < 8; ++index) raw.send("GET /busy HTTP/1.1\r\nHost: a\r\n\r\n");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    release = true;
    std::string text;
    while (count(text, "HTTP/1.1 ") < 8) {
        const auto more = raw.receive();
        ASSERT_FALSE(more.empty());
        text += more;
    }
    EXPECT_GE(count(text, "HTTP/1.1 503"), 1U);
    EXPECT_EQ(count(text, "Retry-After: 1"), count(text, "HTTP/1.1 503"));
    EXPECT_GE(count(text, "HTTP/1.1 204"), 1U);
}

TEST_F(HttpServer, RefusesConnectionsBeyondTheCap) {
    options_.net.shards = 1;
    options_.net.connections_max = 2;
    router().add(Method::Get, "/", inline_route(),
                 [](Request&, Responder responder) { responder.send(Response(204)); });
    start();
    RawClient first(port());
    RawClient second(port());
    first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    second.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_NE(first.receive().find("204"), std::string::npos);
    EXPECT_NE(second.receive().find("204"), std::string::npos);
    RawClient third(port());
    EXPECT_NE(third.receive_all().find("HTTP/1.1 503"), std::string::npos);
}

TEST_F(HttpServer, SpeaksHttp10) {
    router().add(Method::Get, "/", inline_route(), [](Request&, Responder responder) {
        responder.send(Response(200, "text/plain", "old"));
    });
    start();
    const auto closing = converse("GET / HTTP/1.0\r\n\r\n");
    EXPECT_NE(closing.find("Connection: close"), std::string::npos);
    RawClient raw(port());
    raw.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_NE(raw.receive_until("old").find("Connection: keep-alive"), std::string::npos);
}

TEST_F(HttpServer, CountsRepliesByStatusClass) {
    start();
    client().get("/nothing");
    const auto text = metrics_.render();
    EXPECT_NE(text.find("playhead_http_replies_total{status=\"4xx\"} 1"), std::string::npos);
    EXPECT_NE(text.find("playhead_http_in_flight 0"), std::string::npos);
}

}  // namespace
}  // namespace playhead::http
