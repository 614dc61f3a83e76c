#include "net/connection.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

#include "base/log.h"
#include "net/problem.h"
#include "net/reply_writer.h"

namespace playhead::net {

namespace {

constexpr std::size_t kReadBufferBytes = 4 * 1024;
constexpr std::size_t kReadBufferBytesMax = 64 * 1024;
// Unsent reply bytes beyond which no further pipelined request is begun.
constexpr std::size_t kOutBytesMax = 1024 * 1024;
// An output buffer that grew beyond this is given back once it is empty.
constexpr std::size_t kOutBytesKept = 16 * 1024;

constexpr std::int64_t kNsPerMs = 1'000'000;

ErrorCode code_for(int status) {
    if (status == 413) return ErrorCode::PayloadTooLarge;
    return status == 431 ? ErrorCode::HeadersTooLarge : ErrorCode::InvalidArgument;
}

Refusal refusal_for(int status) {
    if (status == 413) return Refusal::Body;
    return status == 431 ? Refusal::Head : Refusal::Malformed;
}

}  // namespace

Connection::Connection(ShardState& shard, std::unique_ptr<Transport> transport)
    : shard_(shard), transport_(std::move(transport)) {
    request_.remote_ = transport_->remote_address();
    request_.secure_ = transport_->secure();
    last_activity_ns_ = now_ns();
    shard_.counters.gauges->connections.fetch_add(1, std::memory_order_relaxed);
}

void Connection::start() {
    // A TLS handshake is part of the first request's time.
    request_began_ns_ = last_activity_ns_;
    transport_->start(shared_from_this());
}

void Connection::on_ready() {
    started_ = true;
    request_began_ns_ = 0;
    arm_read();
}

void Connection::arm_read() {
    if (reading_ || closed_ || read_ended_) return;
    if (stop_parsing_) begin_ = end_ = 0;
    compact();
    if (end_ == capacity_) {
        if (capacity_ >= kReadBufferBytesMax) return;
        const auto larger = std::max(capacity_ * 2, kReadBufferBytes);
        // simdjson reads past the end of a body that lies in this buffer.
        auto grown = std::make_unique_for_overwrite<char[]>(larger + kBodyPaddingBytes);
        if (end_ > 0) std::memcpy(grown.get(), buffer_.get(), end_);
        buffer_ = std::move(grown);
        capacity_ = larger;
    }
    reading_ = true;
    transport_->read(shared_from_this(), buffer_.get() + end_, capacity_ - end_);
}

void Connection::compact() {
    if (begin_ == 0) return;
    if (begin_ < end_) std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
}

void Connection::on_read(std::size_t bytes) {
    reading_ = false;
    if (closed_) return;
    shard_.counters.bytes_in->add(bytes);
    last_activity_ns_ = now_ns();
    end_ += bytes;
    process();
    arm_read();
}

void Connection::on_read_end(bool reset) {
    reading_ = false;
    read_ended_ = true;
    if (closed_) return;
    if (reset || !busy()) {
        close();
        return;
    }
    // The client may only have closed its sending side: what is under way is told that nobody may
    // be listening, yet a reply that comes is still written.
    stop_parsing_ = true;
    const auto waiting = pipeline_;
    for (const auto& exchange : waiting) exchange->mark_gone();
}

void Connection::process() {
    if (processing_) return;
    processing_ = true;
    while (!stop_parsing_ && !closed_ && begin_ < end_ && pipeline_.size() < kPipelineMax &&
           out_.size() < kOutBytesMax) {
        if (request_began_ns_ == 0) request_began_ns_ = last_activity_ns_;
        const auto unread = [this] {
            return std::string_view(buffer_.get() + begin_, end_ - begin_);
        };
        auto result = parser_.feed(unread(), request_);
        begin_ += result.consumed;
        if (result.state == ParseState::HeadDone) {
            if (!admit()) break;
            result = parser_.feed(unread(), request_);
            begin_ += result.consumed;
        }
        if (result.state == ParseState::Failed) {
            refuse({code_for(parser_.status()), std::string(parser_.reason()), {}, {}, {}},
                   refusal_for(parser_.status()));
            break;
        }
        if (parser_.in_body() && !charge_to(request_.head_.size() + parser_.body_bytes_read()))
            break;
        if (result.state == ParseState::NeedMore) break;
        dispatch();
        pump();
    }
    // Only bytes between requests left (an empty line): nobody is late.
    if (begin_ == end_ && !parser_.in_body()) request_began_ns_ = 0;
    processing_ = false;
    flush();
}

bool Connection::admit() {
    const auto& service = *shard_.link->service;
    const auto body_limit = parser_.has_body() ? service.body_bytes_max(request_) : 0;
    parser_.set_body_limit(body_limit);
    if (parser_.content_length() > body_limit) {
        Error error{ErrorCode::PayloadTooLarge, "The body is too large.", "Content-Length", {}, {}};
        error.value = std::to_string(parser_.content_length());
        error.expected = "at most " + std::to_string(body_limit) + " bytes";
        refuse(error, Refusal::Body);
        return false;
    }
    if (!charge_to(request_.head_.size() + parser_.content_length())) return false;
    if (parser_.expects_continue() && begin_ == end_ && pipeline_.empty()) {
        out_.append("HTTP/1.1 100 Continue\r\n\r\n");
    }
    return true;
}

/// Raises what the request being read counts for among the shard's bytes in flight. False when that
/// is too much and was refused. A declared length counts before its bytes come.
bool Connection::charge_to(std::uint64_t bytes) {
    if (bytes <= charged_bytes_) return true;
    shard_.bytes_in_flight += bytes - charged_bytes_;
    charged_bytes_ = bytes;
    if (shard_.bytes_in_flight <= shard_.bytes_in_flight_max) return true;
    refuse({ErrorCode::Unavailable, "Too much is under way already.", {}, {}, {}},
           Refusal::BytesInFlight);
    return false;
}

std::shared_ptr<Exchange> Connection::make_exchange() {
    auto exchange = std::make_shared<Exchange>(shard_.link);
    exchange->connection = weak_from_this();
    exchange->facts.started_ns = last_activity_ns_;
    exchange->facts.received_ms = shard_.clock.now_ms();
    exchange->charged_bytes = std::exchange(charged_bytes_, 0);
    pipeline_.push_back(exchange);
    shard_.counters.gauges->in_flight.fetch_add(1, std::memory_order_relaxed);
    return exchange;
}

void Connection::dispatch() {
    auto exchange = make_exchange();
    exchange->facts.method = request_.method();
    exchange->http10 = parser_.http10();
    exchange->close_after = !parser_.keep_alive();
    request_.received_ms_ = exchange->facts.received_ms;
    request_began_ns_ = 0;
    if (exchange->close_after) stop_parsing_ = true;
    try {
        shard_.link->service->handle(request_, Responder(std::move(exchange)));
    } catch (const std::exception& failure) {
        // The responder has answered 500 when it was unwound.
        log::error("handler failed: {}", failure.what());
    }
}

void Connection::refuse(const Error& error, Refusal reason) {
    shard_.counters.refused(reason);
    stop_parsing_ = true;
    request_began_ns_ = 0;
    auto exchange = make_exchange();
    exchange->close_after = true;
    Responder(std::move(exchange)).send(problem_response(error));
}

void Connection::on_reply_progress() {
    if (closed_ || processing_) return;
    flush();
    // Parsing may have paused because too many replies were open.
    if (!closed_ && begin_ < end_) process();
    if (!closed_) arm_read();
}

/// Moves what the front exchanges have into `out_`.
void Connection::pump() {
    while (!pipeline_.empty()) {
        // Held beyond the lock: `finish_front` lets go of the connection's reference.
        const std::shared_ptr<Exchange> kept = pipeline_.front();
        Exchange& front = *kept;
        const std::lock_guard lock(front.mutex);
        front.queued = false;
        if (!front.has_response) return;
        if (front.streaming) {
            pump_stream(front);
            if (!front.complete || !front.chunks.empty()) return;
        } else {
            write_head(front, false);
        }
        finish_front();
    }
}

void Connection::write_head(Exchange& exchange, bool stream) {
    const bool last = pipeline_.size() == 1 && begin_ == end_;
    if ((shard_.draining && last) || (stream && exchange.http10)) {
        exchange.close_after = true;
        stop_parsing_ = true;
    }
    exchange.status = exchange.response.status;
    exchange.body_bytes = exchange.response.body.size();
    const ReplyShape shape{exchange.facts.method == Method::Head, exchange.close_after,
                           exchange.http10, stream};
    append_reply(out_, exchange.response, shape, shard_.options.reply_lines, shard_.clock.now_ms());
    exchange.head_written = true;
}

void Connection::pump_stream(Exchange& exchange) {
    if (!exchange.head_written) write_head(exchange, true);
    // One block at a time is with the socket, so that the producer feels its pace.
    if (exchange.bytes_in_socket > 0) return;
    exchange.bytes_in_socket = exchange.chunks.size();
    exchange.body_bytes += exchange.chunks.size();
    out_.append(exchange.chunks);
    exchange.chunks.clear();
    if (exchange.complete && exchange.broken) exchange.close_after = true;
}

void Connection::finish_front() {
    Exchange& front = *pipeline_.front();
    if (front.close_after) close_after_flush_ = true;
    shard_.bytes_in_flight -= front.charged_bytes;
    shard_.counters.replied(front.status);
    shard_.counters.gauges->in_flight.fetch_sub(1, std::memory_order_relaxed);
    shard_.link->service->on_replied(
        {front.facts, front.status, front.body_bytes, now_ns() - front.facts.started_ns});
    pipeline_.erase(pipeline_.begin());
}

void Connection::flush() {
    if (flushing_ || closed_ || processing_) return;
    flushing_ = true;
    while (!closed_) {
        pump();
        if (writing_ || out_.empty()) break;
        const long written = transport_->write_now(out_);
        if (written < 0) {
            close();
            break;
        }
        shard_.counters.bytes_out->add(static_cast<std::uint64_t>(written));
        if (static_cast<std::size_t>(written) == out_.size()) {
            out_.clear();
            after_write();
            continue;
        }
        sending_.swap(out_);
        out_.clear();
        sent_ = static_cast<std::size_t>(written);
        writing_ = true;
        write_progress_ns_ = now_ns();
        transport_->write(shared_from_this(), std::string_view(sending_).substr(sent_));
    }
    flushing_ = false;
    if (closed_ || writing_ || !out_.empty()) return;
    if (out_.capacity() > kOutBytesKept) std::string().swap(out_);
    if (close_after_flush_) {
        start_linger();
    } else if (read_ended_ && pipeline_.empty()) {
        close();
    }
}

void Connection::on_written(std::size_t bytes) {
    if (closed_) return;
    shard_.counters.bytes_out->add(bytes);
    write_progress_ns_ = now_ns();
    sent_ += bytes;
    if (sent_ < sending_.size()) {
        transport_->write(shared_from_this(), std::string_view(sending_).substr(sent_));
        return;
    }
    writing_ = false;
    sending_.clear();
    if (sending_.capacity() > kOutBytesKept) std::string().swap(sending_);
    after_write();
    flush();
    // Parsing may have paused for lack of room.
    if (!closed_ && begin_ < end_) process();
    if (!closed_) arm_read();
}

/// All bytes so far are with the kernel: a streaming front may produce again.
void Connection::after_write() {
    last_activity_ns_ = now_ns();
    if (pipeline_.empty()) return;
    Exchange& front = *pipeline_.front();
    {
        const std::lock_guard lock(front.mutex);
        if (!front.streaming) return;
        front.bytes_in_socket = 0;
    }
    front.room.notify_all();
}

void Connection::start_linger() {
    if (lingering_) return;
    if (read_ended_) {
        close();
        return;
    }
    // Closing with unread bytes would reset the connection and could destroy the reply on its way.
    lingering_ = true;
    stop_parsing_ = true;
    linger_until_ns_ = now_ns() + shard_.options.linger_ms * kNsPerMs;
    transport_->shutdown_send();
    arm_read();
}

void Connection::on_tick(std::int64_t now) {
    if (closed_) return;
    const auto& options = shard_.options;
    if (lingering_) {
        if (now > linger_until_ns_) close();
        return;
    }
    if (writing_ && now - write_progress_ns_ > options.write_timeout_ms * kNsPerMs) {
        close();
        return;
    }
    if (request_began_ns_ != 0) {
        const auto body_ms =
            parser_.in_body() ? parser_.body_bytes_read() * 1000 / options.body_bytes_per_s_min : 0;
        const auto limit_ms = options.request_timeout_ms + static_cast<std::int64_t>(body_ms);
        if (now - request_began_ns_ <= limit_ms * kNsPerMs) return;
        if (!started_) {
            close();
            return;
        }
        refuse({ErrorCode::RequestTimeout, "The request came too slowly.", {}, {}, {}},
               Refusal::Timeout);
        flush();
        return;
    }
    const bool idle = now - last_activity_ns_ > options.idle_timeout_ms * kNsPerMs;
    if (!busy() && (idle || shard_.draining)) close();
}

void Connection::close() {
    if (closed_) return;
    closed_ = true;
    const auto self = shared_from_this();
    transport_->close();
    shard_.bytes_in_flight -= std::exchange(charged_bytes_, 0);
    const auto waiting = std::exchange(pipeline_, {});
    for (const auto& exchange : waiting) {
        shard_.bytes_in_flight -= exchange->charged_bytes;
        exchange->mark_gone();
    }
    auto& gauges = *shard_.counters.gauges;
    gauges.connections.fetch_sub(1, std::memory_order_relaxed);
    gauges.in_flight.fetch_sub(static_cast<std::int64_t>(waiting.size()),
                               std::memory_order_relaxed);
    auto& list = shard_.connections;
    list[index] = std::move(list.back());
    list[index]->index = index;
    list.pop_back();
}

}  // namespace playhead::net
