/// A table of finished sessions row by row, as text: a CSV file, or a Parquet file that the store's
/// engine reads. Not thread safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace playhead::importers {

class SessionTable {
public:
    virtual ~SessionTable() = default;

    virtual const std::vector<std::string>& columns() const noexcept = 0;
    /// The next row's fields; false at the end. InvalidArgument for a row that cannot be read: the
    /// next call goes on behind it.
    virtual Result<bool> next(std::vector<std::string>& fields) = 0;
    /// Of the last row: the line of a CSV file, the number of the row (from 1) of a Parquet file.
    virtual std::uint64_t line() const noexcept = 0;
};

/// Plain, gzip or zstd; "-" is standard input. The first row has the names of the columns.
Result<std::unique_ptr<SessionTable>> open_csv(const std::string& path);

/// By way of a table of the store's own (`import_staging`), which goes away with the result; one at
/// a time. Times come as epoch milliseconds, so a mapping needs no format for them.
Result<std::unique_ptr<SessionTable>> open_parquet(const std::string& path, store::Store& store);

/// By the name: ".parquet", else CSV. `store` may be null for CSV.
Result<std::unique_ptr<SessionTable>> open_table(const std::string& path, store::Store* store);

}  // namespace playhead::importers
