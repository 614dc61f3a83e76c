#include "store/column_batch.h"

#include <cstring>
#include <limits>

#include "base/check.h"

namespace playhead::store {
namespace {

template <class T>
void push(std::vector<std::uint8_t>& out, T value) {
    const std::size_t at = out.size();
    out.resize(at + sizeof value);
    std::memcpy(out.data() + at, &value, sizeof value);
}

template <class T>
T read_at(const std::vector<std::uint8_t>& from, std::size_t row) {
    T value;
    PH_CHECK((row + 1) * sizeof value <= from.size());
    std::memcpy(&value, from.data() + row * sizeof value, sizeof value);
    return value;
}

// A batch is cut long before 2 GiB of text (kBatchTextBytesMax); going past it is our own mistake.
void push_text(std::string& text, std::vector<std::int32_t>& offsets, std::string_view value) {
    PH_CHECK(text.size() + value.size() <= kBatchTextBytesMax);
    text.append(value);
    offsets.push_back(static_cast<std::int32_t>(text.size()));
}

std::string_view text_at(const std::string& text, const std::vector<std::int32_t>& offsets,
                         std::size_t index) {
    const auto from = static_cast<std::size_t>(offsets.at(index));
    const auto to = static_cast<std::size_t>(offsets.at(index + 1));
    return std::string_view(text).substr(from, to - from);
}

}  // namespace

std::size_t width_of(ColumnType type) noexcept {
    switch (type) {
        case ColumnType::UInt8:
        case ColumnType::Int8: return 1;
        case ColumnType::UInt16: return 2;
        case ColumnType::UInt32:
        case ColumnType::Int32:
        case ColumnType::Float32: return 4;
        case ColumnType::UInt64:
        case ColumnType::Int64:
        case ColumnType::Float64:
        case ColumnType::DateTime64: return 8;
        case ColumnType::String:
        case ColumnType::Map: return 0;
    }
    return 0;
}

Column::Column(std::string name, ColumnType type) : name_(std::move(name)), type_(type) {
    clear();
}

std::size_t Column::bytes() const noexcept {
    return fixed_.size() + text_.size() + value_text_.size() +
           sizeof(std::int32_t) * (offsets_.size() + entry_offsets_.size() + value_offsets_.size());
}

void Column::clear() {
    rows_ = 0;
    fixed_.clear();
    text_.clear();
    offsets_.clear();
    entry_offsets_.clear();
    value_text_.clear();
    value_offsets_.clear();
    if (type_ == ColumnType::String || type_ == ColumnType::Map) offsets_.push_back(0);
    if (type_ == ColumnType::Map) {
        entry_offsets_.push_back(0);
        value_offsets_.push_back(0);
    }
}

void Column::append(std::string_view value) {
    PH_CHECK(type_ == ColumnType::String);
    push_text(text_, offsets_, value);
    ++rows_;
}

void Column::append_signed(std::int64_t value) {
    switch (width_of(type_)) {
        case 1: push(fixed_, static_cast<std::uint8_t>(value)); break;
        case 2: push(fixed_, static_cast<std::uint16_t>(value)); break;
        case 4: push(fixed_, static_cast<std::uint32_t>(value)); break;
        default: push(fixed_, value); break;
    }
    ++rows_;
}

void Column::append_unsigned(std::uint64_t value) {
    append_signed(static_cast<std::int64_t>(value));
}

void Column::append_real(double value) {
    if (type_ == ColumnType::Float32) {
        push(fixed_, static_cast<float>(value));
    } else {
        PH_CHECK(type_ == ColumnType::Float64);
        push(fixed_, value);
    }
    ++rows_;
}

void Column::append(const std::vector<std::pair<std::string, std::string>>& map) {
    PH_CHECK(type_ == ColumnType::Map);
    for (const auto& [key, value] : map) {
        push_text(text_, offsets_, key);
        push_text(value_text_, value_offsets_, value);
    }
    entry_offsets_.push_back(static_cast<std::int32_t>(offsets_.size() - 1));
    ++rows_;
}

std::string_view Column::string_at(std::size_t row) const {
    return text_at(text_, offsets_, row);
}

std::int64_t Column::signed_at(std::size_t row) const {
    switch (type_) {
        case ColumnType::UInt8: return read_at<std::uint8_t>(fixed_, row);
        case ColumnType::Int8: return read_at<std::int8_t>(fixed_, row);
        case ColumnType::UInt16: return read_at<std::uint16_t>(fixed_, row);
        case ColumnType::UInt32: return read_at<std::uint32_t>(fixed_, row);
        case ColumnType::Int32: return read_at<std::int32_t>(fixed_, row);
        default: return read_at<std::int64_t>(fixed_, row);
    }
}

double Column::real_at(std::size_t row) const {
    if (type_ == ColumnType::Float32) return read_at<float>(fixed_, row);
    if (type_ == ColumnType::Float64) return read_at<double>(fixed_, row);
    return static_cast<double>(signed_at(row));
}

std::vector<std::pair<std::string, std::string>> Column::map_at(std::size_t row) const {
    std::vector<std::pair<std::string, std::string>> map;
    const auto from = static_cast<std::size_t>(entry_offsets_.at(row));
    const auto to = static_cast<std::size_t>(entry_offsets_.at(row + 1));
    for (std::size_t entry = from; entry < to; ++entry) {
        map.emplace_back(text_at(text_, offsets_, entry),
                         text_at(value_text_, value_offsets_, entry));
    }
    return map;
}

}  // namespace playhead::store
