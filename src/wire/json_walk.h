/// A forward walk over one JSON document that visits every value, so that a body is either wholly
/// valid or refused: simdjson on demand checks only what is touched. Internal to wire.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "model/event.h"
#include "wire/produce.h"

namespace playhead::wire {

/// A JSON scalar. `text` is the string, or the number as written, or "true"/"false".
struct Scalar {
    enum class Type : std::uint8_t { Null, Bool, Number, String, Compound };
    Type type = Type::Null;
    std::string_view text;
    double number = 0;

    bool is_null() const noexcept { return type == Type::Null; }
    bool is_text() const noexcept {
        return type == Type::String || type == Type::Number || type == Type::Bool;
    }
};

/// Whether a document that was walked to its end has nothing behind it.
inline bool is_at_end(simdjson::ondemand::document& document) noexcept {
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

/// Walks one document. After the first error every call returns at once; `ok()` tells.
class JsonWalk {
public:
    using Value = simdjson::ondemand::value;

    JsonWalk(model::Arena& arena, const ProduceLimits& limits) : arena_(arena), limits_(limits) {}

    bool ok() const noexcept { return error_.empty(); }
    /// What went wrong, empty while `ok()`.
    const std::string& error() const noexcept { return error_; }
    /// Stops the walk with an error of the caller's.
    void fail(std::string message) {
        if (error_.empty()) error_ = std::move(message);
    }
    void fail(simdjson::error_code code) { fail(std::string(simdjson::error_message(code))); }

    /// Calls `member(key, value)` for each member of an object; other values are skipped, and the
    /// result is false. `member` must use the value up: `scalar`, `object`, `array` or `skip`.
    template <class Source, class Member>
    bool object(Source&& source, Member&& member) {
        simdjson::ondemand::json_type type{};
        if (const auto code = source.type().get(type)) return fail(code), false;
        if (type != simdjson::ondemand::json_type::object) return skip(source), false;
        simdjson::ondemand::object object;
        if (const auto code = source.get_object().get(object)) return fail(code), false;
        if (!enter()) return false;
        for (auto result : object) {
            simdjson::ondemand::field field;
            if (const auto code = std::move(result).get(field)) return fail(code), false;
            if (++keys_ > limits_.keys_max) return fail("too many keys"), false;
            const std::string_view name = key(field);
            if (!ok()) return false;
            member(name, field.value());
            if (!ok()) return false;
        }
        --depth_;
        return true;
    }

    /// The same for an array: `element(value)`.
    template <class Source, class Element>
    bool array(Source&& source, Element&& element) {
        simdjson::ondemand::json_type type{};
        if (const auto code = source.type().get(type)) return fail(code), false;
        if (type != simdjson::ondemand::json_type::array) return skip(source), false;
        simdjson::ondemand::array array;
        if (const auto code = source.get_array().get(array)) return fail(code), false;
        if (!enter()) return false;
        for (auto result : array) {
            Value value;
            if (const auto code = std::move(result).get(value)) return fail(code), false;
            element(value);
            if (!ok()) return false;
        }
        --depth_;
        return true;
    }

    /// Reads a scalar; objects and arrays are skipped and come back as Compound.
    template <class Source>
    Scalar scalar(Source&& source) {
        using simdjson::ondemand::json_type;
        Scalar result;
        json_type type{};
        if (const auto code = source.type().get(type)) return fail(code), result;
        switch (type) {
            case json_type::string: read_string(source, result); break;
            case json_type::number: read_number(source, result); break;
            case json_type::boolean: read_bool(source, result); break;
            case json_type::null: {
                bool is_null = false;
                if (const auto code = source.is_null().get(is_null)) fail(code);
                if (!is_null) fail("a value that is not JSON");
                break;
            }
            default: result.type = Scalar::Type::Compound; skip(source);
        }
        return result;
    }

    /// Walks over a value without keeping anything; checks it all the same.
    template <class Source>
    void skip(Source&& source) {
        using simdjson::ondemand::json_type;
        json_type type{};
        if (const auto code = source.type().get(type)) return fail(code);
        if (type == json_type::object) {
            object(source, [this](std::string_view, Value value) { skip(value); });
        } else if (type == json_type::array) {
            array(source, [this](Value value) { skip(value); });
        } else {
            scalar(source);
        }
    }

private:
    bool enter() {
        if (++depth_ > limits_.depth_max) return fail("nested too deep"), false;
        return true;
    }

    /// The key as a view into the body, or unescaped into the arena.
    std::string_view key(simdjson::ondemand::field& field) {
        const char* start = field.key().raw();
        const char* end = start;
        while (*end != '"' && *end != '\\') ++end;
        if (*end == '"') return {start, static_cast<std::size_t>(end - start)};
        std::string_view unescaped;
        if (const auto code = field.unescaped_key().get(unescaped)) return fail(code), unescaped;
        return arena_.copy(unescaped);
    }

    static std::string_view token(std::string_view raw) {
        while (!raw.empty() && static_cast<unsigned char>(raw.back()) <= ' ') raw.remove_suffix(1);
        return raw;
    }

    template <class Source>
    void read_string(Source&& source, Scalar& result) {
        const std::string_view raw = token(std::string_view(source.raw_json_token()));
        result.type = Scalar::Type::String;
        if (raw.size() >= 2 && raw.back() == '"' && raw.find('\\') == std::string_view::npos) {
            simdjson::ondemand::raw_json_string used;
            if (const auto code = source.get_raw_json_string().get(used)) return fail(code);
            result.text = raw.substr(1, raw.size() - 2);
            return;
        }
        std::string_view unescaped;
        if (const auto code = source.get_string().get(unescaped)) return fail(code);
        result.text = arena_.copy(unescaped);
    }

    template <class Source>
    void read_number(Source&& source, Scalar& result) {
        result.text = token(std::string_view(source.raw_json_token()));
        result.type = Scalar::Type::Number;
        if (const auto code = source.get_double().get(result.number)) fail(code);
    }

    template <class Source>
    void read_bool(Source&& source, Scalar& result) {
        bool value = false;
        if (const auto code = source.get_bool().get(value)) return fail(code);
        result.type = Scalar::Type::Bool;
        result.number = value ? 1 : 0;
        result.text = value ? "true" : "false";
    }

    model::Arena& arena_;
    const ProduceLimits& limits_;
    std::string error_;
    std::size_t keys_ = 0;
    int depth_ = 0;
};

}  // namespace playhead::wire
