/// The in-memory double of the store: keeps what was inserted, answers no SQL. For tests of what
/// writes into a store, and for sanitizer builds, where the engine cannot load. Thread safe.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "store/store.h"

namespace playhead::store {

class MemoryStore : public Store {
public:
    using Value = std::variant<std::int64_t, double, std::string,
                               std::vector<std::pair<std::string, std::string>>>;
    using Row = std::map<std::string, Value>;

    /// Tokens remembered per table, as the engine's tables do.
    static constexpr std::size_t kTokensMax = 1000;

    Result<void> migrate() override { return {}; }
    /// As the engine's. InvalidArgument when columns differ in length or the table's columns are
    /// not those of its first batch.
    Result<void> insert(const ColumnBatch& batch, std::string_view token) override;
    /// Answers `SELECT 1` only, else Unprocessable.
    Result<ResultTable> query(const Statement& statement, const QueryOptions& options) override;
    Result<void> stream(const Statement& statement, std::string_view format,
                        const QueryOptions& options,
                        const std::function<bool(std::string_view)>& sink) override;
    Result<std::uint64_t> largest(std::string_view table, std::string_view column) override;
    Result<void> execute(const Statement& statement) override;
    bool cancel(std::string_view query_id) override;
    std::uint64_t free_bytes() const override;

    /// All rows of a table in the order of insertion; times are epoch ms.
    std::vector<Row> rows(std::string_view table) const;
    std::size_t row_count(std::string_view table) const;
    /// Tokens of a table in the order in which they were accepted.
    std::vector<std::string> tokens(std::string_view table) const;
    /// Statements given to `execute`.
    std::vector<std::string> executed() const;

    /// The next `count` inserts fail with Unavailable and leave nothing.
    void fail_inserts(std::size_t count);
    void set_free_bytes(std::uint64_t bytes);
    void clear();

private:
    struct TableData {
        std::vector<ColumnBatch> batches;
        std::deque<std::string> tokens;
    };

    mutable std::mutex mutex_;
    std::map<std::string, TableData, std::less<>> tables_;
    std::vector<std::string> executed_;
    std::size_t failures_left_ = 0;
    std::uint64_t free_bytes_ = 1ULL << 40U;
};

}  // namespace playhead::store
