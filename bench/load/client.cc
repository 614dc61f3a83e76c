#include "load/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace playhead::bench {
namespace {

[[noreturn]] void die(const char* what) {
    std::perror(what);
    std::exit(1);
}

/// Bytes of the whole answer at the front of `text`; 0 = not all there yet.
std::size_t answer_bytes(std::string_view text) {
    const std::size_t head = text.find("\r\n\r\n");
    if (head == std::string_view::npos) return 0;
    std::size_t length = 0;
    for (const char* name : {"Content-Length: ", "content-length: "}) {
        const std::size_t at = text.substr(0, head).find(name);
        if (at != std::string_view::npos) length = std::strtoul(text.data() + at + 16, nullptr, 10);
    }
    return text.size() >= head + 4 + length ? head + 4 + length : 0;
}

}  // namespace

Client::Client(std::uint16_t port, std::size_t connections) : connections_(connections) {
    epoll_ = epoll_create1(0);
    for (std::size_t index = 0; index < connections; ++index) {
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) die("connect");
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = index;
        epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
        connections_[index].fd = fd;
        free_.push_back(index);
    }
}

Client::~Client() {
    for (const Connection& connection : connections_) close(connection.fd);
    close(epoll_);
}

void Client::send(const std::string& request) {
    Connection& connection = connections_[free_.back()];
    free_.pop_back();
    connection.sent = std::chrono::steady_clock::now();
    // Blocking: a request is smaller than the socket's buffer.
    std::string_view left = request;
    while (!left.empty()) {
        const ssize_t done = ::send(connection.fd, left.data(), left.size(), MSG_NOSIGNAL);
        if (done <= 0) die("send");
        left.remove_prefix(static_cast<std::size_t>(done));
    }
}

void Client::poll(int wait_ms) {
    std::array<epoll_event, 256> events{};
    const int count = epoll_wait(epoll_, events.data(), events.size(), wait_ms);
    for (int index = 0; index < count; ++index) {
        receive(static_cast<std::size_t>(events[static_cast<std::size_t>(index)].data.u64));
    }
}

void Client::receive(std::size_t index) {
    Connection& connection = connections_[index];
    std::array<char, 4096> bytes{};
    const ssize_t got = recv(connection.fd, bytes.data(), bytes.size(), 0);
    if (got <= 0) die("the server closed a connection");
    connection.read.append(bytes.data(), static_cast<std::size_t>(got));
    if (answer_bytes(connection.read) == 0) return;
    ++answered_;
    if (connection.read[9] != '2' && ++refused_ <= 3) {
        std::fprintf(stderr, "bench_load: %s\n", connection.read.c_str());
    }
    connection.read.clear();
    const auto took = std::chrono::steady_clock::now() - connection.sent;
    answer_ms_.push_back(std::chrono::duration<float, std::milli>(took).count());
    free_.push_back(index);
}

}  // namespace playhead::bench
