#include "query/json_members.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <type_traits>
#include <variant>

#include "query/series.h"

namespace playhead::query {

namespace {

std::int64_t whole_of(const store::Cell& cell) {
    return static_cast<std::int64_t>(number_of(cell, 0));
}

void write_cell(JsonWriter& json, const store::Cell& cell) {
    std::visit(
        [&](const auto& value) {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<T, std::monostate>) {
                json.null();
            } else if constexpr (std::is_same_v<T, std::string>) {
                json.value(std::string_view(value));
            } else {
                json.value(value);
            }
        },
        cell);
}

std::string_view schema_of(Holds holds) {
    switch (holds) {
        case Holds::Text: return R"({"type":"string"})";
        case Holds::Integer: return R"({"type":"integer"})";
        case Holds::IntegerOrNull: return R"({"type":["integer","null"]})";
        case Holds::Number: return R"({"type":"number"})";
        case Holds::NumberOrNull: return R"({"type":["number","null"]})";
        case Holds::Flag: return R"({"type":"boolean"})";
        case Holds::Time:
            return R"({"type":["number","null"],"description":"Epoch seconds, to the ms"})";
        case Holds::Tags: return R"({"type":"object","additionalProperties":{"type":"string"}})";
    }
    return "{}";
}

}  // namespace

void write_member(JsonWriter& json, std::string_view name, Holds holds, const store::Cell& cell) {
    if (holds == Holds::Time) return write_time(json, std::string(name), whole_of(cell));
    json.key(name);
    const auto* text = std::get_if<std::string>(&cell);
    if (holds == Holds::Flag) {
        json.value(whole_of(cell) != 0);
    } else if (holds == Holds::Tags && text != nullptr) {
        json.raw(*text);
    } else {
        write_cell(json, cell);
    }
}

std::string members_schema(const std::vector<std::pair<std::string_view, Holds>>& members) {
    std::vector<NamedSchema> out;
    for (const auto& [name, holds] : members) {
        out.emplace_back(name, schema_of(holds));
        if (holds == Holds::Time) {
            out.emplace_back(fmt::format("{}_iso", name), R"({"type":["string","null"]})");
        }
    }
    return closed_object(out);
}

std::string closed_object(const std::vector<NamedSchema>& members) {
    std::string properties, required;
    for (const auto& [name, schema] : members) {
        const std::string_view comma = properties.empty() ? "" : ",";
        properties += fmt::format("{}\"{}\":{}", comma, name, schema);
        required += fmt::format("{}\"{}\"", comma, name);
    }
    return fmt::format(
        R"({{"type":"object","required":[{}],"properties":{{{}}},"additionalProperties":false}})",
        required, properties);
}

void write_time(JsonWriter& json, const std::string& name, std::int64_t epoch_ms) {
    json.key(name);
    if (epoch_ms == 0) {
        json.null();
        json.key(name + "_iso");
        json.null();
        return;
    }
    json.raw(fmt::format("{}.{:03}", epoch_ms / 1000, epoch_ms % 1000));
    const std::chrono::sys_seconds whole{std::chrono::seconds(epoch_ms / 1000)};
    json.member(name + "_iso", fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                                           fmt::gmtime(std::chrono::system_clock::to_time_t(whole)),
                                           epoch_ms % 1000));
}

}  // namespace playhead::query
