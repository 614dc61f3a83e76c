#include "store/chdb/native_writer.h"

#include <cstring>

namespace playhead::store::chdb {
namespace {

std::string_view type_name(ColumnType type) {
    switch (type) {
        case ColumnType::String: return "String";
        case ColumnType::UInt8: return "UInt8";
        case ColumnType::UInt16: return "UInt16";
        case ColumnType::UInt32: return "UInt32";
        case ColumnType::UInt64: return "UInt64";
        case ColumnType::Int8: return "Int8";
        case ColumnType::Int32: return "Int32";
        case ColumnType::Int64: return "Int64";
        case ColumnType::Float32: return "Float32";
        case ColumnType::Float64: return "Float64";
        case ColumnType::DateTime64: return "DateTime64(3, 'UTC')";
        case ColumnType::Map: return "Map(String, String)";
    }
    return "";
}

void put_varint(std::string& out, std::uint64_t value) {
    while (value >= 0x80U) {
        out.push_back(static_cast<char>(value | 0x80U));
        value >>= 7U;
    }
    out.push_back(static_cast<char>(value));
}

void put_text(std::string& out, std::string_view text) {
    put_varint(out, text.size());
    out.append(text);
}

void put_texts(std::string& out, const std::string& text,
               const std::vector<std::int32_t>& offsets) {
    for (std::size_t index = 0; index + 1 < offsets.size(); ++index) {
        const auto from = static_cast<std::size_t>(offsets[index]);
        const auto size = static_cast<std::size_t>(offsets[index + 1]) - from;
        put_varint(out, size);
        out.append(text, from, size);
    }
}

void put_column(std::string& out, const Column& column) {
    put_text(out, column.name());
    put_text(out, type_name(column.type()));
    if (column.type() == ColumnType::String) {
        put_texts(out, column.text(), column.offsets());
    } else if (column.type() == ColumnType::Map) {
        const auto& entries = column.entry_offsets();
        for (std::size_t row = 1; row < entries.size(); ++row) {
            const auto end = static_cast<std::uint64_t>(entries[row]);
            out.append(reinterpret_cast<const char*>(&end), sizeof end);
        }
        put_texts(out, column.text(), column.offsets());
        put_texts(out, column.value_text(), column.value_offsets());
    } else {
        const auto& fixed = column.fixed();
        out.append(reinterpret_cast<const char*>(fixed.data()), fixed.size());
    }
}

}  // namespace

void write_native(const ColumnBatch& batch, std::string& out) {
    std::size_t size = 64;
    for (const auto& column : batch.columns) size += column.bytes() + 64;
    out.reserve(out.size() + size);
    put_varint(out, batch.columns.size());
    put_varint(out, batch.rows());
    for (const auto& column : batch.columns) put_column(out, column);
}

}  // namespace playhead::store::chdb
