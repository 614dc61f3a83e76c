#include "app/senders.h"

#include <fmt/format.h>

#include <utility>

#include "base/hash.h"

namespace playhead::app {

net::ClientRequest client_request(const simulator::Request& request) {
    net::ClientRequest out;
    out.method = std::string(request.method);
    out.target = request.path;
    out.body = request.body;
    out.headers.emplace_back("User-Agent", request.user_agent);
    if (!request.content_type.empty())
        out.headers.emplace_back("Content-Type", request.content_type);
    if (!request.forwarded_for.empty()) {
        out.headers.emplace_back("X-Forwarded-For", request.forwarded_for);
    }
    return out;
}

Result<void> send(net::HttpClient& client, const simulator::Request& request) {
    auto answer = client.send(client_request(request));
    if (!answer) return fail(answer.error());
    if (answer->status / 100 == 2) return {};
    return fail(ErrorCode::Unavailable,
                fmt::format("{} {} answered {}: {}", request.method, request.path.substr(0, 80),
                            answer->status, answer->body.substr(0, 300)));
}

Senders::Senders(const std::string& to, std::size_t connections) {
    for (std::size_t i = 0; i < connections; ++i) {
        auto& lane = *lanes_.emplace_back(std::make_unique<Lane>());
        lane.client = std::make_unique<net::HttpClient>(to);
    }
    for (auto& lane : lanes_) lane->thread = std::thread([this, &lane = *lane] { run(lane); });
}

Senders::~Senders() {
    for (auto& lane : lanes_) lane->queue.close();
    for (auto& lane : lanes_) lane->thread.join();
}

void Senders::run(Lane& lane) {
    while (auto request = lane.queue.pop()) {
        bool failed = false;
        {
            const std::lock_guard lock(mutex_);
            failed = !failure_;
        }
        // After a failure the rest is not sent.
        auto done = failed ? Result<void>() : app::send(*lane.client, *request);
        {
            const std::lock_guard lock(mutex_);
            if (!done && failure_) failure_ = fail(std::move(done.error()));
            --waiting_;
        }
        answered_.notify_all();
    }
}

Result<void> Senders::wait_until_idle() {
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [this] { return waiting_ == 0; });
    return failure_;
}

Result<void> Senders::send(const simulator::Request& request) {
    const bool of_several = request.forwarded_for.empty();
    if (of_several) {
        if (auto idle = wait_until_idle(); !idle) return idle;
    }
    {
        const std::lock_guard lock(mutex_);
        if (!failure_) return failure_;
        ++waiting_;
    }
    auto copy = request;
    lanes_[stable_hash(request.forwarded_for) % lanes_.size()]->queue.push(copy);
    return of_several ? wait_until_idle() : Result<void>();
}

Result<void> Senders::finish() {
    return wait_until_idle();
}

}  // namespace playhead::app
