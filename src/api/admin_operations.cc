#include "api/admin_operations.h"

#include <fmt/format.h>

#include "api/schemas.h"

namespace playhead::api {

namespace {

constexpr std::int64_t kAuditPageMax = 1000;
constexpr std::int64_t kCustomerMost = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kIdInPathBytesMax = 256;

constexpr Field kNewTenant[] = {
    {.name = "customerId", .type = FieldType::Integer, .required = true, .least = 1},
    {.name = "name", .type = FieldType::Text, .required = true},
    {.name = "allowedOrigins", .type = FieldType::Texts},
    {.name = "ingestKeys", .type = FieldType::Texts},
    {.name = "statsIntervalSeconds", .type = FieldType::Integer, .least = 1, .most = 3600},
};
constexpr Field kTenantChange[] = {
    {.name = "name", .type = FieldType::Text},
    {.name = "enabled", .type = FieldType::Boolean},
    {.name = "allowedOrigins", .type = FieldType::Texts},
    {.name = "ingestKeys", .type = FieldType::Texts},
    {.name = "statsIntervalSeconds", .type = FieldType::Integer, .least = 1, .most = 3600},
};
constexpr Field kNewUser[] = {
    {.name = "email", .type = FieldType::Text, .required = true},
    {.name = "password", .type = FieldType::Text, .required = true},
    {.name = "customerId", .type = FieldType::Integer, .least = 1},
    {.name = "role", .type = FieldType::Text, .choices = "viewer|editor|admin"},
    {.name = "furtherCustomers", .type = FieldType::Integers},
    {.name = "enabled", .type = FieldType::Boolean},
    {.name = "givenName", .type = FieldType::Text},
    {.name = "familyName", .type = FieldType::Text},
};
constexpr Field kUserChange[] = {
    {.name = "password", .type = FieldType::Text},
    {.name = "role", .type = FieldType::Text, .choices = "viewer|editor|admin"},
    {.name = "furtherCustomers", .type = FieldType::Integers},
    {.name = "enabled", .type = FieldType::Boolean},
    {.name = "givenName", .type = FieldType::Text},
    {.name = "familyName", .type = FieldType::Text},
};
constexpr Field kNewKey[] = {
    {.name = "scope", .type = FieldType::Text, .required = true, .choices = "read|ingest|admin"},
    {.name = "name", .type = FieldType::Text},
    {.name = "customerId", .type = FieldType::Integer, .least = 1},
};
constexpr Field kKeyChange[] = {{.name = "name", .type = FieldType::Text, .required = true}};
constexpr Field kNewTag[] = {
    {.name = "name", .type = FieldType::Text, .required = true},
    {.name = "title", .type = FieldType::Text, .bytes_max = 200},
    {.name = "description", .type = FieldType::Text, .bytes_max = 1000},
    {.name = "type", .type = FieldType::Text, .choices = "text|number|boolean"},
    {.name = "customerId", .type = FieldType::Integer, .least = 1},
};
constexpr Field kTagChange[] = {
    {.name = "title", .type = FieldType::Text, .bytes_max = 200},
    {.name = "description", .type = FieldType::Text, .bytes_max = 1000},
    {.name = "type", .type = FieldType::Text, .choices = "text|number|boolean"},
};

struct Kind {
    const char* path;    ///< below /admin/v1
    const char* member;  ///< of the list's answer
    const char* one;     ///< the component schema, and in the names of operations
    const char* many;
    const char* words;  ///< for summaries, with its article
    std::span<const Field> added, changed;
    const char* added_example;
    bool customer_by_list;  ///< `?customer=` on the list
    bool customer_by_item;  ///< and on one of them
    bool number_id;
};

Kind kind_of(AdminKind kind) {
    switch (kind) {
        case AdminKind::Tenants:
            return {"tenants",     "tenants",
                    "Tenant",      "Tenants",
                    "a tenant",    kNewTenant,
                    kTenantChange, R"({"customerId":900100299,"name":"A child"})",
                    false,         false,
                    true};
        case AdminKind::Users:
            return {"users",
                    "users",
                    "User",
                    "Users",
                    "a user",
                    kNewUser,
                    kUserChange,
                    R"({"email":"new@example.test","password":"a long one","role":"viewer"})",
                    true,
                    false,
                    false};
        case AdminKind::ApiKeys:
            return {"apikeys",    "apiKeys", "ApiKey",   "ApiKeys",
                    "an API key", kNewKey,   kKeyChange, R"({"scope":"read","name":"a dashboard"})",
                    true,         false,     false};
        case AdminKind::Tags: break;
    }
    return {"tags",         "tags",  "Tag",      "Tags",
            "a custom tag", kNewTag, kTagChange, R"({"name":"plan","title":"Plan","type":"text"})",
            true,           true,    false};
}

query::Parameter customer_parameter() {
    return {.name = "customer",
            .type = query::ParameterType::Integer,
            .description = "A customer that you manage; without it your own.",
            .least = 1,
            .most = kCustomerMost};
}

Operation admin_operation(net::Method method, std::string path, std::string id,
                          std::string summary) {
    Operation out;
    out.method = method;
    out.path = "/admin/v1/" + std::move(path);
    out.id = std::move(id);
    out.tag = "administration";
    out.summary = std::move(summary);
    out.permission = auth::Permission::Admin;
    out.admits_itself = true;
    return out;
}

Operation of_item(const Kind& kind, net::Method method, const char* verb, const char* word) {
    auto out = admin_operation(method, fmt::format("{}/{{id}}", kind.path),
                               fmt::format("{}{}", verb, kind.one),
                               fmt::format("{} {}", word, kind.words));
    out.parameters.push_back(
        {.name = "id",
         .type = kind.number_id ? query::ParameterType::Integer : query::ParameterType::Text,
         .description = kind.number_id ? "The customer." : "",
         .example = kind.number_id ? "1" : "nobody",
         .least = 1,
         .bytes_max = kIdInPathBytesMax,
         .in_path = true});
    if (kind.customer_by_item) out.parameters.push_back(customer_parameter());
    if (method != net::Method::Delete) {
        out.replies = {{200, "application/json", schema_of(kind.one), {}}};
    }
    out.examples = {{.name = "nothing of that id", .status = 404}};
    return out;
}

}  // namespace

std::array<Operation, 5> admin_operations(AdminKind which) {
    const auto kind = kind_of(which);
    auto list = admin_operation(net::Method::Get, kind.path, fmt::format("list{}", kind.many),
                                fmt::format("All {}", kind.member));
    if (kind.customer_by_list) list.parameters.push_back(customer_parameter());
    list.replies = {
        {200,
         "application/json",
         fmt::format(
             R"({{"type":"object","required":["{0}"],"properties":{{"{0}":{{"type":"array",)"
             R"("items":{1}}}}},"additionalProperties":false}})",
             kind.member, schema_of(kind.one)),
         {}}};
    list.examples = {{.name = "your own"},
                     {.name = "a misspelt parameter", .query = "custmer=1", .status = 400}};

    auto add = admin_operation(net::Method::Post, kind.path, fmt::format("add{}", kind.one),
                               fmt::format("Add {}", kind.words));
    add.body = RequestBody{.example = kind.added_example, .fields = kind.added};
    add.replies = {{201,
                    "application/json",
                    schema_of(which == AdminKind::ApiKeys ? "NewApiKey" : kind.one),
                    {}}};
    add.problems = {409, 413};

    auto get = of_item(kind, net::Method::Get, "get", "Get");
    auto change = of_item(kind, net::Method::Patch, "change", "Change");
    change.body = RequestBody{.required = false, .fields = kind.changed};
    change.problems = {409, 413};
    change.examples.front().body = which == AdminKind::ApiKeys ? R"({"name":"another"})" : R"({})";
    auto remove = of_item(kind, net::Method::Delete, "remove",
                          which == AdminKind::Tenants   ? "Disable"
                          : which == AdminKind::ApiKeys ? "Revoke"
                                                        : "Remove");
    remove.replies = {{204, {}, {}, "Done."}};
    remove.problems = {409};
    return {std::move(list), std::move(add), std::move(get), std::move(change), std::move(remove)};
}

Operation audit_operation() {
    auto out = admin_operation(net::Method::Get, "audit", "audit", "The audit log, newest first");
    out.parameters = {customer_parameter(),
                      {.name = "before",
                       .type = query::ParameterType::Integer,
                       .description = "`before` of the page before; 0 begins.",
                       .otherwise = "0"},
                      {.name = "limit",
                       .type = query::ParameterType::Integer,
                       .description = "Entries of a page.",
                       .otherwise = "100",
                       .least = 1,
                       .most = kAuditPageMax}};
    out.replies = {{200, "application/json", schema_of("AuditPage"), {}}};
    out.examples = {{.name = "the first page", .query = "limit=10"}};
    return out;
}

}  // namespace playhead::api
