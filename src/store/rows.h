/// The tables and how the model's rows become their columns. One list per table gives names, types
/// and values, so that the schema and the converters cannot differ. Plain functions, thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/rows.h"
#include "store/column_batch.h"

namespace playhead::store {

enum class Table : std::uint8_t { Sessions, LiveSessions, Slices, Events, AdViews, AppEvents };

inline constexpr Table kTables[] = {Table::Sessions, Table::LiveSessions, Table::Slices,
                                    Table::Events,   Table::AdViews,      Table::AppEvents};

/// The table's name in SQL, e.g. "live_sessions".
std::string_view name_of(Table table) noexcept;

struct ColumnSchema {
    std::string name;
    ColumnType type;
    std::string sql_type;  ///< e.g. "LowCardinality(String)", "DateTime64(3, 'UTC')"
};

struct TableSchema {
    std::string name;
    std::vector<ColumnSchema> columns;
};

/// The columns of a table, in the order of `append`.
const TableSchema& schema_of(Table table);

/// An empty batch with all columns of the table.
ColumnBatch batch_of(Table table);

/// Adds a row to a batch made by `batch_of` for the same table.
void append_session(ColumnBatch& batch, const model::SessionRow& row);
void append_live_session(ColumnBatch& batch, const model::SessionRow& row);
void append(ColumnBatch& batch, const model::SliceRow& row);
void append(ColumnBatch& batch, const model::EventRow& row);
void append(ColumnBatch& batch, const model::AdViewRow& row);
void append(ColumnBatch& batch, const model::AppEventRow& row);

/// The batches of a block that have rows, in the order in which they have to be inserted.
std::vector<ColumnBatch> batches_of(const model::RowBlock& block);

}  // namespace playhead::store
