// Parameters of a named query, checked against its table.
#include <algorithm>
#include <array>

#include "query/smart/smart_query.h"
#include "query/text.h"

namespace playhead::query::smart {

namespace {

/// Of the parameters of a metrics request, those that every named query has.
constexpr std::array kCommon{"period",     "start",      "end",          "filter",  "qoefilter",
                             "timezone",   "limit",      "offset",       "queryId", "granularity",
                             "planlevel",  "querycache", "meta",         "explain", "token_info",
                             "customerId", "definition", "businesserror"};

bool is_input(const SmartQuery& query, std::string_view name) {
    return std::any_of(query.inputs.begin(), query.inputs.end(),
                       [&](const Parameter& input) { return input.name == name; });
}

std::string_view value_of(const Parameters& parameters, std::string_view name) {
    for (const auto& [key, value] : parameters) {
        if (key == name) return trimmed(value);
    }
    return {};
}

/// The request of the engine, with a metric that only its parser needs.
Parameters common_of(const Parameters& parameters, const SmartQuery& query) {
    Parameters out{{"metrics", "attempts"}};
    for (const auto& [name, value] : parameters) {
        if (name != "queryname" && !is_input(query, name)) out.emplace_back(name, value);
    }
    if (query.period_default != nullptr && value_of(out, "period").empty() &&
        value_of(out, "start").empty()) {
        out.emplace_back("period", query.period_default);
    }
    return out;
}

}  // namespace

Parameter name_parameter() {
    Parameter out{.name = "queryname",
                  .type = ParameterType::Choice,
                  .description = "Which named query.",
                  .required = true};
    for (const auto& query : registry()) out.choices.push_back(query.name);
    return out;
}

std::vector<Parameter> parameters_of(const SmartQuery& query) {
    std::vector<Parameter> out{name_parameter()};
    out.front().example = query.name;
    for (auto& parameter : query_parameters(Endpoint::QbrData)) {
        if (std::find(kCommon.begin(), kCommon.end(), parameter.name) == kCommon.end()) continue;
        if (parameter.name == "limit") {
            parameter.description = "Rows; 0 is as many as a page may have.";
            parameter.most = kRowsMax;
        }
        if (parameter.name == "period" && query.period_default != nullptr) {
            parameter.otherwise = query.period_default;
        }
        out.push_back(std::move(parameter));
    }
    out.insert(out.end(), query.inputs.begin(), query.inputs.end());
    return out;
}

Result<SmartRequest> parse(const Parameters& parameters, const Engine& engine) {
    const std::string name(value_of(parameters, "queryname"));
    if (auto good = check_parameters({name_parameter()}, {{"queryname", name}}); !good) {
        return fail(good.error());
    }
    SmartRequest out;
    out.query = find(name);
    if (auto good = check_parameters(parameters_of(*out.query), parameters); !good) {
        return fail(good.error());
    }
    auto request = engine.parse(common_of(parameters, *out.query), Endpoint::QbrData);
    if (!request) return fail(request.error());
    out.common = std::move(*request);
    if (out.common.limit == 0) out.common.limit = kRowsMax;
    for (const auto& input : out.query->inputs) {
        const auto given = value_of(parameters, input.name);
        const std::string text(given.empty() ? input.otherwise : given);
        out.inputs[input.name] = input.type == ParameterType::Choice ? lower(text) : text;
    }
    return out;
}

Parameter text_input(std::string name, std::string otherwise, std::string description) {
    return {.name = std::move(name),
            .description = std::move(description),
            .otherwise = std::move(otherwise),
            .bytes_max = kTextBytesMax};
}

Parameter id_input(std::string name, std::string description) {
    auto out = text_input(std::move(name), "", std::move(description));
    out.required = true;
    return out;
}

Parameter number_input(std::string name, std::string otherwise, std::int64_t least,
                       std::int64_t most, std::string description) {
    return {.name = std::move(name),
            .type = ParameterType::Integer,
            .description = std::move(description),
            .otherwise = std::move(otherwise),
            .least = least,
            .most = most};
}

Parameter choice_input(std::string name, std::vector<std::string> choices,
                       std::string description) {
    return {.name = std::move(name),
            .type = ParameterType::Choice,
            .description = std::move(description),
            .otherwise = choices.front(),
            .choices = std::move(choices)};
}

}  // namespace playhead::query::smart
