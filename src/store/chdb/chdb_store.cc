#include "store/chdb/chdb_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "store/chdb/native_reader.h"
#include "store/chdb/native_writer.h"
#include "store/chdb/reader_pool.h"
#include "store/migrations.h"

namespace playhead::store::chdb {
namespace {

constexpr int kReadersMax = 64;
constexpr double kTimeLimitOfConnections_s = 3600;

/// The engine reports a failed start on stderr only, so what can be known is asked before.
Result<void> check_directory(const std::string& directory) {
    if (directory.empty() || directory.front() != '/') {
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("the store's directory must be absolute: {}", directory));
    }
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error || !std::filesystem::is_directory(directory, error)) {
        return fail(ErrorCode::Unavailable,
                    fmt::format("the store's directory {} cannot be made: {}", directory,
                                error ? error.message() : "it is a file"));
    }
    const std::string probe = directory + "/.playhead-write-check";
    const int probe_fd = open(probe.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (probe_fd < 0) {
        return fail(ErrorCode::Unavailable,
                    fmt::format("the store's directory {} is not writable: {}", directory,
                                std::strerror(errno)));
    }
    close(probe_fd);
    unlink(probe.c_str());
    const std::string status = directory + "/status";
    const int status_fd = open(status.c_str(), O_RDONLY | O_CLOEXEC);
    if (status_fd < 0) return {};
    const bool free = flock(status_fd, LOCK_EX | LOCK_NB) == 0;
    close(status_fd);
    if (free) return {};
    return fail(
        ErrorCode::Unavailable,
        fmt::format("the store in {} is open in another process; stop that one first", directory));
}

std::string quoted(std::string_view text) {
    auto literal = array_literal({std::string(text)});
    return literal.substr(1, literal.size() - 2);
}

/// One batch must stay one block per partition, else its token would not cover it.
std::string insert_statement(const ColumnBatch& batch, std::string_view token) {
    std::string sql = fmt::format("INSERT INTO {} (", quoted_identifier(batch.table));
    for (const auto& column : batch.columns) {
        if (sql.back() != '(') sql += ", ";
        sql += quoted_identifier(column.name());
    }
    sql += fmt::format(") SETTINGS insert_deduplication_token = {}", quoted(token));
    return sql;
}

Result<Connection> open_with(const EngineApi& api, const std::vector<std::string>& arguments,
                             const std::vector<std::string>& statements) {
    auto connection = Connection::open(api, arguments);
    if (!connection) return connection;
    for (const auto& sql : statements) {
        if (auto done = connection->query(sql, {}, "Null"); !done) return fail(done.error());
    }
    return connection;
}

/// RFC 4180 and plain JSON: a null is an empty field, lines end in CRLF, no \/ and no broken UTF-8.
constexpr const char* kFormatSettings =
    "SET output_format_csv_crlf_end_of_line = 1, format_csv_null_representation = '', "
    "output_format_json_escape_forward_slashes = 0, output_format_json_validate_utf8 = 1, "
    "output_format_json_quote_64bit_integers = 0, output_format_arrow_string_as_string = 1, "
    "output_format_parquet_string_as_string = 1";

std::string priority_setting(bool patient) {
    return fmt::format("SET priority = {}", patient ? kPatientPriority : kPromptPriority);
}

/// What a tenant's connection is told before it becomes one that takes no more settings.
std::vector<std::string> confined_settings(const Confinement& confinement, bool patient) {
    std::string filters;
    for (const auto& [table, condition] : confinement.row_filters) {
        if (!filters.empty()) filters += ", ";
        filters += fmt::format("{}: {}", quoted(std::string_view(table)),
                               quoted(std::string_view(condition)));
    }
    return {
        fmt::format("USE {}", quoted_identifier(confinement.database)),
        fmt::format("SET additional_table_filters = {{{}}}", filters),
        fmt::format("SET max_execution_time = {}", confinement.time_limit_s),
        "SET timeout_before_checking_execution_speed = 0",
        fmt::format("SET max_memory_usage = {}", confinement.memory_bytes_max),
        // Nothing of it goes to the disk: a tenant must not fill it.
        "SET max_bytes_before_external_group_by = 0, max_bytes_ratio_before_external_group_by = 0",
        "SET max_bytes_before_external_sort = 0, max_bytes_ratio_before_external_sort = 0",
        fmt::format("SET max_result_rows = {}", confinement.result_rows_max),
        "SET result_overflow_mode = 'throw'",
        fmt::format("SET max_threads = {}", confinement.threads_max),
        priority_setting(patient),
        "SET do_not_merge_across_partitions_select_final = 1",
        // Its counts would tell how many rows of others lie beside one's own.
        "SET output_format_write_statistics = 0",
        kFormatSettings,
        "SET readonly = 1",
    };
}

/// Errors of a confined statement are its author's to mend, but for those of ours.
Error confined_error(Error error, std::string_view reason) {
    constexpr std::string_view kMark = "DB::Exception: ";
    if (error.code == ErrorCode::Timeout || error.code == ErrorCode::Cancelled) return error;
    const int code = engine_code(reason);
    if (code == 243 || code == 0) return error;
    if (const auto at = reason.find(kMark); at != std::string_view::npos) {
        reason.remove_prefix(at + kMark.size());
    }
    // What follows names the statement that was run or tables that are not the tenant's.
    for (const std::string_view end :
         {": In scope", ". In query", "In query SELECT", "Maybe you meant", ": While ", ": while ",
          "(total)", ". Stack trace", ": (in file", "\n"}) {
        reason = reason.substr(0, reason.find(end));
    }
    Error ours{ErrorCode::InvalidArgument, std::string(reason.substr(0, 300)), "sql", {}, {}};
    if (code == 241 || code == 396 || code == 158 || code == 307 || code == 191) {
        ours.code = ErrorCode::Unprocessable;
    }
    return ours;
}

class ChdbStore final : public Store {
public:
    ChdbStore(std::string directory, Connection writer, Connection admin, Connection deriver,
              std::vector<Connection> readers, std::vector<Connection> patient, Connection killer,
              std::chrono::milliseconds wait_limit, const EngineApi& api,
              std::vector<std::string> arguments)
        : directory_(std::move(directory)),
          api_(api),
          arguments_(std::move(arguments)),
          writer_(std::move(writer)),
          admin_(std::move(admin)),
          deriver_(std::move(deriver)),
          readers_(std::move(readers), std::move(patient), std::move(killer), wait_limit) {}

