#include "query/schedule/schedule.h"

#include <pthread.h>

#include <chrono>
#include <exception>

#include "base/log.h"

namespace playhead::query {

namespace {

constexpr double kNanosecondsPerSecond = 1e9;
/// How often waiting queries are looked at for having waited too long.
constexpr std::chrono::milliseconds kLookAfter{250};

}  // namespace

Schedule::Schedule(FairLimits limits, double wait_limit_s, const Clock& clock,
                   MetricsRegistry& metrics)
    : clock_(clock),
      wait_limit_s_(wait_limit_s),
      workers_max_(limits.running_max),
      wait_seconds_(metrics.histogram("playhead_query_wait_seconds", "",
                                      "Time that queries waited for their turn")),
      prompt_(metrics.counter("playhead_query_turns_total", "kind=\"prompt\"",
                              "Queries begun, by whether they give way to others")),
      patient_(metrics.counter("playhead_query_turns_total", "kind=\"patient\"",
                               "Queries begun, by whether they give way to others")),
      refused_tenant_(metrics.counter("playhead_query_refused_total", "reason=\"customer_queue\"",
                                      "Queries refused because a queue was full")),
      refused_all_(metrics.counter("playhead_query_refused_total", "reason=\"queue\"",
                                   "Queries refused because a queue was full")),
      queue_(limits) {
    register_metrics(metrics);
    for (int index = 0; index < workers_max_; ++index) {
        workers_.emplace_back([this] {
            pthread_setname_np(pthread_self(), "ph-query");
            work();
        });
    }
    keeper_ = std::thread([this] {
        pthread_setname_np(pthread_self(), "ph-query-keep");
        keep();
    });
}

void Schedule::register_metrics(MetricsRegistry& metrics) {
    metrics.gauge("playhead_queue_depth", "queue=\"queries\"", "Items waiting, by queue", [this] {
        const std::lock_guard lock(mutex_);
        return static_cast<double>(queue_.waiting());
    });
    metrics.gauge("playhead_queries_running", "", "Queries that have their turn", [this] {
        const std::lock_guard lock(mutex_);
        return static_cast<double>(queue_.running());
    });
}

Result<void> Schedule::submit(const std::shared_ptr<Turn>& turn, Job job) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return fail(ErrorCode::Unavailable, "the server is stopping");
        // Whoever cancels sets the flag and looks for the entry under this mutex.
        if (turn->cancelled) return fail(ErrorCode::Cancelled, "the query was cancelled");
        const auto number = queue_.push(turn->customer_id, clock_.monotonic_ns());
        if (!number) {
            const bool own = number.error().code == ErrorCode::TooManyRequests;
            (own ? refused_tenant_ : refused_all_).add();
            return fail(number.error());
        }
        entries_.emplace(*number, Entry{turn, std::move(job)});
    }
    work_.notify_one();
    return {};
}

/// Under the mutex; the number waits.
void Schedule::refuse(std::uint64_t number, ErrorCode code, const char* message) {
    queue_.remove(number);
    const auto entry = entries_.find(number);
    refused_.push_back({std::move(entry->second.job), Error{code, message, {}, {}, {}}});
    entries_.erase(entry);
    refuse_.notify_one();
}

bool Schedule::cancel(std::uint64_t customer_id, std::string_view query_id) {
    const std::lock_guard lock(mutex_);
    std::vector<std::uint64_t> found;
    for (auto& [number, entry] : entries_) {
        const Turn& turn = *entry.turn;
        if (turn.customer_id != customer_id || query_id.empty() || turn.query_id != query_id) {
            continue;
        }
        entry.turn->cancelled = true;
        found.push_back(number);
    }
    for (const auto number : found) {
        // A job that has been taken runs: it sees the flag.
        if (entries_.at(number).job)
            refuse(number, ErrorCode::Cancelled, "the query was cancelled");
    }
    return !found.empty();
}

std::vector<std::shared_ptr<Turn>> Schedule::turns() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Turn>> out;
    out.reserve(entries_.size());
    for (const auto& [number, entry] : entries_) out.push_back(entry.turn);
    return out;
}

void Schedule::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        const auto start = stopping_ ? std::nullopt : queue_.next(clock_.monotonic_ns());
        if (!start) {
            if (stopping_) return;
            work_.wait(lock);
            continue;
        }
        Entry& entry = entries_.at(start->number);
        const auto turn = entry.turn;
        Job job;
        job.swap(entry.job);
        turn->patient = start->patient;
        turn->begun_ns = clock_.monotonic_ns();
        lock.unlock();
        (start->patient ? patient_ : prompt_).add();
        wait_seconds_.observe(static_cast<double>(start->waited_ns) / kNanosecondsPerSecond);
        try {
            const Turn::Scope scope(*turn);
            job({});
        } catch (const std::exception& failure) {
            // The responder has answered 500 when it was unwound.
            log::error("query failed: {}", failure.what());
        }
        job = {};
        lock.lock();
        queue_.finish(start->number, clock_.monotonic_ns());
        entries_.erase(start->number);
        // A patient query that ends may let several others start.
        work_.notify_all();
    }
}

/// Unlocks while jobs run.
void Schedule::run_refused(std::unique_lock<std::mutex>& lock) {
    while (!refused_.empty()) {
        Refused next = std::move(refused_.front());
        refused_.pop_front();
        lock.unlock();
        next.job(fail(next.reason));
        next.job = {};
        lock.lock();
    }
}

void Schedule::keep() {
    std::unique_lock lock(mutex_);
    while (true) {
        const auto limit_ns = static_cast<std::int64_t>(wait_limit_s_ * kNanosecondsPerSecond);
        for (const auto number : queue_.older_than(clock_.monotonic_ns() - limit_ns)) {
            refuse(number, ErrorCode::Unavailable,
                   "other queries kept this one waiting for too long");
        }
        run_refused(lock);
        if (stopping_) return;
        refuse_.wait_for(lock, kLookAfter, [this] { return stopping_ || !refused_.empty(); });
    }
}

void Schedule::stop() {
    {
        const std::lock_guard lock(mutex_);
        if (!stopping_) {
            stopping_ = true;
            std::vector<std::uint64_t> waiting;
            for (auto& [number, entry] : entries_) {
                entry.turn->cancelled = true;
                if (entry.job) waiting.push_back(number);
            }
            for (const auto number : waiting) {
                refuse(number, ErrorCode::Unavailable, "the server is stopping");
            }
        }
    }
    work_.notify_all();
    refuse_.notify_all();
    for (auto& worker : workers_) {
        if (worker.joinable()) worker.join();
    }
    if (keeper_.joinable()) keeper_.join();
}

}  // namespace playhead::query
