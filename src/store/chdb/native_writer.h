/// Writes a column batch as one block of ClickHouse's Native format.
#pragma once

#include <string>

#include "store/column_batch.h"

namespace playhead::store::chdb {

/// Appends the block to `out`. Strings go as String; the engine turns them into the table's type.
void write_native(const ColumnBatch& batch, std::string& out);

}  // namespace playhead::store::chdb