    Result<void> migrate() override { return run_migrations(*this); }

    Result<void> insert(const ColumnBatch& batch, std::string_view token) override {
        if (batch.rows() == 0) return {};
        const std::string sql = insert_statement(batch, token);
        const std::lock_guard lock(writer_mutex_);
        block_.clear();
        write_native(batch, block_);
        auto done = writer_.insert(sql, block_);
        if (block_.capacity() > kBlockBytesKept) std::string().swap(block_);
        return done;
    }

    Result<ResultTable> query(const Statement& statement, const QueryOptions& options) override {
        auto lease = readers_.acquire(options);
        if (!lease) return fail(std::move(lease.error()));
        auto table = query_once(*lease, statement);
        if (!table) return table;
        for (const auto& column : table->columns) {
            if (!is_readable(column.type)) return query_as_text(*lease, statement);
        }
        return table;
    }

    Result<void> stream(const Statement& statement, std::string_view format,
                        const QueryOptions& options,
                        const std::function<bool(std::string_view)>& sink) override {
        auto lease = readers_.acquire(options);
        if (!lease) return fail(std::move(lease.error()));
        auto done = lease->connection().stream(lease->tag() + statement.sql, statement.parameters,
                                               format, sink);
        if (!done) return fail(named_end(*lease, std::move(done.error())));
        return unless_stopped(*lease);
    }

    Result<void> stream_confined(const Statement& statement, std::string_view format,
                                 const QueryOptions& options, const Confinement& confinement,
                                 const std::function<bool(std::string_view)>& sink) override {
        auto connection =
            open_with(api_, arguments_, confined_settings(confinement, options.patient));
        if (!connection) return fail(std::move(connection.error()));
        auto limited = options;
        limited.time_limit_s = confinement.time_limit_s;
        auto lease = readers_.admit(*connection, limited);
        if (!lease) return fail(std::move(lease.error()));
        std::string reason;
        const std::string sql = lease->tag() + statement.sql;
        Result<void> done;
        if (confinement.in_one_piece) {
            auto answer = connection->query(sql, statement.parameters, format, &reason);
            if (answer) sink(answer->bytes());
            if (!answer) done = fail(std::move(answer.error()));
        } else {
            done = connection->stream(sql, statement.parameters, format, sink, &reason);
        }
        if (done) return unless_stopped(*lease);
        auto error = named_end(*lease, std::move(done.error()));
        return fail(confined_error(std::move(error), reason));
    }

