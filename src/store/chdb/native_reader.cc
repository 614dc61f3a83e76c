#include "store/chdb/native_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <ctime>
#include <functional>
#include <optional>

namespace playhead::store::chdb {
namespace {

class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}
    bool empty() const { return rest_.empty(); }
    bool failed() const { return failed_; }

    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (rest_.empty()) break;
            const auto byte = static_cast<unsigned char>(rest_.front());
            rest_.remove_prefix(1);
            value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
            if ((byte & 0x80U) == 0) return value;
        }
        failed_ = true;
        return 0;
    }

    std::string_view take(std::uint64_t size) {
        if (failed_ || size > rest_.size()) {
            failed_ = true;
            return {};
        }
        const auto taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }

    std::string_view text() { return take(varint()); }

    template <class T>
    T fixed() {
        T value{};
        const auto bytes = take(sizeof value);
        if (bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }

private:
    std::string_view rest_;
    bool failed_ = false;
};

// "Array(String)" with "Array" gives "String".
std::optional<std::string_view> argument_of(std::string_view type, std::string_view name) {
    if (!type.starts_with(name) || type.size() < name.size() + 2) return std::nullopt;
    if (type[name.size()] != '(' || type.back() != ')') return std::nullopt;
    return type.substr(name.size() + 1, type.size() - name.size() - 2);
}

// The types of "K, V" at the first comma outside of parentheses and quotes.
std::pair<std::string_view, std::string_view> split_pair(std::string_view types) {
    int depth = 0;
    for (std::size_t at = 0; at < types.size(); ++at) {
        if (types[at] == '(') ++depth;
        if (types[at] == ')') --depth;
        if (types[at] == ',' && depth == 0) {
            auto second = types.substr(at + 1);
            while (second.starts_with(' ')) second.remove_prefix(1);
            return {types.substr(0, at), second};
        }
    }
    return {types, {}};
}

// A type that differs from another only in aggregation.
std::string_view bare(std::string_view type) {
    if (const auto inner = argument_of(type, "SimpleAggregateFunction")) {
        return bare(split_pair(*inner).second);
    }
    return type;
}

