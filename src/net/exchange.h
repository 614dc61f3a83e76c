/// Internal to net: one request's way to its reply, shared by the connection and the responder.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/message.h"
#include "net/responder.h"
#include "net/service.h"

namespace playhead::net {

class Connection;
class Exchange;

/// The part of a shard that responders on other threads may touch; outlives the shard.
class ShardLink {
public:
    explicit ShardLink(std::shared_ptr<Service> application) : service(std::move(application)) {}

    /// Queues an exchange that has something to send; wakes the shard when the list was empty.
    void push(std::shared_ptr<Exchange> exchange);
    /// Takes the list, on the shard's thread. `into` must be empty; its capacity is kept in use.
    void take(std::vector<std::shared_ptr<Exchange>>& into);
    /// Sets what wakes the shard; nullptr closes the link: pushes are dropped from then on.
    void set_wake(std::function<void()> wake);

    /// True on the thread of the shard that owns this link.
    bool on_own_thread() const noexcept { return current_ == this; }
    void bind_to_this_thread() noexcept { current_ = this; }

    const std::shared_ptr<Service> service;

private:
    static thread_local const ShardLink* current_;

    std::mutex mutex_;
    std::vector<std::shared_ptr<Exchange>> completed_;
    std::function<void()> wake_;
};

/// States that both sides touch are behind `mutex`; the rest belongs to the side named.
class Exchange {
public:
    explicit Exchange(std::shared_ptr<ShardLink> shard) : link(std::move(shard)) {}

    void mark_gone();

    const std::shared_ptr<ShardLink> link;
    ExchangeFacts facts;

    // The shard's thread only.
    std::weak_ptr<Connection> connection;
    bool close_after = false;
    bool http10 = false;
    bool head_written = false;
    std::uint64_t charged_bytes = 0;
    std::uint64_t body_bytes = 0;
    int status = 0;

    std::atomic<bool> gone{false};

    std::mutex mutex;
    std::condition_variable room;
    Response response;  ///< the reply, or the head of a stream
    bool has_response = false;
    bool streaming = false;
    bool complete = false;
    bool broken = false;              ///< a stream that ended without `end()`
    bool queued = false;              ///< in the link's list already
    std::string chunks;               ///< stream bytes waiting for the connection, framed
    std::size_t bytes_in_socket = 0;  ///< stream bytes the connection is writing
    std::function<void()> on_disconnect;
};

}  // namespace playhead::net