    std::optional<QueryProgress> progress(std::string_view query_id) override {
        return readers_.progress(query_id);
    }

    Result<std::uint64_t> largest(std::string_view table, std::string_view column) override {
        auto answer =
            query({fmt::format("SELECT toUInt64(max({})) FROM {}", column, table), {}}, {});
        if (!answer) return fail(std::move(answer.error()));
        const Cell& cell = answer->rows.at(0).at(0);
        if (const auto* number = std::get_if<std::uint64_t>(&cell)) return *number;
        return static_cast<std::uint64_t>(std::get<std::int64_t>(cell));
    }

    Result<void> execute(const Statement& statement) override {
        const std::lock_guard lock(admin_mutex_);
        auto answer = admin_.query(statement.sql, statement.parameters, "Null");
        if (!answer) return fail(std::move(answer.error()));
        return {};
    }

    Result<void> derive(const Statement& statement, const QueryOptions& options) override {
        const std::lock_guard lock(deriver_mutex_);
        auto lease = readers_.admit(deriver_, options);
        if (!lease) return fail(std::move(lease.error()));
        auto done = deriver_.query(lease->tag() + statement.sql, statement.parameters, "Null");
        if (!done) return fail(named_end(*lease, std::move(done.error())));
        return unless_stopped(*lease);
    }

    bool cancel(std::string_view query_id) override { return readers_.cancel(query_id); }

    std::uint64_t free_bytes() const override {
        struct statvfs disk{};
        if (statvfs(directory_.c_str(), &disk) != 0) return 0;
        return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
    }

private:
    static constexpr std::size_t kBlockBytesKept = 64U << 20U;

    static constexpr const char* kTooLong = "the query took longer than allowed";

    static Error named_end(const ReaderPool::Lease& lease, Error error) {
        if (error.code == ErrorCode::Cancelled && lease.end_reason() == ErrorCode::Timeout) {
            error.code = ErrorCode::Timeout;
            error.message = kTooLong;
        }
        return error;
    }

    /// The engine stops between blocks only, and a query that was stopped may end without an error:
    /// what came too late, or lacks rows, is no answer.
    static Result<void> unless_stopped(const ReaderPool::Lease& lease) {
        if (!lease.was_stopped()) return {};
        const auto reason = lease.end_reason();
        return fail(reason, reason == ErrorCode::Timeout ? kTooLong : "the query was cancelled");
    }

    Result<ResultTable> query_once(ReaderPool::Lease& lease, const Statement& statement) {
        auto answer =
            lease.connection().query(lease.tag() + statement.sql, statement.parameters, "Native");
        if (!answer) return fail(named_end(lease, std::move(answer.error())));
        if (auto whole = unless_stopped(lease); !whole) return fail(std::move(whole.error()));
        auto table = read_native(answer->bytes());
        if (!table) return table;
        table->rows_read = answer->rows_read();
        table->bytes_read = answer->bytes_read();
        table->elapsed_ms = answer->elapsed_s() * 1000;
        return table;
    }

    /// For types that the reader does not know (tuples, decimals, ids): the engine
    /// makes the text.
    Result<ResultTable> query_as_text(ReaderPool::Lease& lease, const Statement& statement) {
        auto described = query_once(
            lease, {fmt::format("DESCRIBE TABLE ({})", statement.sql), statement.parameters});
        if (!described) return described;
        std::string list;
        std::vector<ResultColumn> columns;
        for (const auto& row : described->rows) {
            columns.push_back({std::get<std::string>(row[0]), std::get<std::string>(row[1])});
            const auto name = quoted_identifier(columns.back().name);
            if (!list.empty()) list += ", ";
            list += is_readable(columns.back().type)
                        ? name
                        : fmt::format("toString({}) AS {}", name, name);
        }
        auto table = query_once(
            lease, {fmt::format("SELECT {} FROM ({})", list, statement.sql), statement.parameters});
        if (table) table->columns = std::move(columns);
        return table;
    }