std::string date_text(std::int64_t days) {
    const std::time_t seconds = days * 86400;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

std::int64_t floor_div(std::int64_t value, std::int64_t by) {
    return value / by - (value % by < 0 ? 1 : 0);
}

std::string time_text(std::int64_t seconds) {
    const std::int64_t days = floor_div(seconds, 86400);
    const std::int64_t second = seconds - days * 86400;
    return fmt::format("{} {:02}:{:02}:{:02}", date_text(days), second / 3600, second / 60 % 60,
                       second % 60);
}

std::string fraction_text(std::int64_t ticks, int digits) {
    std::int64_t scale = 1;
    for (int digit = 0; digit < digits; ++digit) scale *= 10;
    const std::int64_t seconds = floor_div(ticks, scale);
    auto text = time_text(seconds);
    if (digits > 0) text += fmt::format(".{:0{}}", ticks - seconds * scale, digits);
    return text;
}

// Digits of DateTime64(digits[, zone]). The zone is only for display: the value is UTC, and the
// format drops the zone of DateTime, so that all times are shown in UTC.
std::optional<int> fraction_digits(std::string_view type) {
    const auto arguments = argument_of(type, "DateTime64");
    if (!arguments) return std::nullopt;
    const auto digits = split_pair(*arguments).first;
    int value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value >= 0 && value <= 9 ? std::optional(value) : std::nullopt;
}

std::string quoted(const Cell& cell) {
    if (const auto* text = std::get_if<std::string>(&cell)) {
        auto literal = array_literal({*text});
        return literal.substr(1, literal.size() - 2);
    }
    if (const auto* number = std::get_if<std::int64_t>(&cell)) return fmt::to_string(*number);
    if (const auto* number = std::get_if<std::uint64_t>(&cell)) return fmt::to_string(*number);
    if (const auto* number = std::get_if<double>(&cell)) return fmt::to_string(*number);
    return "NULL";
}

using Sink = std::function<void(std::uint64_t row, Cell cell)>;

template <class T>
void read_fixed(Reader& reader, std::uint64_t rows, const Sink& sink) {
    for (std::uint64_t row = 0; row < rows && !reader.failed(); ++row) {
        const T value = reader.fixed<T>();
        if constexpr (std::is_floating_point_v<T>) {
            sink(row, static_cast<double>(value));
        } else if constexpr (std::is_same_v<T, std::uint64_t>) {
            if (value <= static_cast<std::uint64_t>(INT64_MAX)) {
                sink(row, static_cast<std::int64_t>(value));
            } else {
                sink(row, value);
            }
        } else {
            sink(row, static_cast<std::int64_t>(value));
        }
    }
}

template <class T, class Format>
void read_formatted(Reader& reader, std::uint64_t rows, const Sink& sink, const Format& format) {
    for (std::uint64_t row = 0; row < rows && !reader.failed(); ++row) {
        sink(row, format(reader.fixed<T>()));
    }
}

bool read_number(Reader& reader, std::string_view type, std::uint64_t rows, const Sink& sink) {
    if (type == "UInt8" || type == "Bool") {
        read_fixed<std::uint8_t>(reader, rows, sink);
    } else if (type == "UInt16") {
        read_fixed<std::uint16_t>(reader, rows, sink);
    } else if (type == "UInt32") {
        read_fixed<std::uint32_t>(reader, rows, sink);
    } else if (type == "UInt64") {
        read_fixed<std::uint64_t>(reader, rows, sink);
    } else if (type == "Int8") {
        read_fixed<std::int8_t>(reader, rows, sink);
    } else if (type == "Int16") {
        read_fixed<std::int16_t>(reader, rows, sink);
    } else if (type == "Int32") {
        read_fixed<std::int32_t>(reader, rows, sink);
    } else if (type == "Int64") {
        read_fixed<std::int64_t>(reader, rows, sink);
    } else if (type == "Float32") {
        read_fixed<float>(reader, rows, sink);
    } else if (type == "Float64") {
        read_fixed<double>(reader, rows, sink);
    } else {
        return false;
    }
    return true;
}

bool read_time(Reader& reader, std::string_view type, std::uint64_t rows, const Sink& sink) {
    if (type == "Date") {
        read_formatted<std::uint16_t>(reader, rows, sink, date_text);
    } else if (type == "Date32") {
        read_formatted<std::int32_t>(reader, rows, sink, date_text);
    } else if (type == "DateTime" || type.starts_with("DateTime(")) {
        read_formatted<std::uint32_t>(reader, rows, sink, time_text);
    } else if (const auto digits = fraction_digits(type)) {
        read_formatted<std::int64_t>(reader, rows, sink, [digits = *digits](std::int64_t ticks) {
            return fraction_text(ticks, digits);
        });
    } else {
        return false;
    }
    return true;
}

void read_column(Reader& reader, std::string_view full_type, std::uint64_t rows, const Sink& sink);

std::vector<std::uint64_t> read_ends(Reader& reader, std::uint64_t rows) {
    const auto bytes = reader.take(rows > UINT64_MAX / 8 ? UINT64_MAX : rows * 8);
    std::vector<std::uint64_t> ends(bytes.size() / 8);
    if (!ends.empty()) std::memcpy(ends.data(), bytes.data(), bytes.size());
    return ends;
}

void read_array(Reader& reader, std::string_view element, std::uint64_t rows, const Sink& sink) {
    const auto ends = read_ends(reader, rows);
    std::vector<std::string> elements;
    read_column(reader, element, ends.empty() ? 0 : ends.back(),
                [&](std::uint64_t, const Cell& cell) { elements.push_back(quoted(cell)); });
    std::uint64_t at = 0;
    for (std::uint64_t row = 0; row < ends.size(); ++row) {
        std::string text = "[";
        for (; at < ends[row] && at < elements.size(); ++at) {
            if (text.size() > 1) text += ',';
            text += elements[at];
        }
        sink(row, text + "]");
    }
}

void read_map(Reader& reader, std::string_view types, std::uint64_t rows, const Sink& sink) {
    const auto [key_type, value_type] = split_pair(types);
    const auto ends = read_ends(reader, rows);
    const std::uint64_t count = ends.empty() ? 0 : ends.back();
    std::vector<std::string> keys;
    std::vector<std::string> values;
    read_column(reader, key_type, count,
                [&](std::uint64_t, const Cell& cell) { keys.push_back(quoted(cell)); });
    read_column(reader, value_type, count,
                [&](std::uint64_t, const Cell& cell) { values.push_back(quoted(cell)); });
    std::uint64_t at = 0;
    for (std::uint64_t row = 0; row < ends.size(); ++row) {
        std::string text = "{";
        for (; at < ends[row] && at < values.size(); ++at) {
            if (text.size() > 1) text += ',';
            text += keys[at];
            text += ':';
            text += values[at];
        }
        sink(row, text + "}");
    }
}

void read_nullable(Reader& reader, std::string_view inner, std::uint64_t rows, const Sink& sink) {
    const auto nulls = reader.take(rows);
    read_column(reader, inner, nulls.size(), [&](std::uint64_t row, Cell cell) {
        sink(row, nulls[row] != 0 ? Cell() : std::move(cell));
    });
}

std::uint64_t read_index(Reader& reader, unsigned width_log2) {
    switch (width_log2) {
        case 0: return reader.fixed<std::uint8_t>();
        case 1: return reader.fixed<std::uint16_t>();
        case 2: return reader.fixed<std::uint32_t>();
        default: return reader.fixed<std::uint64_t>();
    }
}

// Per block: width of the indexes, the distinct values, then one index per row. The first value
// stands for NULL in a nullable column.
void read_low_cardinality(Reader& reader, std::string_view inner, std::uint64_t rows,
                          const Sink& sink) {
    if (rows == 0) return;
    const auto nullable = argument_of(inner, "Nullable");
    const auto width_log2 = static_cast<unsigned>(reader.fixed<std::uint64_t>() & 0xFFU);
    std::vector<Cell> values;
    read_column(reader, nullable.value_or(inner), reader.fixed<std::uint64_t>(),
                [&](std::uint64_t, Cell cell) { values.push_back(std::move(cell)); });
    if (nullable && !values.empty()) values.front() = Cell();
    const auto count = reader.fixed<std::uint64_t>();
    for (std::uint64_t row = 0; row < rows && row < count && !reader.failed(); ++row) {
        const auto index = read_index(reader, width_log2);
        sink(row, index < values.size() ? values[index] : Cell());
    }
}

// What stands before a column's data: the version of every dictionary in its type.
void skip_prefix(Reader& reader, std::string_view type) {
    constexpr std::string_view kDictionary = "LowCardinality(";
    for (auto at = type.find(kDictionary); at != std::string_view::npos;
         at = type.find(kDictionary, at + 1)) {
        reader.fixed<std::uint64_t>();
    }
}

void read_column(Reader& reader, std::string_view full_type, std::uint64_t rows, const Sink& sink) {
    const auto type = bare(full_type);
    if (const auto dictionary = argument_of(type, "LowCardinality")) {
        read_low_cardinality(reader, *dictionary, rows, sink);
    } else if (type == "String") {
        for (std::uint64_t row = 0; row < rows && !reader.failed(); ++row) {
            sink(row, std::string(reader.text()));
        }
    } else if (type == "Nothing") {
        reader.take(rows);
        for (std::uint64_t row = 0; row < rows && !reader.failed(); ++row) sink(row, Cell());
    } else if (const auto element = argument_of(type, "Array")) {
        read_array(reader, *element, rows, sink);
    } else if (const auto pair = argument_of(type, "Map")) {
        read_map(reader, *pair, rows, sink);
    } else if (const auto inner = argument_of(type, "Nullable")) {
        read_nullable(reader, *inner, rows, sink);
    } else if (!read_number(reader, type, rows, sink)) {
        read_time(reader, type, rows, sink);
    }
}

}  // namespace

