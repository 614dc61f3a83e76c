#include "api/export_operations.h"

#include <fmt/format.h>

#include "api/schemas.h"
#include "exports/definition.h"

namespace playhead::api {

namespace {

/// What `exports::parse_definition` takes; tests/contract holds the two together.
std::string definition_schema() {
    return fmt::format(
        R"({{"type":"object","required":["table","target"],"properties":{{)"
        R"("id":{{"type":"string"}},"table":{{"enum":["sessions","slices","events","ad_views"]}},)"
        R"("target":{{"type":"string","description":"file:///directory or s3://bucket/prefix"}},)"
        R"("schedule":{{"enum":["hourly","daily"],"default":"daily"}},)"
        R"("lateness_minutes":{{"type":"integer","minimum":0,"maximum":1440}},)"
        R"("lookback_days":{{"type":"integer","minimum":1,"maximum":{}}},)"
        R"("enabled":{{"type":"boolean"}},"endpoint":{{"type":"string"}},)"
        R"("region":{{"type":"string"}},"access_key":{{"type":"string"}},)"
        R"("secret_key":{{"type":"string"}}}},"additionalProperties":false}})",
        exports::kLookbackDaysMax);
}

constexpr const char* kExample =
    R"({"table":"sessions","target":"file:///not/allowed","schedule":"daily"})";

Operation export_operation(net::Method method, const char* below, std::string id,
                           std::string summary) {
    Operation out;
    out.method = method;
    out.path = std::string("/mm-apis/exports/{customerId}") + below;
    out.id = std::move(id);
    out.tag = "exports";
    out.summary = std::move(summary);
    out.permission = auth::Permission::Admin;
    out.replies = {{200, "application/json", schema_of("Export"), {}}};
    if (*below != '\0') {
        out.parameters = {
            {.name = "id", .type = query::ParameterType::Id, .example = "none", .in_path = true}};
        out.examples = {{.name = "no such export", .status = 404}};
    }
    return out;
}

void take_definition(Operation& operation) {
    operation.body = RequestBody{.schema = schema_of("ExportInput"), .example = kExample};
    operation.problems = {413};
}

}  // namespace

void add_export_schemas(Contract& contract) {
    contract.add_schema("ExportInput", definition_schema());
    contract.add_schema("ExportState",
                        object_schema({"ran_s integer", "error string", "days object"}));
    contract.add_schema(
        "Export", object_schema({"id string", "table string", "target string", "schedule string",
                                 "lateness_minutes integer", "lookback_days integer",
                                 "enabled boolean", "-endpoint string", "-region string",
                                 "-access_key string", "state #ExportState"}));
}

Operation list_exports_operation() {
    auto out = export_operation(net::Method::Get, "", "listExports", "Every scheduled export");
    out.replies = {{200, "application/json", object_schema({"exports #Export[]"}), {}}};
    out.examples = {{.name = "all"}};
    return out;
}

Operation add_export_operation() {
    auto out = export_operation(net::Method::Post, "", "addExport", "Add a scheduled export");
    take_definition(out);
    out.problems.push_back(409);
    out.replies.front().status = 201;
    out.examples = {
        {.name = "a directory that the operator does not allow", .body = kExample, .status = 400}};
    return out;
}

Operation get_export_operation() {
    return export_operation(net::Method::Get, "/{id}", "getExport", "One export and its state");
}

Operation replace_export_operation() {
    auto out = export_operation(net::Method::Put, "/{id}", "replaceExport", "Replace an export");
    take_definition(out);
    out.examples.front().body = kExample;
    return out;
}

Operation remove_export_operation() {
    auto out = export_operation(net::Method::Delete, "/{id}", "removeExport", "Remove an export");
    out.replies = {{204, {}, {}, "Removed; what it wrote stays."}};
    return out;
}

Operation run_export_operation() {
    auto out = export_operation(net::Method::Post, "/{id}/run", "runExport", "Run an export now");
    out.replies = {{200, "application/json", schema_of("ExportState"), {}}};
    out.problems = {422, 499, 504};
    return out;
}

}  // namespace playhead::api
