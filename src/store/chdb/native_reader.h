/// Reads ClickHouse's Native format (blocks of columns) into a `ResultTable`: for small answers the
/// fastest of the engine's formats.
#pragma once

#include <string_view>

#include "base/result.h"
#include "store/store.h"

namespace playhead::store::chdb {

/// True when `read_native` knows the type; others are to be asked for as toString(…).
bool is_readable(std::string_view type);

/// Reads all blocks. When a column's type is not readable, `columns` is filled and `rows` stays
/// empty: check `is_readable` of each. Internal when the bytes are not whole. Times are text in
/// UTC, arrays and maps are text in ClickHouse's form.
Result<ResultTable> read_native(std::string_view bytes);

}  // namespace playhead::store::chdb
