/// The read-only connections and the queries running on them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "store/chdb/connection.h"

namespace playhead::store::chdb {

/// Statements of tenants at once; each has a connection of its own.
inline constexpr std::size_t kGuestsMax = 64;

/// The engine lets a query of a lower class stand still while one of a higher class runs.
inline constexpr int kPromptPriority = 1;
inline constexpr int kPatientPriority = 2;

/// Lends connections, one per query, and kills queries: by id on request, and past their time.
/// Thread safe. All leases must have ended before destruction.
class ReaderPool {
    struct Lane {
        std::vector<Connection> connections;
        std::vector<Connection*> free;
    };

public:
    /// `patient` are those whose connections were told to give way.
    ReaderPool(std::vector<Connection> prompt, std::vector<Connection> patient, Connection killer,
               std::chrono::milliseconds wait_limit);
    ~ReaderPool();
    ReaderPool(const ReaderPool&) = delete;
    ReaderPool& operator=(const ReaderPool&) = delete;

    /// A connection for one query; goes back on destruction. `tag()` must start the query's text,
    /// that is how it is found when it has to be killed.
    class Lease {
    public:
        Lease(Lease&& other) noexcept;
        Lease& operator=(Lease&&) = delete;
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        ~Lease();
        Connection& connection() const { return *connection_; }
        const std::string& tag() const { return tag_; }
        /// Why the query ended when the engine says "cancelled": by request or past its time.
        ErrorCode end_reason() const;
        bool was_stopped() const;

    private:
        friend class ReaderPool;
        Lease(ReaderPool& pool, Connection& connection, std::uint64_t number, Lane* lane);
        ReaderPool* pool_;
        Connection* connection_;
        std::uint64_t number_;
        Lane* lane_;  ///< where the connection goes back to; null: it is not the pool's
        std::string tag_;
    };

    /// Waits for a free connection; Unavailable past the limit.
    Result<Lease> acquire(const QueryOptions& options);

    /// A place among the running for a query on a connection that is not the pool's: it can be
    /// found and killed like the others. At most `kGuestsMax` at once, else as `acquire`.
    Result<Lease> admit(Connection& connection, const QueryOptions& options);

    /// How far the query with this id is.
    std::optional<QueryProgress> progress(std::string_view query_id);

    /// Kills the queries with this id; false when there is none.
    bool cancel(std::string_view query_id);

private:
    using Time = std::chrono::steady_clock::time_point;
    struct Running {
        std::string query_id;
        std::string tag;
        Time begun;
        Time deadline;
        bool cancelled = false;
        bool timed_out = false;
    };
    Lease enlist(Connection& connection, const QueryOptions& options, Lane* lane);
    void watch();
    void kill(const std::string& tag);

    Lane prompt_;
    Lane patient_;
    std::chrono::milliseconds wait_limit_;
    mutable std::mutex mutex_;
    std::condition_variable freed_;
    std::condition_variable changed_;
    std::map<std::uint64_t, Running> running_;
    std::size_t guests_ = 0;
    std::uint64_t next_number_ = 1;
    bool stopping_ = false;
    std::mutex killer_mutex_;
    Connection killer_;
    std::thread watcher_;
};

}  // namespace playhead::store::chdb
