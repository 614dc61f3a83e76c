/// Keep-alive connections to one server on loopback, one request outstanding on each.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace playhead::bench {

class Client {
public:
    using Time = std::chrono::steady_clock::time_point;

    Client(std::uint16_t port, std::size_t connections);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    bool has_free() const noexcept { return !free_.empty(); }
    std::size_t outstanding() const noexcept { return connections_.size() - free_.size(); }
    /// Sends on a free connection.
    void send(const std::string& request);
    /// Waits up to `wait_ms` for answers.
    void poll(int wait_ms);

    std::uint64_t answered() const noexcept { return answered_; }
    std::uint64_t refused() const noexcept { return refused_; }  ///< any status but 2xx
    std::vector<float>& answer_ms() noexcept { return answer_ms_; }

private:
    struct Connection {
        int fd = -1;
        Time sent;
        std::string read;
    };
    void receive(std::size_t index);

    int epoll_ = -1;
    std::vector<Connection> connections_;
    std::vector<std::size_t> free_;
    std::uint64_t answered_ = 0, refused_ = 0;
    std::vector<float> answer_ms_;
};

}  // namespace playhead::bench
