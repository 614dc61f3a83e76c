#include "store/chdb/parquet_footer.h"

#include <algorithm>

namespace playhead::store::chdb {

namespace {

// Thrift's compact protocol.
constexpr std::uint8_t kTrue = 1, kFalse = 2, kByte = 3, kI16 = 4, kI32 = 5, kI64 = 6, kDouble = 7,
                       kBinary = 8, kList = 9, kSet = 10, kMap = 11, kStruct = 12;
constexpr int kDepthMax = 32;

// Fields of FileMetaData.
constexpr std::int64_t kNumRows = 3, kRowGroups = 4;

/// The structs in which something has to move; all others are copied.
enum class Kind : std::uint8_t { Other, RowGroup, ColumnChunk, ColumnMetaData };

void put_varint(std::string& out, std::uint64_t value) {
    while (value >= 0x80) {
        out.push_back(static_cast<char>(value | 0x80U));
        value >>= 7U;
    }
    out.push_back(static_cast<char>(value));
}

void put_number(std::string& out, std::int64_t value) {
    put_varint(out,
               (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63));
}

void put_list_head(std::string& out, std::uint8_t type, std::uint64_t size) {
    if (size < 15) {
        out.push_back(static_cast<char>(size << 4U | type));
        return;
    }
    out.push_back(static_cast<char>(0xF0U | type));
    put_varint(out, size);
}

void put_field_head(std::string& out, std::uint8_t type, std::int64_t id, std::int64_t& last) {
    const auto step = id - last;
    last = id;
    if (step > 0 && step < 16) {
        out.push_back(static_cast<char>(static_cast<std::uint64_t>(step) << 4U | type));
        return;
    }
    out.push_back(static_cast<char>(type));
    put_number(out, id);
}

bool is_place(Kind kind, std::int64_t id) noexcept {
    switch (kind) {
        case Kind::RowGroup: return id == 5;
        case Kind::ColumnChunk: return id == 2;
        case Kind::ColumnMetaData: return id == 9 || id == 10 || id == 11 || id == 14;
        case Kind::Other: return false;
    }
    return false;
}

/// Where the page indexes of a column lie. They hold places themselves, outside the footer: left
/// out, as any file may do, instead of read and written again.
bool is_index(Kind kind, std::int64_t id) noexcept {
    return kind == Kind::ColumnChunk && id >= 4 && id <= 7;
}

Kind kind_within(Kind kind, std::int64_t id) noexcept {
    if (kind == Kind::RowGroup && id == 1) return Kind::ColumnChunk;
    if (kind == Kind::ColumnChunk && id == 3) return Kind::ColumnMetaData;
    return Kind::Other;
}

/// Reads values and writes them again. `good` turns false at the first thing that makes no sense.
class Copier {
public:
    Copier(std::string_view in, std::int64_t shift, std::uint64_t groups_before)
        : in_(in), shift_(shift), groups_before_(groups_before) {}

    bool good() const noexcept { return good_; }
    bool at_end() const noexcept { return in_.empty(); }

    std::uint8_t byte() {
        if (in_.empty()) return fail();
        const auto value = static_cast<std::uint8_t>(in_.front());
        in_.remove_prefix(1);
        return value;
    }
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned bits = 0; bits < 64; bits += 7) {
            const auto part = byte();
            value |= static_cast<std::uint64_t>(part & 0x7FU) << bits;
            if (part < 0x80 || !good_) return value;
        }
        return fail();
    }
    std::int64_t number() {
        const auto value = varint();
        return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
    }
    /// False at the end of the struct.
    bool field(std::uint8_t& type, std::int64_t& id) {
        const auto head = byte();
        if (head == 0 || !good_) return false;
        type = head & 0x0FU;
        id = (head >> 4U) != 0 ? id + (head >> 4U) : number();
        return good_;
    }
    std::uint64_t list(std::uint8_t& type) {
        const auto head = byte();
        type = head & 0x0FU;
        const auto size = (head >> 4U) == 15 ? varint() : head >> 4U;
        // An element takes at least a byte.
        return size <= in_.size() ? size : fail();
    }

