/// Rows of comma-separated text (RFC 4180, leniently): fields in quotes may hold commas, quotes and
/// line ends. Bounded memory. Not thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "importers/line_source.h"

namespace playhead::importers {

class CsvReader {
public:
    static constexpr std::size_t kColumnsMax = 4096;
    static constexpr std::size_t kRowBytesMax = 1U << 20U;

    explicit CsvReader(LineSource source) : source_(std::move(source)) {}

    /// The next row that is not empty; false at the end. InvalidArgument for a row that cannot be
    /// read (the next call goes on behind it), Unavailable for damaged files.
    Result<bool> next(std::vector<std::string>& fields);

    std::uint64_t line() const noexcept { return first_line_; }  ///< where the row begins
    const std::string& name() const noexcept { return source_.name(); }

private:
    LineSource source_;
    std::uint64_t first_line_ = 0;
};

}  // namespace playhead::importers