    std::string directory_;
    const EngineApi& api_;
    std::vector<std::string> arguments_;
    std::mutex writer_mutex_;
    Connection writer_;
    std::string block_;
    std::mutex admin_mutex_;
    Connection admin_;
    std::mutex deriver_mutex_;
    Connection deriver_;
    ReaderPool readers_;
};

std::vector<std::string> reader_settings(const ChdbOptions& options, bool patient) {
    std::vector<std::string> settings{
        priority_setting(patient),
        fmt::format("SET max_execution_time = {}", kTimeLimitOfConnections_s),
        fmt::format("SET max_memory_usage = {}", options.query_memory_bytes_max),
        fmt::format("SET max_bytes_before_external_group_by = {}",
                    options.query_memory_bytes_max / 2),
        // A revision is in the partition of what it replaces: days need not be merged together.
        "SET do_not_merge_across_partitions_select_final = 1",
        // What a statement names MATERIALIZED is read once, however often it is used.
        "SET enable_materialized_cte = 1",
        // Lists of sessions read the columns of the rows they show only.
        "SET query_plan_max_limit_for_lazy_materialization = 10000",
        kFormatSettings,
    };
    if (options.query_threads > 0) {
        settings.push_back(fmt::format("SET max_threads = {}", options.query_threads));
    }
    settings.emplace_back("SET readonly = 1");
    return settings;
}

// A batch stays one block; a token repeated after a crash between a table and its views still
// fills the views; a history import may span any number of days. Rows of one key are merged by the
// background and by the queries anyway: merging a block before writing it doubles a row's cost.
const std::vector<std::string>& writer_settings() {
    static const std::vector<std::string> settings{
        "SET async_insert = 0",
        "SET max_insert_threads = 1",
        "SET max_insert_block_size = 1048576",
        "SET max_partitions_per_insert_block = 0",
        "SET optimize_on_insert = 0",
        "SET deduplicate_blocks_in_dependent_materialized_views = 1",
    };
    return settings;
}

}  // namespace

Result<std::unique_ptr<Store>> open_chdb_store(const ChdbOptions& options) {
    if (options.readers < 1 || options.readers > kReadersMax || options.patient_readers < 0 ||
        options.patient_readers > kReadersMax) {
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("the store takes 1 to {} query connections", kReadersMax));
    }
    const auto api =
        load_engine(options.library_path.empty() ? default_library_path() : options.library_path);
    if (!api) return fail(api.error());
    if (auto usable = check_directory(options.directory); !usable) return fail(usable.error());
    std::vector<std::string> arguments{"--path=" + options.directory, "--background_pool_size=2"};
    if (options.server_memory_bytes_max > 0) {
        arguments.push_back(
            fmt::format("--max_server_memory_usage={}", options.server_memory_bytes_max));
    }
    auto writer = open_with(**api, arguments, writer_settings());
    if (!writer) return fail(writer.error());
    auto admin = open_with(**api, arguments, {});
    if (!admin) return fail(admin.error());
    auto deriver = open_with(**api, arguments, {priority_setting(true)});
    if (!deriver) return fail(deriver.error());
    auto killer = open_with(**api, arguments, {});
    if (!killer) return fail(killer.error());
    std::vector<Connection> readers;
    std::vector<Connection> patient;
    for (int index = 0; index < options.readers + options.patient_readers; ++index) {
        const bool gives_way = index >= options.readers;
        auto reader = open_with(**api, arguments, reader_settings(options, gives_way));
        if (!reader) return fail(reader.error());
        (gives_way ? patient : readers).push_back(std::move(*reader));
    }
    return std::make_unique<ChdbStore>(
        options.directory, std::move(*writer), std::move(*admin), std::move(*deriver),
        std::move(readers), std::move(patient), std::move(*killer),
        std::chrono::milliseconds(static_cast<std::int64_t>(options.wait_limit_s * 1000)), **api,
        arguments);
}

}  // namespace playhead::store::chdb