    void value(std::string& out, std::uint8_t type, Kind kind, int depth) {
        if (depth > kDepthMax) good_ = false;
        if (!good_) return;
        switch (type) {
            case kTrue:
            case kFalse: return;  // in the head
            case kByte: out.push_back(static_cast<char>(byte())); return;
            case kI16:
            case kI32:
            case kI64: put_varint(out, varint()); return;
            case kDouble: return bytes(out, sizeof(double));
            case kBinary: {
                const auto size = varint();
                put_varint(out, size);
                return bytes(out, size);
            }
            case kList:
            case kSet: return elements(out, kind, depth);
            case kMap: return pairs(out, depth);
            case kStruct: return members(out, kind, depth);
            default: good_ = false;
        }
    }

private:
    std::uint8_t fail() {
        good_ = false;
        return 0;
    }
    void bytes(std::string& out, std::uint64_t size) {
        if (size > in_.size()) {
            good_ = false;
            return;
        }
        out += in_.substr(0, size);
        in_.remove_prefix(size);
    }
    void element(std::string& out, std::uint8_t type, Kind kind, int depth) {
        // In a collection a truth value is a byte.
        if (type == kTrue || type == kFalse) {
            out.push_back(static_cast<char>(byte()));
        } else {
            value(out, type, kind, depth + 1);
        }
    }
    void elements(std::string& out, Kind kind, int depth) {
        std::uint8_t type = 0;
        const auto size = list(type);
        put_list_head(out, type, size);
        for (std::uint64_t at = 0; at < size && good_; ++at) element(out, type, kind, depth);
    }
    void pairs(std::string& out, int depth) {
        const auto size = varint();
        if (size > in_.size()) good_ = false;
        put_varint(out, size);
        if (size == 0 || !good_) return;
        const auto types = byte();
        out.push_back(static_cast<char>(types));
        for (std::uint64_t at = 0; at < size && good_; ++at) {
            element(out, types >> 4U, Kind::Other, depth);
            element(out, types & 0x0FU, Kind::Other, depth);
        }
    }
    void members(std::string& out, Kind kind, int depth) {
        std::uint8_t type = 0;
        std::int64_t id = 0, last = 0;
        while (field(type, id)) {
            if (is_index(kind, id)) {
                std::string gone;
                value(gone, type, Kind::Other, depth + 1);
                continue;
            }
            put_field_head(out, type, id, last);
            if (type == kI64 && is_place(kind, id)) {
                const auto place = number();
                // Nothing lies at 0: that is the mark.
                put_number(out, place > 0 ? place + shift_ : place);
            } else if (type == kI16 && kind == Kind::RowGroup && id == 7) {
                put_number(out, number() + static_cast<std::int64_t>(groups_before_));
            } else {
                value(out, type, kind_within(kind, id), depth + 1);
            }
        }
        out.push_back('\0');
    }

    std::string_view in_;
    std::int64_t shift_;
    std::uint64_t groups_before_;
    bool good_ = true;
};

}  // namespace

bool ParquetFooter::add(std::string_view footer, std::int64_t shift) {
    Copier in(footer, shift, group_count_);
    std::uint8_t type = 0;
    std::int64_t id = 0;
    while (in.field(type, id)) {
        if (id == kNumRows && type == kI64) {
            rows_ += in.number();
        } else if (id == kRowGroups && type == kList) {
            std::uint8_t element = 0;
            const auto size = in.list(element);
            if (size > 0 && element != kStruct) return false;
            for (std::uint64_t at = 0; at < size && in.good(); ++at) {
                in.value(groups_, kStruct, Kind::RowGroup, 0);
            }
            group_count_ += size;
        } else {
            std::string value;
            in.value(value, type, Kind::Other, 0);
            if (first_) fields_[id] = {type, std::move(value)};
        }
    }
    first_ = false;
    return in.good();
}

std::string ParquetFooter::text() const {
    auto fields = fields_;
    std::string rows;
    put_number(rows, rows_);
    fields[kNumRows] = {kI64, std::move(rows)};
    std::string groups;
    put_list_head(groups, kStruct, group_count_);
    fields[kRowGroups] = {kList, groups + groups_};
    std::string out;
    std::int64_t last = 0;
    for (const auto& [id, field] : fields) {
        put_field_head(out, field.first, id, last);
        out += field.second;
    }
    out.push_back('\0');
    return out;
}

}  // namespace playhead::store::chdb
