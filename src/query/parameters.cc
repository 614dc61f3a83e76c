#include "query/parameters.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>

#include "query/nearest.h"
#include "query/text.h"

namespace playhead::query {

namespace {

tl::unexpected<Error> refuse(std::string_view name, std::string_view value, std::string expected,
                             std::string message) {
    return fail_parameter(std::string(name), cut(value), std::move(expected), std::move(message));
}

Result<void> check_integer(const Parameter& parameter, std::string_view value) {
    std::int64_t read = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), read);
    if (error == std::errc() && end == value.data() + value.size() && read >= parameter.least &&
        read <= parameter.most) {
        return {};
    }
    const bool bounded = parameter.most != std::numeric_limits<std::int64_t>::max();
    return refuse(parameter.name, value,
                  bounded
                      ? fmt::format("a whole number from {} to {}", parameter.least, parameter.most)
                      : fmt::format("a whole number, at least {}", parameter.least),
                  fmt::format("{} is not such a number", parameter.name));
}

Result<void> check_choice(const Parameter& parameter, std::string_view value) {
    const auto text = lower(value);
    const auto& choices = parameter.choices;
    for (const auto& choice : choices) {
        if (text == lower(choice)) return {};
    }
    const auto near = nearest_name(text, choices);
    return refuse(parameter.name, value,
                  fmt::format("one of {}{}", fmt::join(choices, ", "),
                              near.empty() ? "" : "; did you mean \"" + near + "\"?"),
                  fmt::format("{} has no such value", parameter.name));
}

}  // namespace

Result<void> check_value(const Parameter& parameter, std::string_view value) {
    const auto text = trimmed(value);
    if (parameter.ignored || text.empty()) return {};
    if (text.find('\0') != std::string_view::npos) {
        return refuse(parameter.name, "", "text without a zero byte", "not a text");
    }
    switch (parameter.type) {
        case ParameterType::Integer: return check_integer(parameter, text);
        case ParameterType::Choice: return check_choice(parameter, text);
        case ParameterType::Number: {
            const auto given = number(text);
            if (given && *given >= parameter.low && *given <= parameter.high) return {};
            return refuse(parameter.name, value,
                          fmt::format("a number from {} to {}", parameter.low, parameter.high),
                          fmt::format("{} is not such a number", parameter.name));
        }
        case ParameterType::Id: {
            const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
                return std::isalnum(c) != 0 || c == '-' || c == '_';
            });
            if (plain && text.size() <= kIdBytesMax) return {};
            return refuse(parameter.name, value,
                          fmt::format("at most {} letters, digits, '-' and '_'", kIdBytesMax),
                          fmt::format("{} is not an id", parameter.name));
        }
        case ParameterType::Flag: {
            const auto flag = lower(text);
            if (flag == "0" || flag == "1" || flag == "true" || flag == "false") return {};
            return refuse(parameter.name, value, "0 or 1", "not a switch");
        }
        case ParameterType::Text:
        case ParameterType::Names:
            if (parameter.bytes_max == 0 || text.size() <= parameter.bytes_max) return {};
            return refuse(parameter.name, value,
                          fmt::format("at most {} bytes", parameter.bytes_max),
                          fmt::format("{} is too long", parameter.name));
    }
    return {};
}

Result<void> check_parameters(const std::vector<Parameter>& table, const Parameters& given) {
    std::set<std::string_view> seen;
    for (const auto& [name, value] : given) {
        const auto found = std::find_if(table.begin(), table.end(), [&](const Parameter& known) {
            return known.name == name && !known.in_path;
        });
        if (found == table.end()) {
            std::vector<std::string> names;
            for (const auto& known : table) {
                if (!known.in_path && !known.ignored) names.push_back(known.name);
            }
            const auto near = nearest_name(name, names);
            std::string expected = "no parameters";
            if (!near.empty()) expected = "did you mean \"" + near + "\"?";
            if (near.empty() && !names.empty()) {
                expected = fmt::format("one of {}", fmt::join(names, ", "));
            }
            return refuse(cut(name), value, std::move(expected),
                          "unknown parameter \"" + cut(name) + "\"");
        }
        if (!seen.insert(name).second) {
            return refuse(name, value, "one value", "the parameter is given twice");
        }
        if (auto good = check_value(*found, value); !good) return good;
    }
    for (const auto& known : table) {
        if (!known.required || known.in_path) continue;
        const bool there = std::any_of(given.begin(), given.end(), [&](const auto& each) {
            return each.first == known.name && !trimmed(each.second).empty();
        });
        if (there) continue;
        std::string expected = known.type == ParameterType::Integer ? "an integer" : "a value";
        if (!known.choices.empty()) {
            expected = fmt::format("one of {}", fmt::join(known.choices, ", "));
        }
        if (!known.example.empty()) expected += ", for example " + known.example;
        return refuse(known.name, "", std::move(expected), known.name + " is missing");
    }
    return {};
}

bool flag_of(std::string_view value) noexcept {
    const auto text = trimmed(value);
    return text == "1" || text.size() == 4;  // "true" in any case, since it has been checked
}

std::int64_t integer_of(std::string_view value) noexcept {
    const auto text = trimmed(value);
    std::int64_t read = 0;
    std::from_chars(text.data(), text.data() + text.size(), read);
    return read;
}

}  // namespace playhead::query
