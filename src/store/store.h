/// The store: where rows go and queries are answered. Implementations: the embedded engine
/// (`store/chdb`), and an in-memory double for tests and sanitizer builds (`store/memory_store.h`).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "store/column_batch.h"

namespace playhead::store {

/// A bound parameter, `{name:Type}` in the statement. The value is the plain text; the
/// implementation escapes it for the engine. Arrays are given in ClickHouse's text form, made by
/// `array_literal`.
struct Parameter {
    std::string name;
    std::string value;
    bool is_literal = false;  ///< already in the engine's text form (arrays): do not escape
};

/// A statement: text written by us only; whatever a client sent is in `parameters`.
struct Statement {
    std::string sql;
    std::vector<Parameter> parameters;
};

/// ClickHouse text form of an array of strings, for a parameter of type Array(String).
std::string array_literal(const std::vector<std::string>& values);

/// A name of a table or column as an identifier, in back quotes; any bytes.
std::string quoted_identifier(std::string_view name);

/// One cell of an answer. Integers beyond int64 come as UInt64; dates and times as text, always in
/// UTC (ask for toString(x, zone) or numbers for anything else); arrays and maps as text.
using Cell = std::variant<std::monostate, std::int64_t, std::uint64_t, double, std::string>;

struct ResultColumn {
    std::string name;
    std::string type;  ///< the engine's type name
};

struct ResultTable {
    std::vector<ResultColumn> columns;
    std::vector<std::vector<Cell>> rows;
    std::uint64_t rows_read = 0;
    std::uint64_t bytes_read = 0;
    double elapsed_ms = 0;
};

struct QueryOptions {
    std::string query_id;                ///< for `cancel` and progress; empty = none
    double time_limit_s = 200;           ///< Timeout when passed
    std::uint64_t memory_bytes_max = 0;  ///< 0 = the store's default
    int threads_max = 0;                 ///< 0 = the store's default
    bool patient = false;                ///< stands still while a query runs that is not
    /// Looked at when the query is about to begin: set, it ends at once. May be null; outlives the
    /// call.
    const std::atomic<bool>* cancelled = nullptr;
};

/// What a statement may do that a tenant wrote. All of it is held by the engine itself, on a
/// connection of this statement's own.
struct Confinement {
    /// Rows that exist for the statement: table (with its database) and condition, both ours.
    std::vector<std::pair<std::string, std::string>> row_filters;
    std::string database;  ///< where names without a database are looked up
    std::uint64_t result_rows_max = 0;
    std::uint64_t memory_bytes_max = 0;
    double time_limit_s = 0;
    int threads_max = 1;
    bool in_one_piece = false;  ///< for EXPLAIN, which the engine does not stream
};

/// How far a running query is.
struct QueryProgress {
    std::uint64_t rows_read = 0;
    std::uint64_t bytes_read = 0;
    double elapsed_s = 0;
    bool stopping = false;  ///< cancelled or past its time, not yet gone
};

/// Thread safe: any method from any thread. Queries wait for a free connection (bounded pool).
class Store {
public:
    virtual ~Store() = default;

    /// Brings the schema up to date. Unavailable with a clear message when the data are of a newer
    /// version than this binary knows.
    virtual Result<void> migrate() = 0;

    /// Inserts a batch atomically per partition. A repeated `token` on the same table adds nothing
    /// (the last 1000 tokens of a table are remembered). An empty batch does nothing.
    /// Unavailable when the disk is full or the engine refuses: nothing or all of it is there, and
    /// the same token may be tried again.
    virtual Result<void> insert(const ColumnBatch& batch, std::string_view token) = 0;

    /// Runs a SELECT and returns all of it. For answers that fit in memory.
    virtual Result<ResultTable> query(const Statement& statement, const QueryOptions& options) = 0;

    /// Runs a SELECT and hands over the answer in the engine's `format` (e.g. "CSVWithNames",
    /// "JSONEachRow", "ArrowStream", "Parquet") in chunks; `sink` returns false to stop.
    virtual Result<void> stream(const Statement& statement, std::string_view format,
                                const QueryOptions& options,
                                const std::function<bool(std::string_view)>& sink) = 0;

    /// As `stream`, for a statement that a tenant wrote: InvalidArgument where the engine refuses
    /// the statement, Unprocessable beyond its rows or memory. The texts of these errors are the
    /// engine's first sentence and may quote values of rows within the confinement.
    virtual Result<void> stream_confined(const Statement& statement, std::string_view format,
                                         const QueryOptions& options,
                                         const Confinement& confinement,
                                         const std::function<bool(std::string_view)>& sink);

    /// Nothing when no query with this id runs.
    virtual std::optional<QueryProgress> progress(std::string_view query_id);

    /// Largest value of an unsigned column, 0 for an empty table. Both names are ours, never a
    /// client's.
    virtual Result<std::uint64_t> largest(std::string_view table, std::string_view column) = 0;

    /// Runs a statement without an answer (DDL, retention). Not for client input.
    virtual Result<void> execute(const Statement& statement) = 0;

    /// Runs an INSERT … SELECT of ours from tables into a table, limited and cancelled like a
    /// query; it gives way to what is not patient. One at a time.
    virtual Result<void> derive(const Statement& statement, const QueryOptions& options);

    /// Stops a running query by its id; its caller gets Cancelled. False when there is none.
    virtual bool cancel(std::string_view query_id) = 0;

    /// Free bytes where the store writes; for the disk guard.
    virtual std::uint64_t free_bytes() const = 0;
};

}  // namespace playhead::store
