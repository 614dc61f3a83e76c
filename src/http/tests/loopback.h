/// Test support: a server on a free loopback port, and a raw socket to write any bytes to it.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/metrics.h"
#include "http/server.h"
#include "net/http_client.h"

namespace playhead::http::testing {

/// A blocking loopback connection that sends and receives whatever a test wants.
class RawClient {
public:
    explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }
    ~RawClient() { close(); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    bool connected() const { return connected_; }
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    /// What comes within the wait; "" at the end of the stream or when nothing came.
    std::string receive(int wait_ms = 3000) {
        pollfd waiting{socket_, POLLIN, 0};
        if (::poll(&waiting, 1, wait_ms) <= 0) return {};
        std::string bytes(64 * 1024, '\0');
        const auto got = ::recv(socket_, bytes.data(), bytes.size(), 0);
        bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return bytes;
    }
    std::string receive_until(std::string_view mark, int wait_ms = 3000) {
        std::string all;
        while (all.find(mark) == std::string::npos) {
            const auto more = receive(wait_ms);
            if (more.empty()) break;
            all += more;
        }
        return all;
    }
    /// Everything up to the peer's close.
    std::string receive_all(int wait_ms = 4000) {
        std::string all;
        for (auto more = receive(wait_ms); !more.empty(); more = receive(wait_ms)) all += more;
        return all;
    }
    /// True when the peer closes within the wait.
    bool closed_by_peer(int wait_ms = 3000) {
        pollfd waiting{socket_, POLLIN, 0};
        char byte = 0;
        return ::poll(&waiting, 1, wait_ms) == 1 && ::recv(socket_, &byte, 1, 0) <= 0;
    }
    void finish_sending() { ::shutdown(socket_, SHUT_WR); }
    void close() {
        if (socket_ >= 0) ::close(socket_);
        socket_ = -1;
    }

private:
    int socket_;
    bool connected_ = false;
};

/// Two shards on a free port; short deadlines so that tests are quick.
class LoopbackTest : public ::testing::Test {
protected:
    LoopbackTest() {
        options_.net.listen = "127.0.0.1:0";
        options_.net.shards = 2;
        options_.net.request_timeout_ms = 400;
        options_.net.linger_ms = 300;
        options_.application.workers = 4;
    }
    ~LoopbackTest() override {
        if (server_) server_->drain_and_stop(2000);
    }

    Router& router() {
        if (!server_) server_ = std::make_unique<Server>(options_, clock_, metrics_);
        return server_->router();
    }
    void start() {
        router();
        const auto started = server_->start();
        ASSERT_TRUE(started) << started.error().message;
    }
    std::uint16_t port() const { return server_->port(); }
    net::HttpClient client() const {
        return net::HttpClient("http://127.0.0.1:" + std::to_string(port()));
    }
    /// Sends the bytes on a connection of their own and returns all that comes back until close.
    std::string converse(std::string_view bytes) {
        RawClient raw(port());
        EXPECT_TRUE(raw.connected());
        raw.send(bytes);
        return raw.receive_all();
    }
    static RouteOptions inline_route() { return {RunOn::Reactor, kBodyBytesMaxDefault, true}; }

    ServerOptions options_;
    SystemClock clock_;
    MetricsRegistry metrics_;
    std::unique_ptr<Server> server_;
};

}  // namespace playhead::http::testing
