#include "store/chdb/reader_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace playhead::store::chdb {
namespace {

// A kill reaches only a query that the engine has already begun; it is repeated until it is gone.
constexpr std::chrono::milliseconds kKillRepeat{20};
constexpr std::chrono::hours kIdleWait{1};
constexpr double kTimeLimitMax_s = 3600;

}  // namespace

ReaderPool::ReaderPool(std::vector<Connection> prompt, std::vector<Connection> patient,
                       Connection killer, std::chrono::milliseconds wait_limit)
    : wait_limit_(wait_limit), killer_(std::move(killer)) {
    prompt_.connections = std::move(prompt);
    patient_.connections = std::move(patient);
    for (Lane* lane : {&prompt_, &patient_}) {
        for (auto& reader : lane->connections) lane->free.push_back(&reader);
    }
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
        freed_.wait(lock, [this] {
            return prompt_.free.size() == prompt_.connections.size() &&
                   patient_.free.size() == patient_.connections.size() && guests_ == 0;
        });
    }
    changed_.notify_all();
    watcher_.join();
}

Result<ReaderPool::Lease> ReaderPool::acquire(const QueryOptions& options) {
    std::unique_lock lock(mutex_);
    // Without connections of their own, patient queries are like others.
    Lane& lane = options.patient && !patient_.connections.empty() ? patient_ : prompt_;
    const bool got =
        freed_.wait_for(lock, wait_limit_, [&] { return stopping_ || !lane.free.empty(); });
    if (stopping_) return fail(ErrorCode::Unavailable, "the store is closing");
    if (!got) {
        return fail(
            ErrorCode::Unavailable,
            fmt::format("all {} query connections of the store are busy", lane.connections.size()));
    }
    Connection* connection = lane.free.back();
    lane.free.pop_back();
    auto lease = enlist(*connection, options, &lane);
    lock.unlock();
    changed_.notify_all();
    return lease;
}

Result<ReaderPool::Lease> ReaderPool::admit(Connection& connection, const QueryOptions& options) {
    std::unique_lock lock(mutex_);
    const bool got =
        freed_.wait_for(lock, wait_limit_, [this] { return stopping_ || guests_ < kGuestsMax; });
    if (stopping_) return fail(ErrorCode::Unavailable, "the store is closing");
    if (!got) {
        return fail(ErrorCode::Unavailable,
                    fmt::format("all {} places for SQL are taken", kGuestsMax));
    }
    ++guests_;
    auto lease = enlist(connection, options, nullptr);
    lock.unlock();
    changed_.notify_all();
    return lease;
}

/// Under the mutex.
ReaderPool::Lease ReaderPool::enlist(Connection& connection, const QueryOptions& options,
                                     Lane* lane) {
    const std::uint64_t number = next_number_++;
    Lease lease(*this, connection, number, lane);
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> limit(
        std::clamp(options.time_limit_s, 0.001, kTimeLimitMax_s));
    const auto deadline = now + std::chrono::duration_cast<std::chrono::milliseconds>(limit);
    // Whoever cancels sets the flag and then looks for the query here: one of the two sees it.
    const bool cancelled = options.cancelled != nullptr && options.cancelled->load();
    running_.emplace(number, Running{options.query_id, lease.tag(), now, deadline, cancelled});
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

std::optional<QueryProgress> ReaderPool::progress(std::string_view query_id) {
    QueryProgress progress;
    std::string tag;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [number, query] : running_) {
            if (query_id.empty() || query.query_id != query_id) continue;
            tag = query.tag;
            progress.stopping = query.cancelled || query.timed_out;
            const std::chrono::duration<double> passed =
                std::chrono::steady_clock::now() - query.begun;
            progress.elapsed_s = passed.count();
        }
    }
    if (tag.empty()) return std::nullopt;
    const std::lock_guard lock(killer_mutex_);
    const auto answer = killer_.query(
        "SELECT read_rows, read_bytes FROM system.processes "
        "WHERE startsWith(query, {tag:String})",
        {{"tag", tag}}, "TSV");
    // Between two statements of one request the engine does not know it: nothing read yet.
    if (!answer) return progress;
    const auto text = answer->bytes();
    const auto tab = text.find('\t');
    if (tab == std::string_view::npos) return progress;
    std::from_chars(text.data(), text.data() + tab, progress.rows_read);
    std::from_chars(text.data() + tab + 1, text.data() + text.size(), progress.bytes_read);
    return progress;
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

ReaderPool::Lease::Lease(ReaderPool& pool, Connection& connection, std::uint64_t number, Lane* lane)
    : pool_(&pool),
      connection_(&connection),
      number_(number),
      lane_(lane),
      tag_(fmt::format("/*playhead-{}*/ ", number)) {}

ReaderPool::Lease::Lease(Lease&& other) noexcept
    : pool_(other.pool_),
      connection_(other.connection_),
      number_(other.number_),
      lane_(other.lane_),
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
        if (lane_ == nullptr) {
            --pool_->guests_;
        } else {
            lane_->free.push_back(connection_);
        }
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
