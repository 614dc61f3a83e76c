#include "store/memory_store.h"

#include <fmt/format.h>

#include <algorithm>

namespace playhead::store {
namespace {

constexpr const char* kNoSql = "the in-memory store answers no SQL";

Result<void> check_shape(const ColumnBatch& batch, const std::vector<ColumnBatch>& earlier) {
    for (std::size_t index = 0; index < batch.columns.size(); ++index) {
        const auto& column = batch.columns[index];
        if (column.rows() != batch.rows()) {
            return fail(ErrorCode::InvalidArgument,
                        fmt::format("column {} of {} has {} rows, not {}", column.name(),
                                    batch.table, column.rows(), batch.rows()));
        }
        if (earlier.empty()) continue;
        const auto& first = earlier.front().columns;
        if (first.size() != batch.columns.size() || first[index].name() != column.name() ||
            first[index].type() != column.type()) {
            return fail(ErrorCode::InvalidArgument,
                        fmt::format("{} has other columns than before", batch.table));
        }
    }
    return {};
}

MemoryStore::Value value_at(const Column& column, std::size_t row) {
    switch (column.type()) {
        case ColumnType::String: return std::string(column.string_at(row));
        case ColumnType::Map: return column.map_at(row);
        case ColumnType::Float32:
        case ColumnType::Float64: return column.real_at(row);
        default: return column.signed_at(row);
    }
}

}  // namespace

Result<void> MemoryStore::insert(const ColumnBatch& batch, std::string_view token) {
    if (batch.rows() == 0) return {};
    const std::lock_guard lock(mutex_);
    if (failures_left_ > 0) {
        --failures_left_;
        return fail(ErrorCode::Unavailable, "the in-memory store was told to fail");
    }
    auto& table = tables_[batch.table];
    if (auto shape = check_shape(batch, table.batches); !shape) return shape;
    if (std::find(table.tokens.begin(), table.tokens.end(), token) != table.tokens.end()) return {};
    table.batches.push_back(batch);
    table.tokens.emplace_back(token);
    if (table.tokens.size() > kTokensMax) table.tokens.pop_front();
    return {};
}

Result<ResultTable> MemoryStore::query(const Statement& statement, const QueryOptions&) {
    if (statement.sql != "SELECT 1") return fail(ErrorCode::Unprocessable, kNoSql);
    ResultTable table;
    table.columns = {{"1", "UInt8"}};
    table.rows = {{std::int64_t{1}}};
    return table;
}

Result<void> MemoryStore::stream(const Statement&, std::string_view, const QueryOptions&,
                                 const std::function<bool(std::string_view)>&) {
    return fail(ErrorCode::Unprocessable, kNoSql);
}

Result<std::uint64_t> MemoryStore::largest(std::string_view table, std::string_view column) {
    std::uint64_t best = 0;
    for (const Row& row : rows(table)) {
        const auto found = row.find(std::string(column));
        if (found == row.end()) continue;
        if (const auto* value = std::get_if<std::int64_t>(&found->second)) {
            best = std::max(best, static_cast<std::uint64_t>(*value));
        }
    }
    return best;
}

Result<void> MemoryStore::execute(const Statement& statement) {
    const std::lock_guard lock(mutex_);
    executed_.push_back(statement.sql);
    return {};
}

bool MemoryStore::cancel(std::string_view) {
    return false;
}

std::uint64_t MemoryStore::free_bytes() const {
    const std::lock_guard lock(mutex_);
    return free_bytes_;
}

std::vector<MemoryStore::Row> MemoryStore::rows(std::string_view table) const {
    const std::lock_guard lock(mutex_);
    std::vector<Row> rows;
    const auto found = tables_.find(table);
    if (found == tables_.end()) return rows;
    for (const auto& batch : found->second.batches) {
        for (std::size_t index = 0; index < batch.rows(); ++index) {
            auto& row = rows.emplace_back();
            for (const auto& column : batch.columns) {
                row.emplace(column.name(), value_at(column, index));
            }
        }
    }
    return rows;
}

std::size_t MemoryStore::row_count(std::string_view table) const {
    const std::lock_guard lock(mutex_);
    const auto found = tables_.find(table);
    if (found == tables_.end()) return 0;
    std::size_t count = 0;
    for (const auto& batch : found->second.batches) count += batch.rows();
    return count;
}

std::vector<std::string> MemoryStore::tokens(std::string_view table) const {
    const std::lock_guard lock(mutex_);
    const auto found = tables_.find(table);
    if (found == tables_.end()) return {};
    return {found->second.tokens.begin(), found->second.tokens.end()};
}

std::vector<std::string> MemoryStore::executed() const {
    const std::lock_guard lock(mutex_);
    return executed_;
}

void MemoryStore::fail_inserts(std::size_t count) {
    const std::lock_guard lock(mutex_);
    failures_left_ = count;
}

void MemoryStore::set_free_bytes(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    free_bytes_ = bytes;
}

void MemoryStore::clear() {
    const std::lock_guard lock(mutex_);
    tables_.clear();
    executed_.clear();
}

}  // namespace playhead::store
