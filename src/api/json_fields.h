/// Strict reading of small JSON bodies: known members of known types, nothing else; and the JSON
/// Schema of such a body. Pure.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace playhead::api {

/// Entries of a list beyond this are refused.
inline constexpr std::size_t kJsonListEntriesMax = 256;

enum class FieldType { Text, Integer, Boolean, Texts, Integers };

struct Field {
    const char* name;
    FieldType type;
    bool required = false;
    const char* choices = "";   ///< of a Text: "a|b"; empty: any
    std::size_t bytes_max = 0;  ///< of a Text; 0: the body's own limit
    std::int64_t least = std::numeric_limits<std::int64_t>::min();  ///< of an Integer
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
};

/// As JSON text.
std::string schema_of_fields(std::span<const Field> fields);

class JsonFields {
public:
    /// InvalidArgument naming the member: not known (with the nearest name), sent twice, of another
    /// type, or missing. An empty body is an object without members.
    static Result<JsonFields> parse(std::string_view body, std::span<const Field> fields);

    bool has(std::string_view name) const { return values_.contains(name); }
    bool empty() const { return values_.empty(); }
    /// The value, nullptr when it was not sent.
    template <class T>
    const T* find(std::string_view name) const {
        const auto found = values_.find(name);
        return found == values_.end() ? nullptr : std::get_if<T>(&found->second);
    }
    /// Overwrites `into` when the member was sent.
    template <class T>
    void take(std::string_view name, T& into) const {
        if (const T* value = find<T>(name)) into = *value;
    }
    /// The names that were sent, for the audit log.
    std::string names() const;

private:
    using Value = std::variant<std::string, std::int64_t, bool, std::vector<std::string>,
                               std::vector<std::int64_t>>;
    std::map<std::string, Value, std::less<>> values_;
};

}  // namespace playhead::api
