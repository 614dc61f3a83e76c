#include "net/responder.h"

#include <fmt/format.h>

#include <iterator>

#include "base/check.h"
#include "net/connection.h"
#include "net/exchange.h"
#include "net/problem.h"

namespace playhead::net {

thread_local const ShardLink* ShardLink::current_ = nullptr;

void ShardLink::push(std::shared_ptr<Exchange> exchange) {
    const std::lock_guard lock(mutex_);
    if (!wake_) return;
    completed_.push_back(std::move(exchange));
    if (completed_.size() == 1) wake_();
}

void ShardLink::take(std::vector<std::shared_ptr<Exchange>>& into) {
    const std::lock_guard lock(mutex_);
    completed_.swap(into);
}

void ShardLink::set_wake(std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
    if (!wake_) completed_.clear();
}

void Exchange::mark_gone() {
    std::function<void()> callback;
    {
        const std::lock_guard lock(mutex);
        if (gone.exchange(true)) return;
        callback = std::move(on_disconnect);
        on_disconnect = nullptr;
    }
    room.notify_all();
    if (callback) callback();
}

namespace {

/// Hands what the exchange has to its connection: directly on the shard's thread, else by its list.
void deliver(const std::shared_ptr<Exchange>& exchange) {
    if (exchange->link->on_own_thread()) {
        if (const auto connection = exchange->connection.lock()) connection->on_reply_progress();
        return;
    }
    {
        const std::lock_guard lock(exchange->mutex);
        if (exchange->queued) return;
        exchange->queued = true;
    }
    exchange->link->push(exchange);
}

}  // namespace

Responder& Responder::operator=(Responder&& other) noexcept {
    if (this != &other) {
        abandon();
        exchange_ = std::move(other.exchange_);
        streaming_ = other.streaming_;
    }
    return *this;
}

Responder::~Responder() {
    abandon();
}

void Responder::abandon() noexcept {
    if (!exchange_) return;
    if (!streaming_) {
        send(problem_response({ErrorCode::Internal, "The request was not answered.", {}, {}, {}}));
        return;
    }
    const auto exchange = std::move(exchange_);
    {
        const std::lock_guard lock(exchange->mutex);
        exchange->broken = true;
        exchange->complete = true;
    }
    deliver(exchange);
}

void Responder::send(Response response) {
    PH_CHECK(exchange_ && !streaming_);
    const auto exchange = std::move(exchange_);
    exchange->link->service->finish_reply(response, exchange->facts);
    {
        const std::lock_guard lock(exchange->mutex);
        exchange->response = std::move(response);
        exchange->has_response = true;
        exchange->complete = true;
        exchange->on_disconnect = nullptr;
    }
    deliver(exchange);
}

bool Responder::begin(Response head) {
    PH_CHECK(exchange_ && !streaming_);
    streaming_ = true;
    {
        const std::lock_guard lock(exchange_->mutex);
        exchange_->response = std::move(head);
        exchange_->has_response = true;
        exchange_->streaming = true;
    }
    deliver(exchange_);
    return !gone();
}

bool Responder::write(std::string_view chunk) {
    PH_CHECK(exchange_ && streaming_);
    if (chunk.empty()) return !gone();
    if (exchange_->facts.method == Method::Head) return false;
    {
        std::unique_lock lock(exchange_->mutex);
        const auto has_room = [this] {
            return exchange_->gone ||
                   exchange_->chunks.size() + exchange_->bytes_in_socket < kStreamBufferBytesMax;
        };
        if (!exchange_->link->on_own_thread()) exchange_->room.wait(lock, has_room);
        if (exchange_->gone) return false;
        if (exchange_->http10) {
            exchange_->chunks.append(chunk);
        } else {
            fmt::format_to(std::back_inserter(exchange_->chunks), "{:x}\r\n", chunk.size());
            exchange_->chunks.append(chunk).append("\r\n");
        }
    }
    deliver(exchange_);
    return true;
}

void Responder::end() {
    PH_CHECK(exchange_ && streaming_);
    const auto exchange = std::move(exchange_);
    {
        const std::lock_guard lock(exchange->mutex);
        if (!exchange->http10 && exchange->facts.method != Method::Head) {
            exchange->chunks.append("0\r\n\r\n");
        }
        exchange->complete = true;
        exchange->on_disconnect = nullptr;
    }
    deliver(exchange);
}

bool Responder::gone() const noexcept {
    return exchange_ && exchange_->gone.load(std::memory_order_relaxed);
}

void Responder::on_disconnect(std::function<void()> callback) {
    PH_CHECK(exchange_);
    {
        const std::lock_guard lock(exchange_->mutex);
        if (!exchange_->gone) {
            exchange_->on_disconnect = std::move(callback);
            return;
        }
    }
    callback();
}

ExchangeFacts& Responder::facts() noexcept {
    PH_CHECK(exchange_);
    return exchange_->facts;
}

}  // namespace playhead::net
