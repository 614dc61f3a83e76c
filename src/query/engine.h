/// Runs requests: plan, statement, rows. Thread safe when the store is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "query/flights.h"
#include "query/planner.h"
#include "query/request.h"
#include "query/result_cache.h"
#include "store/changes.h"
#include "store/store.h"

namespace playhead::query {

inline constexpr const char* kLossNotRead = "the tables read do not tell";

/// What `meta` says about an answer.
struct AnswerMeta {
    std::vector<UsedDefinition> definitions;
    std::vector<std::string> tables;
    std::string reason;
    std::string view;
    std::string granularity;  ///< empty when not a time series
    std::string timezone;
    bool approximate = false;
    bool filled = false;           ///< empty buckets are in the rows
    std::int64_t watermark_s = 0;  ///< data are complete up to here; 0 = unknown
    /// Of the beacons behind the answer; absent when the tables read do not tell.
    std::optional<double> late_percent;
    std::optional<double> lost_percent;  ///< of those that bear a number, an estimate
    std::optional<double> numbered_percent;
    std::string lost_reason = kLossNotRead;  ///< why `lost_percent` is absent
    std::string query_id;
    double elapsed_ms = 0;
    bool cached = false;           ///< nothing was run: all of it is from kept answers
    std::int64_t cache_age_s = 0;  ///< of the oldest of these
    std::int64_t period_end_s = 0;
    std::uint64_t rows_read = 0;
    std::string sql;  ///< of explain=1
    /// More members of `meta`: name and JSON text.
    std::vector<std::pair<std::string, std::string>> extra;
};

/// Takes the reading of a part of an answer into the whole's, which began as cached.
void add_reading(AnswerMeta& whole, const AnswerMeta& part);

struct Fetched;
/// The same of a table.
void add_reading(AnswerMeta& whole, const Fetched& part);

/// The rows that a statement may read: what happened in [from_s, to_s), and sessions that were open
/// then.
struct Reach {
    std::int64_t from_s = 0;
    std::int64_t to_s = 0;
    bool details = false;  ///< slices or events too, which are kept for a shorter time
};

/// A table, and whether it had been kept.
struct Fetched {
    SharedTable table;
    bool cached = false;
    std::int64_t age_s = 0;
    /// The table's rows, without a copy where nobody else has them.
    std::vector<std::vector<store::Cell>> take_rows();
};

struct Answer {
    std::vector<PlanColumn> columns;
    std::vector<std::vector<store::Cell>> rows;  ///< monostate = null
    std::vector<std::string> field_order;        ///< names of the row's fields, as asked for
    std::vector<std::string> objects;            ///< rows as JSON objects, in place of `rows`
    std::int64_t total_records = 0;
    std::int64_t limit = 0;
    bool with_meta = true;
    bool explain = false;
    AnswerMeta meta;
};

/// The store's name of a customer's query: ids come from clients, and one customer's id must not
/// name another's query.
std::string running_name(std::string_view query_id, std::uint64_t customer_id);

struct EngineOptions {
    std::int64_t retention_days = 400;
    std::int64_t details_days = 90;  ///< of slices and events
    double time_limit_s = 200;
    /// Changes whenever sessions move between tables; odd while they do. A query that met a move
    /// is run again, so that no session counts twice. Empty: nothing moves. Thread safe.
    std::function<std::uint64_t()> publication;
    /// By which answers are kept and shared; null: neither. Outlives the engine.
    const store::Changes* changes = nullptr;
    std::uint64_t cache_bytes_max = 0;
    /// Sums of days that are over; null: none. Needs `changes`. Outlives the engine.
    KeptDays* days = nullptr;
    /// An answer that took longer than this asks for days to be kept.
    double days_above_ms = 40;
};

/// Limits and cancellation of the turn that this thread has; the store's defaults without one.
store::QueryOptions options_of_turn();

class Engine {
public:
    /// All references must outlive the engine.
    Engine(store::Store& store, const Dictionary& dictionary, const Clock& clock,
           EngineOptions options);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Registers what the cache counts.
    void count_in(MetricsRegistry& metrics);

    /// Reads parameters under this engine's clock and retention.
    Result<QueryRequest> parse(const Parameters& parameters, Endpoint endpoint) const;

    /// The rows of a request of one customer. Errors of the plan (400, 422) and of the store.
    Result<Answer> run(const QueryRequest& request, std::uint64_t customer_id) const;

    /// The table of a statement of ours, for queries that no metric expresses. Of `request` it
    /// takes the id and the use of the cache; run again like a request when sessions moved
    /// meanwhile.
    Result<Fetched> table(const store::Statement& statement, const QueryRequest& request,
                          std::uint64_t customer_id, const Reach& reach) const;

    /// The rows in a format of the engine (CSVWithNames, JSONEachRow, ArrowStream, Parquet), in
    /// chunks; no limit unless asked for, empty buckets are not filled. `sink` false stops.
    Result<void> stream(const QueryRequest& request, std::uint64_t customer_id,
                        std::string_view format,
                        const std::function<bool(std::string_view)>& sink) const;

    /// Everything of one session as a JSON object: row, tags, slices, events, ads and the points of
    /// its score. NotFound when the customer has no such session.
    Result<std::string> session_json(std::string_view session_id, std::uint64_t customer_id) const;

    /// Stops the running query with this id (`QueryRequest::query_id`) of a customer; its caller
    /// gets Cancelled. False when none runs. Only marks it: never waits for the query.
    bool cancel(std::string_view query_id, std::uint64_t customer_id) const;

    /// How far that query is; nothing when none of the customer's runs under this id.
    std::optional<store::QueryProgress> progress(std::string_view query_id,
                                                 std::uint64_t customer_id) const;

    const Dictionary& dictionary() const noexcept { return dictionary_; }
    std::int64_t now_ms() const { return clock_.now_ms(); }

private:
    Result<Answer> run_once(const QueryRequest& request, std::uint64_t customer_id) const;
    /// Waits, for a moment, until nothing is moving.
    std::uint64_t settled() const;
    store::QueryOptions options_of(const QueryRequest& request, std::uint64_t customer_id) const;
    Result<void> fill_series(const QueryRequest& request, const Plan& plan,
                             std::uint64_t customer_id, Answer& answer) const;
    store::ChangeState rows_stand(const Reach& reach, std::uint64_t customer_id) const;
    /// Runs, or takes what is kept or being run. `as_of`: where the rows stood when the statement
    /// was made; null = now.
    Result<Fetched> fetch(const store::Statement& statement, const QueryRequest& request,
                          std::uint64_t customer_id, const Reach& reach,
                          const store::ChangeState* as_of = nullptr) const;
    bool outlives_cache(const Reach& reach) const;
    std::string name_of_caller(const QueryRequest& request, std::uint64_t customer_id) const;

    store::Store& store_;
    const Dictionary& dictionary_;
    const Clock& clock_;
    EngineOptions options_;
    std::unique_ptr<ResultCache> cache_;
    std::unique_ptr<Flights> flights_;
};

}  // namespace playhead::query
