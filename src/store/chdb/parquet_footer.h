/// The footer of a Parquet file that is put together from several: their row groups, moved.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace playhead::store::chdb {

/// Footers are FileMetaData of the Parquet format in Thrift's compact protocol. They are copied
/// value by value; what is not known here stays as it was.
class ParquetFooter {
public:
    /// Adds the row groups of a file whose bytes lie `shift` bytes further in the whole. False when
    /// the footer cannot be read; the first one also gives schema and writer.
    bool add(std::string_view footer, std::int64_t shift);
    /// The footer of the whole.
    std::string text() const;

private:
    std::map<std::int64_t, std::pair<std::uint8_t, std::string>> fields_;  ///< id: type, value
    std::string groups_;
    std::uint64_t group_count_ = 0;
    std::int64_t rows_ = 0;
    bool first_ = true;
};

}  // namespace playhead::store::chdb
