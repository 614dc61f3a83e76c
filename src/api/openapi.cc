/// `Contract::openapi_json`: the table of operations as an OpenAPI 3.1 document.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/contract.h"
#include "base/json_writer.h"
#include "http/content_coding.h"

namespace playhead::api {

namespace {

/// In the order of the document; others follow.
constexpr std::pair<std::string_view, std::string_view> kTags[] = {
    {"queries", "Questions about sessions, and what may be asked"},
    {"alerts", "Alerts and the rules that find them"},
    {"exports", "Scheduled Parquet"},
    {"customer", "What a customer has"},
    {"tokens", "OpenID Connect, and the older tokens"},
    {"administration", "Tenants, users, keys, tags and the audit log"},
    {"ingest", "What players send"},
    {"operations", "Probes and this document"},
};

constexpr std::string_view kProblem = R"({"$ref":"#/components/schemas/Problem"})";

// Headers that an operation takes or answers follow from its replies. `Accept` is not among them:
// OpenAPI has the content types of a reply for it, and ignores a parameter of that name.
constexpr std::string_view kHeaderParameters =
    R"({"IfNoneMatch":{"name":"If-None-Match","in":"header","required":false,)"
    R"("description":"The `ETag` of the answer you have, or several: 304 when it is still the )"
    R"(answer.","schema":{"type":"string"}},)"
    R"("AcceptEncoding":{"name":"Accept-Encoding","in":"header","required":false,)"
    R"("description":"zstd, br or gzip, with weights. Short answers are not compressed.",)"
    R"("schema":{"type":"string"}}})";
constexpr std::string_view kHeaders =
    R"({"ETag":{"description":"For `If-None-Match`; not of rows that are streamed.",)"
    R"("schema":{"type":"string"}}})";

std::string lower_method(net::Method method) {
    std::string name(net::method_name(method));
    for (char& c : name) c = static_cast<char>(c - 'A' + 'a');
    return name;
}

std::string_view permission_name(auth::Permission permission) {
    switch (permission) {
        case auth::Permission::Read: return "read";
        case auth::Permission::Write: return "write";
        case auth::Permission::Ingest: return "ingest";
        case auth::Permission::Admin: return "admin";
    }
    return {};
}

constexpr bool is_number(query::ParameterType type) noexcept {
    return type == query::ParameterType::Integer || type == query::ParameterType::Number ||
           type == query::ParameterType::Flag;
}

