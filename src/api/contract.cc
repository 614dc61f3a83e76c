#include "api/contract.h"

#include <algorithm>

#include "base/check.h"
#include "http/query_string.h"
#include "net/problem.h"
#include "query/text.h"

namespace playhead::api {

namespace {

constexpr std::string_view kCustomer = "customerId";
constexpr std::string_view kPlanLevel = "planlevel";

/// The names in braces of a path.
std::vector<std::string> path_names(std::string_view path) {
    std::vector<std::string> names;
    for (std::size_t open = path.find('{'); open != std::string_view::npos;
         open = path.find('{', open + 1)) {
        names.emplace_back(path.substr(open + 1, path.find('}', open) - open - 1));
    }
    return names;
}

const query::Parameter* find_parameter(const Operation& operation, std::string_view name) {
    for (const auto& parameter : operation.parameters) {
        if (parameter.name == name) return &parameter;
    }
    return nullptr;
}

bool same_values(const query::Parameter& one, const query::Parameter& other) {
    return one.type == other.type && one.otherwise == other.otherwise &&
           one.choices == other.choices && one.least == other.least && one.most == other.most &&
           one.bytes_max == other.bytes_max && one.ignored == other.ignored;
}

Result<void> check_path(const Operation& operation, const net::Request& request) {
    for (const auto& parameter : operation.parameters) {
        if (!parameter.in_path) continue;
        if (auto good = check_value(parameter, request.param(parameter.name)); !good) return good;
    }
    return {};
}

}  // namespace

std::string_view Call::given_value(std::string_view name) const {
    for (const auto& [given, value] : given_) {
        if (given == name) return query::trimmed(value);
    }
    return {};
}

std::string_view Call::text(std::string_view name) const {
    const auto* parameter = find_parameter(operation_, name);
    PH_CHECK(parameter != nullptr);
    if (parameter->in_path) return request.param(name);
    const auto given = given_value(name);
    if (given.empty()) return parameter->otherwise;
    if (parameter->type == query::ParameterType::Choice) {
        const auto text = query::lower(given);
        for (const auto& choice : parameter->choices) {
            if (text == query::lower(choice)) return choice;
        }
    }
    return given;
}

namespace {

/// Adds the parameters of every variant: required where all require it, and of any text where they
/// differ.
void add_variant_parameters(Operation& operation) {
    for (const auto& variant : operation.variants) {
        for (auto parameter : variant.parameters) {
            const bool everywhere = std::all_of(
                operation.variants.begin(), operation.variants.end(), [&](const Variant& other) {
                    const auto& table = other.parameters;
                    return std::any_of(table.begin(), table.end(), [&](const auto& each) {
                        return each.name == parameter.name && each.required;
                    });
                });
            auto& known = operation.parameters;
            const auto same = std::find_if(known.begin(), known.end(), [&](const auto& each) {
                return each.name == parameter.name && !each.in_path;
            });
            parameter.required = everywhere;
            if (same == known.end()) {
                known.push_back(std::move(parameter));
            } else if (!same_values(*same, parameter)) {
                *same = {.name = parameter.name,
                         .description = "Differs by " + operation.variant_by + ": x-variants.",
                         .required = everywhere};
            }
        }
    }
}

}  // namespace

const Operation& Contract::keep(Operation operation) {
    add_variant_parameters(operation);
    const auto names = path_names(operation.path);
    const bool of_customer = std::find(names.begin(), names.end(), kCustomer) != names.end();
    if (of_customer) {
        // A table that knows the name from another generation (as a query parameter) keeps it.
        operation.parameters.insert(operation.parameters.begin(),
                                    {.name = std::string(kCustomer),
                                     .type = query::ParameterType::Integer,
                                     .description = "The customer.",
                                     .example = "900100200",
                                     .least = 1,
                                     .required = true,
                                     .in_path = true});
    }
    for (const auto& name : names) {
        const auto* parameter = find_parameter(operation, name);
        PH_CHECK(parameter != nullptr && parameter->in_path);
    }
    PH_CHECK(!operation.permission || operation.admits_itself || of_customer);
    PH_CHECK(!operation.id.empty() && !operation.summary.empty() && !operation.replies.empty());
    for (const auto& other : operations_) PH_CHECK(other.id != operation.id);
    if (operation.body && !operation.body->fields.empty()) {
        operation.body->schema = schema_of_fields(operation.body->fields);
    }
    return operations_.emplace_back(std::move(operation));
}

Result<void> Contract::admit(Call& call, auth::Identity identity) const {
    const auto& operation = call.operation_;
    if (operation.admits_itself) {
        call.caller.identity = std::move(identity);
        return {};
    }
    std::optional<std::int64_t> plan_level;
    const auto* plan = find_parameter(operation, kPlanLevel);
    if (plan != nullptr && call.has(kPlanLevel)) {
        // Checked although it may be `ignored` by the query: the plan is the tenant's.
        auto checked = *plan;
        checked.ignored = false;
        checked.type = query::ParameterType::Integer;
        if (auto good = check_value(checked, call.text(kPlanLevel)); !good) return good;
        plan_level = call.integer(kPlanLevel);
    }
    auto caller =
        access_->admit(std::move(identity), call.request, plan_level, *operation.permission);
    if (!caller) return fail(caller.error());
    call.caller = std::move(*caller);
    return {};
}

Result<void> Contract::check_given(const Operation& operation, const Call& call) {
    if (operation.variants.empty()) return check_parameters(operation.parameters, call.given_);
    const auto& by = *find_parameter(operation, operation.variant_by);
    const std::string chosen(call.text(by.name));
    if (auto good = query::check_parameters({by}, {{by.name, chosen}}); !good) return good;
    for (const auto& variant : operation.variants) {
        if (variant.value != query::lower(chosen)) continue;
        return check_parameters(variant.parameters, call.given_);
    }
    return fail(ErrorCode::Internal, "a variant without a table");
}

Result<void> Contract::let_in(Call& call) const {
    const auto& operation = call.operation_;
    std::optional<auth::Identity> identity;
    if (operation.permission) {
        // Who may not ask need not learn how to.
        auto known = access_->identify(call.request);
        if (!known) return fail(known.error());
        identity = std::move(*known);
    }
    const auto parsed = http::QueryString::parse(call.request.query());
    // Protocols of others get to see their own query.
    if (!parsed) return operation.tolerant ? Result<void>{} : fail(parsed.error());
    call.given_ = parsed->pairs();
    if (identity) {
        if (auto good = admit(call, std::move(*identity)); !good) return good;
    }
    if (auto good = check_path(operation, call.request); !good) return good;
    if (operation.tolerant) return {};
    if (auto good = check_given(operation, call); !good) return good;
    if (!operation.body) return {};
    const auto& body = *operation.body;
    if (body.required && call.request.body().empty()) {
        return fail_parameter("body", "", body.content_types.front(), "the request has no body");
    }
    if (body.fields.empty()) return {};
    auto fields = JsonFields::parse(call.request.body(), body.fields);
    if (!fields) return fail(fields.error());
    call.fields_ = std::move(*fields);
    return {};
}

void Contract::add(Operation operation, http::RouteOptions options, CallHandler handler) {
    PH_CHECK(!operation.permission || access_ != nullptr);
    const auto& kept = keep(std::move(operation));
    router_.add(kept.method, kept.path, options,
                [this, &kept, handler = std::move(handler)](net::Request& request,
                                                            net::Responder responder) {
                    Call call(kept, request);
                    if (const auto good = let_in(call); !good) {
                        return responder.send(net::problem_response(good.error()));
                    }
                    handler(call, std::move(responder));
                });
}

void Contract::describe(Operation operation) {
    PH_CHECK(router_.has(operation.method, operation.path));
    keep(std::move(operation));
}

void Contract::add_schema(std::string name, std::string schema) {
    PH_CHECK(schemas_.emplace(std::move(name), std::move(schema)).second);
}

}  // namespace playhead::api
