/// JSON objects whose members are listed once: the list writes them and makes their schema.
/// Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "store/store.h"

namespace playhead::query {

/// What a member holds, and so how its cell is written.
enum class Holds : std::uint8_t {
    Text,
    Integer,
    IntegerOrNull,
    Number,
    NumberOrNull,
    Flag,  ///< true where the cell is not 0
    Time,  ///< of epoch ms: two members, see `write_time`
    Tags,  ///< an object of texts; the cell has it as JSON
};

/// A member of the objects that are made of `Row`.
template <class Row>
struct JsonMember {
    std::string_view name;
    Holds holds;
    store::Cell (*cell)(const Row&);
};

/// A schema that others refer to: its name and JSON text.
using NamedSchema = std::pair<std::string, std::string>;

void write_member(JsonWriter& json, std::string_view name, Holds holds, const store::Cell& cell);

template <class Row>
void write_members(JsonWriter& json, std::span<const JsonMember<Row>> members, const Row& row) {
    for (const auto& member : members) {
        write_member(json, member.name, member.holds, member.cell(row));
    }
}

/// The JSON Schema of an object that has all of these members and no others.
std::string closed_object(const std::vector<NamedSchema>& members);
/// The same, of members that cells are written into.
std::string members_schema(const std::vector<std::pair<std::string_view, Holds>>& members);

template <class Row>
std::string members_schema(std::span<const JsonMember<Row>> members) {
    std::vector<std::pair<std::string_view, Holds>> out;
    for (const auto& member : members) out.emplace_back(member.name, member.holds);
    return members_schema(out);
}

/// Writes `name` as epoch seconds with ms decimals and `<name>_iso`; null for 0.
void write_time(JsonWriter& json, const std::string& name, std::int64_t epoch_ms);

}  // namespace playhead::query
