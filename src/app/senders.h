/// Sends simulated requests over several connections, as an audience does.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/result.h"
#include "net/http_client.h"
#include "simulator/writers.h"

namespace playhead::app {

/// The request as a player would send it.
net::ClientRequest client_request(const simulator::Request& request);

/// Sends it and waits for its answer; Unavailable unless that is a 2xx.
Result<void> send(net::HttpClient& client, const simulator::Request& request);

/// Requests of one viewer go over one connection, in the order in which they are given; a request
/// of several viewers waits for all before it, and all after it wait for its answer. So no session
/// sees another order than over a single connection, and the server's group commit has something
/// to group. Used by one thread.
class Senders {
public:
    Senders(const std::string& to, std::size_t connections);
    ~Senders();
    Senders(const Senders&) = delete;
    Senders& operator=(const Senders&) = delete;

    /// Hands a request on. The first failure of any request given before, from then on.
    Result<void> send(const simulator::Request& request);
    /// Waits for all answers.
    Result<void> finish();

private:
    struct Lane {
        BoundedQueue<simulator::Request> queue{64};
        std::unique_ptr<net::HttpClient> client;
        std::thread thread;
    };
    void run(Lane& lane);
    Result<void> wait_until_idle();

    std::vector<std::unique_ptr<Lane>> lanes_;
    std::mutex mutex_;
    std::condition_variable answered_;
    std::size_t waiting_ = 0;  ///< requests without an answer
    Result<void> failure_;
};

}  // namespace playhead::app
