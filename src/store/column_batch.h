/// Columns on their way into the store: one table's rows, column by column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace playhead::store {

/// The column types that our tables use. DateTime64 is epoch milliseconds UTC; Map is
/// Map(String, String).
enum class ColumnType : std::uint8_t {
    String,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Int8,
    Int32,
    Int64,
    Float32,
    Float64,
    DateTime64,
    Map
};

/// Bytes of a value of a fixed-width type; 0 for String and Map.
std::size_t width_of(ColumnType type) noexcept;

/// Most text one column of a batch may hold; cut batches long before (offsets are 32 bit).
inline constexpr std::size_t kBatchTextBytesMax = 1U << 30U;

/// A column of any type. Strings are kept as one buffer and end offsets, so that they go to the
/// engine without another copy.
class Column {
public:
    Column(std::string name, ColumnType type);

    const std::string& name() const noexcept { return name_; }
    ColumnType type() const noexcept { return type_; }
    std::size_t rows() const noexcept { return rows_; }
    std::size_t bytes() const noexcept;

    void append(std::string_view value);        ///< String
    void append_signed(std::int64_t value);     ///< UInt*, Int*, DateTime64: narrowed
    void append_unsigned(std::uint64_t value);  ///< the same
    void append_real(double value);             ///< Float*
    void append(const std::vector<std::pair<std::string, std::string>>& map);  ///< Map
    void clear();

    /// Raw storage for the engine's side: fixed-width values, little endian.
    const std::vector<std::uint8_t>& fixed() const noexcept { return fixed_; }
    /// String bytes; `offsets()` has rows()+1 entries. For Map: of the keys and values in turn.
    const std::string& text() const noexcept { return text_; }
    const std::vector<std::int32_t>& offsets() const noexcept { return offsets_; }
    /// Map only: offsets of entries, rows()+1; keys in this column's text, values in these.
    const std::vector<std::int32_t>& entry_offsets() const noexcept { return entry_offsets_; }
    const std::string& value_text() const noexcept { return value_text_; }
    const std::vector<std::int32_t>& value_offsets() const noexcept { return value_offsets_; }

    /// Reading back, for the in-memory store and tests.
    std::string_view string_at(std::size_t row) const;
    std::int64_t signed_at(std::size_t row) const;
    double real_at(std::size_t row) const;
    std::vector<std::pair<std::string, std::string>> map_at(std::size_t row) const;

private:
    std::string name_;
    ColumnType type_;
    std::size_t rows_ = 0;
    std::vector<std::uint8_t> fixed_;
    std::string text_;
    std::vector<std::int32_t> offsets_;
    std::vector<std::int32_t> entry_offsets_;
    std::string value_text_;
    std::vector<std::int32_t> value_offsets_;
};

struct ColumnBatch {
    std::string table;
    std::vector<Column> columns;
    std::size_t rows() const noexcept { return columns.empty() ? 0 : columns.front().rows(); }
};

}  // namespace playhead::store