bool is_readable(std::string_view full_type) {
    const auto type = bare(full_type);
    if (const auto element = argument_of(type, "Array")) return is_readable(*element);
    if (const auto inner = argument_of(type, "Nullable")) return is_readable(*inner);
    if (const auto values = argument_of(type, "LowCardinality")) return is_readable(*values);
    if (const auto pair = argument_of(type, "Map")) {
        const auto [key, value] = split_pair(*pair);
        return is_readable(key) && is_readable(value);
    }
    if (type == "String" || type == "Nothing") return true;
    Reader nothing({});
    const Sink ignore = [](std::uint64_t, const Cell&) {};
    return read_number(nothing, type, 0, ignore) || read_time(nothing, type, 0, ignore);
}

Result<ResultTable> read_native(std::string_view bytes) {
    ResultTable table;
    Reader reader(bytes);
    while (!reader.empty()) {
        const auto columns = reader.varint();
        const auto rows = reader.varint();
        const std::size_t first_row = table.rows.size();
        const bool first_block = table.columns.empty();
        for (std::uint64_t index = 0; index < columns && !reader.failed(); ++index) {
            ResultColumn column{std::string(reader.text()), std::string(reader.text())};
            if (!first_block && index >= table.columns.size()) break;
            const auto type = column.type;
            if (first_block) table.columns.push_back(std::move(column));
            if (!is_readable(type)) return table;
            if (rows > 0) skip_prefix(reader, type);
            read_column(reader, type, rows, [&](std::uint64_t row, Cell cell) {
                if (table.rows.size() <= first_row + row) table.rows.emplace_back();
                table.rows[first_row + row].push_back(std::move(cell));
            });
        }
        if (reader.failed()) {
            return fail(ErrorCode::Internal, "the store's engine gave an answer that breaks off");
        }
    }
    return table;
}

}  // namespace playhead::store::chdb
