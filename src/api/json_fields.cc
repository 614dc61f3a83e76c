#include "api/json_fields.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "base/json_writer.h"
#include "query/nearest.h"
#include "query/text.h"

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
    return fail_parameter(shown, "",
                          near.empty() ? fmt::format("one of {}", fmt::join(names, ", "))
                                       : "did you mean \"" + near + "\"?",
                          fmt::format("the body has an unknown member '{}'", shown));
}

bool is_bounded(const Field& field) {
    return field.least != std::numeric_limits<std::int64_t>::min();
}

/// Of an Integer that is beyond its bounds.
std::optional<Error> wrong_range(const Field& field, std::int64_t number) {
    if (number >= field.least && number <= field.most) return {};
    return fail_parameter(field.name, std::to_string(number),
                          fmt::format("a whole number from {} to {}", field.least, field.most),
                          fmt::format("'{}' is out of range", field.name))
        .value();
}

/// Of a Text that is too long, or none of the choices.
std::optional<Error> wrong_text(const Field& field, std::string_view text) {
    if (field.bytes_max > 0 && text.size() > field.bytes_max) {
        return fail_parameter(field.name, std::string(text.substr(0, kShownBytesMax)),
                              fmt::format("at most {} bytes", field.bytes_max),
                              fmt::format("'{}' is too long", field.name))
            .value();
    }
    const auto pieces = query::split(field.choices, '|');
    if (pieces.empty() || std::find(pieces.begin(), pieces.end(), text) != pieces.end()) return {};
    const auto near = query::nearest_name(text, {pieces.begin(), pieces.end()});
    return fail_parameter(field.name, std::string(text.substr(0, kShownBytesMax)),
                          fmt::format("one of {}{}", fmt::join(pieces, ", "),
                                      near.empty() ? "" : "; did you mean \"" + near + "\"?"),
                          fmt::format("'{}' has no such value", field.name))
        .value();
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
        if (const auto* text = std::get_if<std::string>(&*stored)) {
            if (auto wrong = wrong_text(*field, *text)) return fail(std::move(*wrong));
        }
        if (const auto* number = std::get_if<std::int64_t>(&*stored)) {
            if (auto wrong = wrong_range(*field, *number)) return fail(std::move(*wrong));
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

std::string schema_of_fields(std::span<const Field> fields) {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.member("type", "object");
    json.key("properties");
    json.begin_object();
    for (const Field& field : fields) {
        json.key(field.name);
        json.begin_object();
        switch (field.type) {
            case FieldType::Text:
                json.member("type", "string");
                if (field.bytes_max > 0) json.member("maxLength", field.bytes_max);
                break;
            case FieldType::Integer:
                json.member("type", "integer");
                if (!is_bounded(field)) break;
                json.member("minimum", field.least);
                json.member("maximum", field.most);
                break;
            case FieldType::Boolean: json.member("type", "boolean"); break;
            case FieldType::Texts:
            case FieldType::Integers:
                json.member("type", "array");
                json.member("maxItems", kJsonListEntriesMax);
                json.key("items");
                json.raw(field.type == FieldType::Texts ? R"({"type":"string"})"
                                                        : R"({"type":"integer"})");
                break;
        }
        const auto choices = query::split(field.choices, '|');
        if (!choices.empty()) {
            json.key("enum");
            json.begin_array();
            for (const auto choice : choices) json.value(choice);
            json.end_array();
        }
        json.end_object();
    }
    json.end_object();
    json.key("required");
    json.begin_array();
    for (const Field& field : fields) {
        if (field.required) json.value(field.name);
    }
    json.end_array();
    json.key("additionalProperties");
    json.value(false);
    json.end_object();
    return out;
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