void write_schema(JsonWriter& json, const query::Parameter& parameter) {
    json.begin_object();
    switch (parameter.type) {
        case query::ParameterType::Text:
            json.member("type", "string");
            if (parameter.bytes_max > 0) json.member("maxLength", parameter.bytes_max);
            break;
        case query::ParameterType::Integer:
            json.member("type", "integer");
            json.member("minimum", parameter.least);
            if (parameter.most != std::numeric_limits<std::int64_t>::max()) {
                json.member("maximum", parameter.most);
            }
            break;
        case query::ParameterType::Number:
            json.member("type", "number");
            json.member("minimum", parameter.low);
            json.member("maximum", parameter.high);
            break;
        case query::ParameterType::Id:
            json.member("type", "string");
            json.member("pattern", "^[A-Za-z0-9_-]*$");
            json.member("maxLength", query::kIdBytesMax);
            break;
        case query::ParameterType::Flag:
            json.member("type", "integer");
            json.key("enum");
            json.raw("[0,1]");
            break;
        case query::ParameterType::Choice:
            json.member("type", "string");
            json.key("enum");
            json.begin_array();
            for (const auto& choice : parameter.choices) json.value(choice);
            json.end_array();
            break;
        case query::ParameterType::Names:
            json.member("type", "array");
            json.key("items");
            json.raw(fmt::format(R"({{"$ref":"#/components/schemas/{}"}})", parameter.names));
            break;
    }
    if (!parameter.otherwise.empty()) {
        json.key("default");
        is_number(parameter.type) ? json.raw(parameter.otherwise) : json.value(parameter.otherwise);
    }
    json.end_object();
}

void write_example(JsonWriter& json, const query::Parameter& parameter) {
    if (parameter.example.empty()) return;
    json.key("example");
    if (is_number(parameter.type)) return json.raw(parameter.example);
    if (parameter.type != query::ParameterType::Names) return json.value(parameter.example);
    json.begin_array();
    for (std::string_view rest = parameter.example; !rest.empty();) {
        const auto comma = rest.find(',');
        json.value(rest.substr(0, comma));
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    json.end_array();
}

void write_parameter(JsonWriter& json, const query::Parameter& parameter) {
    json.begin_object();
    json.member("name", parameter.name);
    json.member("in", parameter.in_path ? "path" : "query");
    json.member("required", parameter.required || parameter.in_path);
    std::string description = parameter.description;
    if (parameter.ignored) {
        json.member("deprecated", true);
        if (description.empty()) description = "Known from another generation; without effect.";
    }
    json.member("description", description);
    if (parameter.type == query::ParameterType::Names) {
        json.member("style", "form");
        json.member("explode", false);
    }
    json.key("schema");
    write_schema(json, parameter);
    write_example(json, parameter);
    json.end_object();
}

void write_body(JsonWriter& json, const RequestBody& body) {
    json.key("requestBody");
    json.begin_object();
    json.member("required", body.required);
    json.key("content");
    json.begin_object();
    for (const auto& type : body.content_types) {
        json.key(type);
        json.begin_object();
        json.key("schema");
        json.raw(body.schema.empty() ? "{}" : body.schema);
        if (!body.example.empty() && type.find("json") != std::string::npos) {
            json.key("example");
            json.raw(body.example);
        }
        json.end_object();
    }
    json.end_object();
    json.end_object();
}

/// What an operation answers, by status: its own replies and the problems that come by themselves.
std::map<int, std::vector<Reply>> all_replies(const Operation& operation) {
    std::map<int, std::vector<Reply>> out;
    for (const auto& reply : operation.replies) out[reply.status].push_back(reply);
    std::set<int> problems(operation.problems.begin(), operation.problems.end());
    const bool path = std::any_of(operation.parameters.begin(), operation.parameters.end(),
                                  [](const auto& each) { return each.in_path; });
    if (path || !operation.tolerant || operation.body) problems.insert(400);
    if (operation.permission) problems.insert({401, 403, 404});
    // A request that is too large, or a server that is not ready: anywhere.
    problems.insert({413, 503});
    for (const int status : problems) {
        out[status].push_back({status, "application/problem+json", std::string(kProblem), {}});
    }
    return out;
}

/// Knows `If-None-Match`.
bool is_conditional(const Operation& operation) {
    return std::ranges::any_of(operation.replies,
                               [](const Reply& reply) { return reply.status == 304; });
}

void write_parameters(JsonWriter& json, const Operation& operation) {
    const bool shrinks = std::ranges::any_of(operation.replies, [](const Reply& reply) {
        return reply.status == 200 && http::is_compressible(reply.content_type);
    });
    const bool conditional = is_conditional(operation);
    if (operation.parameters.empty() && !shrinks && !conditional) return;
    json.key("parameters");
    json.begin_array();
    for (const auto& parameter : operation.parameters) write_parameter(json, parameter);
    if (conditional) json.raw(R"({"$ref":"#/components/parameters/IfNoneMatch"})");
    if (shrinks) json.raw(R"({"$ref":"#/components/parameters/AcceptEncoding"})");
    json.end_array();
}

void write_replies(JsonWriter& json, const Operation& operation) {
    json.key("responses");
    json.begin_object();
    for (const auto& [status, forms] : all_replies(operation)) {
        json.key(std::to_string(status));
        json.begin_object();
        const auto& text = forms.front().description;
        json.member("description", text.empty() ? net::status_phrase(status) : text);
        if ((status == 200 || status == 304) && is_conditional(operation)) {
            json.key("headers");
            json.raw(R"({"ETag":{"$ref":"#/components/headers/ETag"}})");
        }
        const bool content = std::any_of(forms.begin(), forms.end(), [](const auto& each) {
            return !each.content_type.empty();
        });
        if (content) {
            json.key("content");
            json.begin_object();
            for (const auto& form : forms) {
                if (form.content_type.empty()) continue;
                json.key(form.content_type);
                json.begin_object();
                if (!form.schema.empty()) {
                    json.key("schema");
                    json.raw(form.schema);
                }
                json.end_object();
            }
            json.end_object();
        }
        json.end_object();
    }
    json.end_object();
}

void write_examples(JsonWriter& json, const Operation& operation) {
    if (operation.examples.empty()) return;
    json.key("x-examples");
    json.begin_array();
    for (const auto& example : operation.examples) {
        json.begin_object();
        json.member("name", example.name);
        json.member("query", example.query);
        if (!example.body.empty()) json.member("body", example.body);
        json.key("path");
        json.begin_object();
        for (const auto& [name, value] : example.path) json.member(name, value);
        json.end_object();
        json.member("status", example.status);
        json.end_object();
    }
    json.end_array();
}

void write_variants(JsonWriter& json, const Operation& operation) {
    if (operation.variants.empty()) return;
    json.key("x-variants");
    json.begin_object();
    json.member("by", operation.variant_by);
    json.key("of");
    json.begin_object();
    for (const auto& variant : operation.variants) {
        json.key(variant.value);
        json.begin_object();
        json.member("summary", variant.summary);
        json.member("description", variant.description);
        json.key("parameters");
        json.begin_array();
        for (const auto& parameter : variant.parameters) write_parameter(json, parameter);
        json.end_array();
        json.key("schema");
        json.raw(variant.schema);
        json.end_object();
    }
    json.end_object();
    json.end_object();
}

void write_operation(JsonWriter& json, const Operation& operation) {
    json.begin_object();
    json.member("operationId", operation.id);
    json.key("tags");
    json.begin_array();
    json.value(operation.tag);
    json.end_array();
    json.member("summary", operation.summary);
    if (!operation.description.empty()) json.member("description", operation.description);
    if (operation.permission) {
        json.member("x-permission", permission_name(*operation.permission));
    }
    json.key("security");
    json.raw(operation.permission ? R"([{"apiKey":[]},{"bearer":[]}])" : "[]");
    write_parameters(json, operation);
    if (operation.body) write_body(json, *operation.body);
    write_replies(json, operation);
    write_variants(json, operation);
    write_examples(json, operation);
    json.end_object();
}

void write_tags(JsonWriter& json, std::set<std::string> used) {
    json.key("tags");
    json.begin_array();
    const auto write = [&](std::string_view name, std::string_view description) {
        json.begin_object();
        json.member("name", name);
        if (!description.empty()) json.member("description", description);
        json.end_object();
    };
    for (const auto& [name, description] : kTags) {
        if (used.erase(std::string(name)) > 0) write(name, description);
    }
    for (const auto& name : used) write(name, "");
    json.end_array();
}

void write_head(JsonWriter& json, const std::string& version) {
    json.member("openapi", "3.1.0");
    json.key("info");
    json.begin_object();
    json.member("title", "Playhead");
    json.member("version", version);
    json.member("description",
                "Quality-of-experience analytics for streaming video. Times are epoch seconds, "
                "errors are `application/problem+json`.");
    json.end_object();
    json.key("servers");
    json.raw(R"([{"url":"/"}])");
}

}  // namespace

std::string Contract::openapi_json() const {
    std::map<std::string, std::vector<const Operation*>> paths;
    std::set<std::string> tags;
    for (const auto& operation : operations_) {
        paths[operation.path].push_back(&operation);
        tags.insert(operation.tag);
    }
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    write_head(json, version_);
    write_tags(json, std::move(tags));
    json.key("paths");
    json.begin_object();
    for (const auto& [path, operations] : paths) {
        json.key(path);
        json.begin_object();
        for (const auto* operation : operations) {
            json.key(lower_method(operation->method));
            write_operation(json, *operation);
        }
        json.end_object();
    }
    json.end_object();
    json.key("components");
    json.begin_object();
    json.key("securitySchemes");
    json.raw(R"({"apiKey":{"type":"apiKey","in":"header","name":"X-API-Key"},)"
             R"("bearer":{"type":"http","scheme":"bearer"}})");
    json.key("parameters");
    json.raw(kHeaderParameters);
    json.key("headers");
    json.raw(kHeaders);
    json.key("schemas");
    json.begin_object();
    for (const auto& [name, schema] : schemas_) {
        json.key(name);
        json.raw(schema);
    }
    json.end_object();
    json.end_object();
    json.key("x-undocumented");
    json.begin_array();
    for (const auto& route : router_.routes()) {
        const bool known = std::any_of(operations_.begin(), operations_.end(), [&](const auto& op) {
            return op.method == route.method && op.path == route.pattern;
        });
        if (!known) json.value(fmt::format("{} {}", net::method_name(route.method), route.pattern));
    }
    json.end_array();
    json.end_object();
    return out;
}

}  // namespace playhead::api
