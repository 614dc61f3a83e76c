/// The queries of the API by id: those that run, and how the last ones ended.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/result.h"

namespace playhead::api {

/// Ended queries that are remembered; the oldest is forgotten first.
inline constexpr std::size_t kEndedQueriesMax = 2000;

/// How a query ended: without an error, or with this one.
struct Outcome {
    std::optional<ErrorCode> error;
    std::uint64_t rows_read = 0;
};

struct QueryState {
    std::string_view state;  ///< running, finished, cancelled, timeout or failed
    double elapsed_ms = 0;
    std::uint64_t rows_read = 0;  ///< of ended ones
};

/// Thread safe. Ids are a customer's own: the same id of two customers is two queries.
class RunningQueries {
public:
    explicit RunningQueries(const Clock& clock);

    /// An id in the form of a UUID of version 4; unique in this process.
    std::string new_id();
    void begin(std::string_view query_id, std::uint64_t customer_id);
    void finish(std::string_view query_id, std::uint64_t customer_id, Outcome outcome);
    std::optional<QueryState> find(std::string_view query_id, std::uint64_t customer_id) const;

private:
    struct Entry {
        std::int64_t begun_ns = 0;
        std::int64_t ended_ns = 0;
        std::uint64_t running = 0;
        Outcome outcome;
    };

    const Clock& clock_;
    std::uint64_t seed_;
    std::atomic<std::uint64_t> ids_given_{0};
    mutable std::mutex mutex_;
    std::map<std::string, Entry, std::less<>> entries_;
    std::deque<std::string> ended_;
};

/// One query among the running from its construction to `end`, or to its destruction: then it
/// failed.
class RunningQuery {
public:
    RunningQuery(RunningQueries& running, std::string query_id, std::uint64_t customer_id)
        : running_(running), query_id_(std::move(query_id)), customer_id_(customer_id) {
        running_.begin(query_id_, customer_id_);
    }
    ~RunningQuery() { end({ErrorCode::Internal}); }
    RunningQuery(const RunningQuery&) = delete;
    RunningQuery& operator=(const RunningQuery&) = delete;

    /// Before the answer goes out, so that a client that has it sees the query ended.
    void end(Outcome outcome) {
        if (!std::exchange(ended_, true)) running_.finish(query_id_, customer_id_, outcome);
    }

private:
    RunningQueries& running_;
    std::string query_id_;
    std::uint64_t customer_id_;
    bool ended_ = false;
};

}  // namespace playhead::api
