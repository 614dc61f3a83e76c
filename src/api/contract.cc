#include "api/contract.h"

#include <algorithm>

#include "base/check.h"
#include "http/query_string.h"
#include "net/problem.h"
#include "query/text.h"

namespace playhead::api {

namespace {

constexpr std::string_view kCustomer = "customerId";

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
    return given.empty() ? std::string_view(parameter->otherwise) : given;
}

const Operation& Contract::keep(Operation operation) {
    const auto names = path_names(operation.path);
    if (std::find(names.begin(), names.end(), kCustomer) != names.end()) {
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
    PH_CHECK(!operation.id.empty() && !operation.summary.empty() && !operation.replies.empty());
    for (const auto& other : operations_) PH_CHECK(other.id != operation.id);
    return operations_.emplace_back(std::move(operation));
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
    if (!parsed) {
        // Protocols of others get to see their own query.
        if (operation.tolerant) return {};
        return fail(parsed.error());
    }
    for (const auto& each : parsed->all()) call.given_.emplace_back(each.name, each.value);
    if (identity) {
        std::optional<std::int64_t> plan_level;
        const auto* plan = find_parameter(operation, "planlevel");
        if (plan != nullptr && call.has("planlevel")) {
            // Checked although it may be `ignored` by the query: the plan is the tenant's.
            auto checked = *plan;
            checked.ignored = false;
            checked.type = query::ParameterType::Integer;
            if (auto good = check_value(checked, call.text("planlevel")); !good) return good;
            plan_level = call.integer("planlevel");
        }
        auto caller =
            access_->admit(std::move(*identity), call.request, plan_level, *operation.permission);
        if (!caller) return fail(caller.error());
        call.caller = std::move(*caller);
    }
    if (auto good = check_path(operation, call.request); !good) return good;
    if (operation.tolerant) return {};
    return check_parameters(operation.parameters, call.given_);
}

void Contract::add(Operation operation, http::RouteOptions options, CallHandler handler) {
    PH_CHECK(!operation.permission || access_ != nullptr);
    const auto& kept = keep(std::move(operation));
    router_.add(kept.method, kept.path, options,
                [this, &kept, handler = std::move(handler)](net::Request& request,
                                                            net::Responder responder) {
                    Call call(kept, request);
                    auto good = let_in(call);
                    if (good && kept.body && kept.body->required && request.body().empty()) {
                        good = fail_parameter("body", "", kept.body->content_types.front(),
                                              "the request has no body");
                    }
                    if (!good) return responder.send(net::problem_response(good.error()));
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
