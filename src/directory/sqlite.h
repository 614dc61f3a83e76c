/// A thin owner of one SQLite connection: bound statements, errors as values. Internal to
/// `directory`. Not synchronized: the owner holds a lock around every call.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace playhead::directory {

/// A bound parameter. Views must live until the call returns.
using SqlValue = std::variant<std::nullptr_t, std::int64_t, std::string_view>;

inline SqlValue sql_optional(const std::optional<std::int64_t>& value) {
    return value ? SqlValue(*value) : SqlValue(nullptr);
}

/// The current row of a running statement. Column numbers start at 0.
class SqlRow {
public:
    explicit SqlRow(sqlite3_stmt* statement) : statement_(statement) {}
    std::int64_t integer(int column) const;
    std::string text(int column) const;
    std::optional<std::int64_t> optional_integer(int column) const;

private:
    sqlite3_stmt* statement_;
};

class Connection {
public:
    /// Opens or creates the file (mode 0600, since it holds private keys), with WAL, foreign keys
    /// and a busy timeout of 5 s.
    static Result<std::unique_ptr<Connection>> open(const std::filesystem::path& file);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Runs a script of several statements without parameters.
    Result<void> script(const char* sql);
    /// Runs one statement; returns the number of rows it changed. Conflict for a broken UNIQUE,
    /// NotFound for a broken foreign key, Unavailable when the file is busy or full.
    Result<std::int64_t> run(std::string_view sql, std::initializer_list<SqlValue> values);
    /// Runs a query and hands over each row.
    Result<void> query(std::string_view sql, std::initializer_list<SqlValue> values,
                       const std::function<void(const SqlRow&)>& on_row);
    /// The single integer of a query; Internal when there is no row.
    Result<std::int64_t> scalar(std::string_view sql, std::initializer_list<SqlValue> values = {});
    std::int64_t last_insert_id() const;

private:
    explicit Connection(sqlite3* handle) : handle_(handle) {}
    Result<void> configure();
    tl::unexpected<Error> failure(int code, std::string_view doing) const;

    sqlite3* handle_;
};

/// BEGIN IMMEDIATE; rolled back unless committed.
class Transaction {
public:
    static Result<Transaction> begin(Connection& connection);
    Transaction(Transaction&& other) noexcept : connection_(other.connection_) {
        other.connection_ = nullptr;
    }
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    Result<void> commit();

private:
    explicit Transaction(Connection& connection) : connection_(&connection) {}
    Connection* connection_;
};

}  // namespace playhead::directory
