#include "api/json_fields.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "query/nearest.h"

namespace playhead::api {

namespace {

using simdjson::dom::element;

constexpr std::size_t kShownBytesMax = 64;

template <class T>
std::optional<T> single(const element& value) {
    T found{};
    if (value.get(found) != simdjson::SUCCESS) return std::nullopt;
    return found;
}

template <class Stored, class Read>
std::optional<std::vector<Stored>> list_of(const element& value) {
    simdjson::dom::array list;
    if (value.get(list) != simdjson::SUCCESS || list.size() > kJsonListEntriesMax) {
        return std::nullopt;
    }
    std::vector<Stored> found;
    for (const auto item : list) {
        const auto one = single<Read>(item);
        if (!one) return std::nullopt;
        found.emplace_back(*one);
    }
    return found;
}

template <class Value>
std::optional<Value> value_of(FieldType type, const element& json) {
    const auto lift = [](auto&& found) -> std::optional<Value> {
        if (!found) return std::nullopt;
        return Value(std::move(*found));
    };
    switch (type) {
        case FieldType::Text: {
            const auto text = single<std::string_view>(json);
            return text ? std::optional<Value>(std::string(*text)) : std::nullopt;
        }
        case FieldType::Integer: return lift(single<std::int64_t>(json));
        case FieldType::Boolean: return lift(single<bool>(json));
        case FieldType::Texts: return lift(list_of<std::string, std::string_view>(json));
        case FieldType::Integers: return lift(list_of<std::int64_t, std::int64_t>(json));
    }
    return std::nullopt;
}

std::string_view expected(FieldType type) {
    switch (type) {
        case FieldType::Text: return "a text";
        case FieldType::Integer: return "a whole number";
        case FieldType::Boolean: return "true or false";
        case FieldType::Texts: return "a list of at most 256 texts";
        case FieldType::Integers: return "a list of at most 256 whole numbers";
    }
    return "";
}

tl::unexpected<Error> unknown_member(std::string_view name, std::span<const Field> fields) {
    std::vector<std::string> names;
    for (const Field& field : fields) names.emplace_back(field.name);
    const auto near = query::nearest_name(name, names);
    const std::string shown(name.substr(0, kShownBytesMax));
    return fail_parameter(
        shown, "", near.empty() ? fmt::format("{}", fmt::join(names, ", ")) : near,
        near.empty() ? fmt::format("the body has an unknown member '{}'", shown)
                     : fmt::format("the body has an unknown member '{}'; did you mean "
                                   "'{}'?",
                                   shown, near));
}

}  // namespace

Result<JsonFields> JsonFields::parse(std::string_view body, std::span<const Field> fields) {
    JsonFields read;
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    const std::string_view json = body.empty() ? std::string_view("{}") : body;
    if (parser.parse(json.data(), json.size()).get_object().get(object) != simdjson::SUCCESS) {
        return fail_parameter("body", std::string(body.substr(0, kShownBytesMax)),
                              "one JSON object, its numbers of at most 64 bits",
                              "the body is no JSON object that can be read");
    }
    for (const auto& [name, value] : object) {
        const auto field = std::find_if(fields.begin(), fields.end(),
                                        [&](const Field& one) { return name == one.name; });
        if (field == fields.end()) return unknown_member(name, fields);
        auto stored = value_of<Value>(field->type, value);
        if (!stored) {
            return fail_parameter(
                field->name, simdjson::minify(value).substr(0, kShownBytesMax),
                std::string(expected(field->type)),
                fmt::format("'{}' must be {}", field->name, expected(field->type)));
        }
        if (!read.values_.emplace(field->name, std::move(*stored)).second) {
            return fail_parameter(field->name, "", "one value",
                                  fmt::format("'{}' is sent twice", field->name));
        }
    }
    for (const Field& field : fields) {
        if (field.required && !read.has(field.name)) {
            return fail_parameter(field.name, "", std::string(expected(field.type)),
                                  fmt::format("'{}' is missing", field.name));
        }
    }
    return read;
}

std::string JsonFields::names() const {
    std::string text;
    for (const auto& [name, value] : values_) {
        if (!text.empty()) text += ", ";
        text += name;
    }
    return text;
}

}  // namespace playhead::api
