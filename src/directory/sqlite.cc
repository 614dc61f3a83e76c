#include "directory/sqlite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace playhead::directory {

namespace {

constexpr int kBusyTimeoutMs = 5000;
/// Switching to WAL does not wait for the busy handler, so it is tried again by hand.
constexpr int kWalTriesMax = 100;
constexpr int kWalRetryMs = 20;

struct Finalizer {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using StatementPtr = std::unique_ptr<sqlite3_stmt, Finalizer>;

int bind(sqlite3_stmt* statement, int index, const SqlValue& value) {
    if (std::holds_alternative<std::nullptr_t>(value)) return sqlite3_bind_null(statement, index);
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        return sqlite3_bind_int64(statement, index, *number);
    }
    const auto text = std::get<std::string_view>(value);
    // A null pointer would bind NULL instead of the empty text.
    const char* data = text.data() == nullptr ? "" : text.data();
    return sqlite3_bind_text64(statement, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

}  // namespace

std::int64_t SqlRow::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

std::string SqlRow::text(int column) const {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    if (data == nullptr) return {};
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::optional<std::int64_t> SqlRow::optional_integer(int column) const {
    if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
    return integer(column);
}

Result<std::unique_ptr<Connection>> Connection::open(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        return fail(
            ErrorCode::Unavailable,
            fmt::format("The directory file {} cannot be opened or created.", file.string()));
    }
    ::close(descriptor);
    sqlite3* handle = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    const int code = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
    std::unique_ptr<Connection> connection(new Connection(handle));
    if (code != SQLITE_OK) return connection->failure(code, "open");
    sqlite3_extended_result_codes(handle, 1);
    if (auto configured = connection->configure(); !configured) return fail(configured.error());
    return connection;
}

Result<void> Connection::configure() {
    sqlite3_busy_timeout(handle_, kBusyTimeoutMs);
    for (int attempt = 1;; ++attempt) {
        auto wal = script("PRAGMA journal_mode=WAL");
        if (wal) break;
        if (wal.error().code != ErrorCode::Unavailable || attempt == kWalTriesMax) return wal;
        std::this_thread::sleep_for(std::chrono::milliseconds(kWalRetryMs));
    }
    return script("PRAGMA foreign_keys=ON; PRAGMA synchronous=FULL; PRAGMA trusted_schema=OFF");
}

Connection::~Connection() {
    sqlite3_close_v2(handle_);
}

tl::unexpected<Error> Connection::failure(int code, std::string_view doing) const {
    ErrorCode mapped = ErrorCode::Internal;
    switch (sqlite3_extended_errcode(handle_)) {
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_PRIMARYKEY: mapped = ErrorCode::Conflict; break;
        case SQLITE_CONSTRAINT_FOREIGNKEY: mapped = ErrorCode::NotFound; break;
        default: break;
    }
    const int primary = code & 0xff;
    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_FULL ||
        primary == SQLITE_IOERR || primary == SQLITE_READONLY || primary == SQLITE_CANTOPEN) {
        mapped = ErrorCode::Unavailable;
    }
    return fail(mapped, fmt::format("The directory file could not {}: {}.", doing,
                                    sqlite3_errmsg(handle_)));
}

Result<void> Connection::script(const char* sql) {
    const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return failure(code, "run a statement");
    return {};
}

Result<void> Connection::query(std::string_view sql, std::initializer_list<SqlValue> values,
                               const std::function<void(const SqlRow&)>& on_row) {
    sqlite3_stmt* raw = nullptr;
    int code = sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
    const StatementPtr statement(raw);
    if (code != SQLITE_OK) return failure(code, "prepare a statement");
    int index = 1;
    for (const SqlValue& value : values) {
        code = bind(raw, index++, value);
        if (code != SQLITE_OK) return failure(code, "bind a value");
    }
    while ((code = sqlite3_step(raw)) == SQLITE_ROW) on_row(SqlRow(raw));
    if (code != SQLITE_DONE) return failure(code, "run a statement");
    return {};
}

Result<std::int64_t> Connection::run(std::string_view sql, std::initializer_list<SqlValue> values) {
    const std::int64_t before = sqlite3_total_changes64(handle_);
    if (auto done = query(sql, values, [](const SqlRow&) {}); !done) return fail(done.error());
    return sqlite3_total_changes64(handle_) - before;
}

Result<std::int64_t> Connection::scalar(std::string_view sql,
                                        std::initializer_list<SqlValue> values) {
    std::optional<std::int64_t> found;
    auto done = query(sql, values, [&](const SqlRow& row) { found = row.integer(0); });
    if (!done) return fail(done.error());
    if (!found) return fail(ErrorCode::Internal, "A query of the directory gave no row.");
    return *found;
}

std::int64_t Connection::last_insert_id() const {
    return sqlite3_last_insert_rowid(handle_);
}

Result<Transaction> Transaction::begin(Connection& connection) {
    if (auto begun = connection.script("BEGIN IMMEDIATE"); !begun) return fail(begun.error());
    return Transaction(connection);
}

Transaction::~Transaction() {
    if (connection_ != nullptr) static_cast<void>(connection_->script("ROLLBACK"));
}

Result<void> Transaction::commit() {
    auto done = connection_->script("COMMIT");
    if (done) connection_ = nullptr;
    return done;
}

}  // namespace playhead::directory
