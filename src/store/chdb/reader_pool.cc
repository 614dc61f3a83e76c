#include "store/chdb/reader_pool.h"

#include <fmt/format.h>

#include <algorithm>

namespace playhead::store::chdb {
namespace {

// A kill reaches only a query that the engine has already begun; it is repeated until it is gone.
constexpr std::chrono::milliseconds kKillRepeat{20};
constexpr std::chrono::hours kIdleWait{1};
constexpr double kTimeLimitMax_s = 3600;

}  // namespace

ReaderPool::ReaderPool(std::vector<Connection> readers, Connection killer,
                       std::chrono::milliseconds wait_limit)
    : readers_(std::move(readers)), wait_limit_(wait_limit), killer_(std::move(killer)) {
    for (auto& reader : readers_) free_.push_back(&reader);
    watcher_ = std::thread([this] { watch(); });
}

ReaderPool::~ReaderPool() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        for (auto& [number, query] : running_) query.cancelled = true;
    }
    changed_.notify_all();
    {
        std::unique_lock lock(mutex_);
        freed_.wait(lock, [this] { return free_.size() == readers_.size(); });
    }
    changed_.notify_all();
    watcher_.join();
}

Result<ReaderPool::Lease> ReaderPool::acquire(const QueryOptions& options) {
    std::unique_lock lock(mutex_);
    const bool got =
        freed_.wait_for(lock, wait_limit_, [this] { return stopping_ || !free_.empty(); });
    if (stopping_) return fail(ErrorCode::Unavailable, "the store is closing");
    if (!got) {
        return fail(ErrorCode::Unavailable,
                    fmt::format("all {} query connections of the store are busy", readers_.size()));
    }
    Connection* connection = free_.back();
    free_.pop_back();
    const std::uint64_t number = next_number_++;
    Lease lease(*this, *connection, number);
    const std::chrono::duration<double> limit(
        std::clamp(options.time_limit_s, 0.001, kTimeLimitMax_s));
    const auto deadline = std::chrono::steady_clock::now() +
                          std::chrono::duration_cast<std::chrono::milliseconds>(limit);
    running_.emplace(number, Running{options.query_id, lease.tag(), deadline});
    lock.unlock();
    changed_.notify_all();
    return lease;
}

bool ReaderPool::cancel(std::string_view query_id) {
    bool found = false;
    {
        const std::lock_guard lock(mutex_);
        for (auto& [number, query] : running_) {
            if (query_id.empty() || query.query_id != query_id) continue;
            query.cancelled = true;
            found = true;
        }
    }
    if (found) changed_.notify_all();
    return found;
}

void ReaderPool::watch() {
    std::unique_lock lock(mutex_);
    while (!stopping_ || !running_.empty()) {
        const auto now = std::chrono::steady_clock::now();
        auto wake = now + kIdleWait;
        std::vector<std::string> tags;
        for (auto& [number, query] : running_) {
            if (now >= query.deadline) query.timed_out = true;
            if (query.cancelled || query.timed_out) {
                tags.push_back(query.tag);
                wake = std::min(wake, now + kKillRepeat);
            } else {
                wake = std::min(wake, query.deadline);
            }
        }
        if (!tags.empty()) {
            lock.unlock();
            for (const auto& tag : tags) kill(tag);
            lock.lock();
        }
        if (stopping_ && running_.empty()) return;
        changed_.wait_until(lock, wake);
    }
}

void ReaderPool::kill(const std::string& tag) {
    const std::lock_guard lock(killer_mutex_);
    // SYNC would hang for ever: a dead query leaves the list at its connection's next query.
    static_cast<void>(killer_.query("KILL QUERY WHERE startsWith(query, {tag:String}) ASYNC",
                                    {{"tag", tag}}, "Null"));
}

ReaderPool::Lease::Lease(ReaderPool& pool, Connection& connection, std::uint64_t number)
    : pool_(&pool),
      connection_(&connection),
      number_(number),
      tag_(fmt::format("/*playhead-{}*/ ", number)) {}

ReaderPool::Lease::Lease(Lease&& other) noexcept
    : pool_(other.pool_),
      connection_(other.connection_),
      number_(other.number_),
      tag_(std::move(other.tag_)) {
    other.pool_ = nullptr;
}

ReaderPool::Lease::~Lease() {
    if (pool_ == nullptr) return;
    bool stopped = false;
    {
        const std::lock_guard lock(pool_->mutex_);
        const auto entry = pool_->running_.find(number_);
        stopped = entry->second.cancelled || entry->second.timed_out;
        pool_->running_.erase(entry);
    }
    // A killed query stays in the engine's list until its connection runs another one.
    if (stopped) static_cast<void>(connection_->query("SELECT 1", {}, "Null"));
    {
        const std::lock_guard lock(pool_->mutex_);
        pool_->free_.push_back(connection_);
        pool_->freed_.notify_all();
    }
    pool_->changed_.notify_all();
}

bool ReaderPool::Lease::was_stopped() const {
    const std::lock_guard lock(pool_->mutex_);
    const auto& query = pool_->running_.at(number_);
    return query.cancelled || query.timed_out;
}

ErrorCode ReaderPool::Lease::end_reason() const {
    const std::lock_guard lock(pool_->mutex_);
    const auto& query = pool_->running_.at(number_);
    return query.timed_out && !query.cancelled ? ErrorCode::Timeout : ErrorCode::Cancelled;
}

}  // namespace playhead::store::chdb
