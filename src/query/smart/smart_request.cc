// Parameters of a named query, checked against its inputs.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json_writer.h"
#include "query/nearest.h"
#include "query/smart/smart_query.h"
#include "query/text.h"

namespace playhead::query::smart {

namespace {

constexpr std::array kCommon{"period",    "start",      "end",           "filter",    "qoefilter",
                             "timezone",  "limit",      "offset",        "queryId",   "granularity",
                             "planlevel", "querycache", "meta",          "explain",   "token_info",
                             "queryname", "customerId", "businesserror", "definition"};

Result<std::int64_t> whole(const Input& input, std::string_view text) {
    const auto value = number(text);
    if (!value || *value < static_cast<double>(input.least) ||
        *value > static_cast<double>(input.most) ||
        *value != static_cast<double>(static_cast<std::int64_t>(*value))) {
        return fail_parameter(input.name, cut(text),
                              fmt::format("a whole number from {} to {}", input.least, input.most),
                              "not a number in the range");
    }
    return static_cast<std::int64_t>(*value);
}

Result<void> take(const Input& input, std::string_view given, SmartRequest& out) {
    const std::string text(trimmed(given.empty() ? input.fallback : given));
    if (text.empty() && input.required) {
        return fail_parameter(input.name, "", input.description, input.name + " is missing");
    }
    switch (input.type) {
        case InputType::Integer: {
            auto value = whole(input, text);
            if (!value) return fail(value.error());
            out.integers[input.name] = *value;
            return {};
        }
        case InputType::Choice: {
            auto choice = lower(text);
            if (std::find(input.choices.begin(), input.choices.end(), choice) ==
                input.choices.end()) {
                return fail_parameter(input.name, cut(text),
                                      fmt::format("one of {}", fmt::join(input.choices, ", ")),
                                      "unknown choice");
            }
            out.texts[input.name] = std::move(choice);
            return {};
        }
        case InputType::Text:
            if (text.size() > kTextBytesMax || text.find('\0') != std::string::npos) {
                return fail_parameter(
                    input.name, cut(text),
                    fmt::format("at most {} bytes, none of them 0", kTextBytesMax), "not a name");
            }
            out.texts[input.name] = text;
            return {};
    }
    return {};
}

std::string_view value_of(const Parameters& parameters, std::string_view name) {
    for (const auto& [key, value] : parameters) {
        if (key == name) return value;
    }
    return {};
}

/// The parameters that every metrics request has, with a metric that only the parser needs.
Result<Parameters> common_of(const Parameters& parameters, const SmartQuery& query) {
    Parameters common{{"metrics", "attempts"}};
    std::vector<std::string> known(kCommon.begin(), kCommon.end());
    for (const auto& input : query.inputs) known.push_back(input.name);
    std::vector<std::string> seen;
    for (const auto& [name, value] : parameters) {
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            const auto near = nearest_name(name, known);
            return fail_parameter(
                cut(name), cut(value),
                near.empty() ? "a parameter of " + query.name : "did you mean \"" + near + "\"?",
                "unknown parameter \"" + cut(name) + "\"");
        }
        if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
            return fail_parameter(name, cut(value), "one value", "the parameter is given twice");
        }
        seen.push_back(name);
        const bool own = std::any_of(query.inputs.begin(), query.inputs.end(),
                                     [&](const Input& input) { return input.name == name; });
        if (!own) common.emplace_back(name, value);
    }
    return common;
}

}  // namespace

Result<SmartRequest> parse(const Parameters& parameters, const Engine& engine) {
    const auto name = trimmed(value_of(parameters, "queryname"));
    SmartRequest out;
    out.query = find(name);
    if (out.query == nullptr) {
        return fail_parameter("queryname", cut(name), "one of " + names(),
                              name.empty() ? "queryname is missing" : "unknown query");
    }
    auto common = common_of(parameters, *out.query);
    if (!common) return fail(common.error());
    if (out.query->period_default != nullptr && value_of(*common, "period").empty() &&
        value_of(*common, "start").empty()) {
        common->emplace_back("period", out.query->period_default);
    }
    auto request = engine.parse(*common, Endpoint::QbrData);
    if (!request) return fail(request.error());
    out.common = std::move(*request);
    if (out.common.limit > kRowsMax) {
        return fail_parameter("limit", std::to_string(out.common.limit),
                              fmt::format("a whole number from 0 to {}", kRowsMax),
                              "too many rows for one page");
    }
    if (out.common.limit == 0) out.common.limit = kRowsMax;
    for (const auto& input : out.query->inputs) {
        if (auto done = take(input, value_of(parameters, input.name), out); !done) {
            return fail(done.error());
        }
    }
    return out;
}

std::string input_schema(const SmartQuery& query) {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.member("type", "object");
    json.key("properties");
    json.begin_object();
    for (const auto& input : query.inputs) {
        json.key(input.name);
        json.begin_object();
        const bool is_number = input.type == InputType::Integer;
        json.member("type", is_number ? "integer" : "string");
        json.member("description", input.description);
        if (is_number) {
            json.member("minimum", input.least);
            json.member("maximum", input.most);
        }
        if (!input.choices.empty()) {
            json.key("enum");
            json.begin_array();
            for (const auto& choice : input.choices) json.value(choice);
            json.end_array();
        }
        if (!input.fallback.empty()) {
            json.key("default");
            is_number ? json.raw(input.fallback) : json.value(input.fallback);
        }
        json.end_object();
    }
    json.end_object();
    json.key("required");
    json.begin_array();
    for (const auto& input : query.inputs) {
        if (input.required) json.value(input.name);
    }
    json.end_array();
    json.end_object();
    return out;
}

}  // namespace playhead::query::smart
