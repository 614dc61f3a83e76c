// Streams, clients that go away, drain.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "http/tests/loopback.h"

namespace playhead::http {
namespace {

using testing::LoopbackTest;
using testing::RawClient;

class Streaming : public LoopbackTest {
protected:
    /// Waits for what another thread will make true.
    template <class Condition>
    static bool eventually(Condition condition) {
        for (int round = 0; round < 600; ++round) {
            if (condition()) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return false;
    }
};

TEST_F(Streaming, DeliversEveryByteUnderBackPressure) {
    const std::string block(10'000, 'x');
    router().add(Method::Get, "/export", {}, [&](Request&, Responder responder) {
        Response head(200);
        head.add("Content-Type", "text/csv");
        responder.begin(std::move(head));
        for (int index = 0; index < 500; ++index) {
            if (!responder.write(block)) return;
        }
        responder.end();
    });
    start();
    auto http = client();
    const auto first = http.get("/export");
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(first->body.size(), 5'000'000U);
    EXPECT_EQ(first->header("Transfer-Encoding"), "chunked");
    EXPECT_EQ(http.get("/export")->body.size(), 5'000'000U);
    EXPECT_EQ(http.send({"HEAD", "/export", {}, {}})->status, 200);
    EXPECT_EQ(server_->connection_count(), 1U);
    const auto old = converse("GET /export HTTP/1.0\r\n\r\n");
    EXPECT_EQ(old.size() - old.find("\r\n\r\n") - 4, 5'000'000U);
}

TEST_F(Streaming, StopsTheProducerWhenTheClientGoesAway) {
    std::atomic<bool> stopped{false};
    std::atomic<bool> told{false};
    router().add(Method::Get, "/endless", {}, [&](Request&, Responder responder) {
        responder.on_disconnect([&] { told = true; });
        responder.begin(Response(200));
        const std::string block(50'000, 'x');
        while (responder.write(block)) {
        }
        stopped = true;
    });
    start();
    RawClient raw(port());
    raw.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_FALSE(raw.receive().empty());
    EXPECT_FALSE(stopped);
    raw.close();
    EXPECT_TRUE(eventually([&] { return stopped && told; }));
}

TEST_F(Streaming, TellsAWaitingQueryThatItsClientHasGone) {
    std::atomic<bool> running{false};
    std::atomic<bool> cancelled{false};
    router().add(Method::Get, "/query", {}, [&](Request&, Responder responder) {
        running = true;
        while (!responder.gone()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        responder.on_disconnect([&] { cancelled = true; });
    });
    start();
    RawClient raw(port());
    raw.send("GET /query HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return running.load(); }));
    raw.close();
    EXPECT_TRUE(eventually([&] { return cancelled.load(); }));
}

TEST_F(Streaming, AnswersAClientThatOnlyClosedItsSendingSide) {
    std::atomic<bool> running{false};
    router().add(Method::Get, "/", {}, [&](Request&, Responder responder) {
        running = true;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        responder.send(Response(200, "text/plain", "late"));
    });
    start();
    RawClient raw(port());
    raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    // The worker has to have it before the end is seen, else nobody need run it.
    ASSERT_TRUE(eventually([&] { return running.load(); }));
    raw.finish_sending();
    EXPECT_TRUE(raw.receive_all().ends_with("late"));
}

TEST_F(Streaming, CutsTheConnectionWhenAStreamBreaks) {
    router().add(Method::Get, "/", {}, [](Request&, Responder responder) {
        responder.begin(Response(200));
        responder.write("half");
    });
    start();
    const auto text = converse("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_NE(text.find("half"), std::string::npos);
    EXPECT_EQ(text.find("\r\n0\r\n"), std::string::npos);
    EXPECT_FALSE(client().get("/"));
}

TEST_F(Streaming, RespondersMayOutliveTheServer) {
    std::vector<Responder> kept;
    std::atomic<bool> taken{false};
    router().add(Method::Get, "/", inline_route(), [&](Request&, Responder responder) {
        kept.push_back(std::move(responder));
        taken = true;
    });
    start();
    RawClient raw(port());
    raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return taken.load(); }));
    EXPECT_EQ(server_->drain_and_stop(10), 1U);
    server_ = nullptr;
    EXPECT_TRUE(kept.front().gone());
    kept.front().send(Response(204));
    EXPECT_TRUE(raw.receive_all().empty());
}

TEST_F(Streaming, DrainsUnderLoadWithoutLosingARequest) {
    router().add(Method::Get, "/", {}, [](Request&, Responder responder) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        responder.send(Response(204));
    });
    start();
    std::atomic<int> answered{0};
    std::atomic<int> lost{0};
    std::vector<std::thread> clients;
    const auto address = port();
    for (int index = 0; index < 20; ++index) {
        clients.emplace_back([&, address] {
            RawClient raw(address);
            while (raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")) {
                const auto text = raw.receive();
                if (!text.starts_with("HTTP/1.1 204")) {
                    // An idle connection may be closed just as a request is on its way: no answer
                    // at all is the client's sign to try again. Half an answer would be a loss.
                    if (!text.empty()) ++lost;
                    return;
                }
                ++answered;
                if (text.find("Connection: close") != std::string::npos) return;
            }
        });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    EXPECT_EQ(server_->drain_and_stop(3000), 0U);
    for (auto& thread : clients) thread.join();
    EXPECT_GT(answered, 20);
    EXPECT_EQ(lost, 0);
}

}  // namespace
}  // namespace playhead::http
