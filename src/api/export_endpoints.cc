#include "api/export_endpoints.h"

#include <fmt/format.h>

#include "api/export_operations.h"
#include "api/replies.h"
#include "base/json_writer.h"

namespace playhead::api {

namespace {

using net::Response;

constexpr std::uint64_t kBodyBytesMax = 16 * 1024;

}  // namespace

void ExportEndpoints::add_operations(Contract& contract) {
    const auto add = [&](Operation operation, Answer (ExportEndpoints::*step)(const Call&)) {
        contract.add(std::move(operation), {http::RunOn::Pool, kBodyBytesMax, true},
                     answering([this, step](Call& call) { return (this->*step)(call); }));
    };
    add(list_exports_operation(), &ExportEndpoints::list);
    add(add_export_operation(), &ExportEndpoints::create);
    add(get_export_operation(), &ExportEndpoints::show);
    add(replace_export_operation(), &ExportEndpoints::replace);
    add(remove_export_operation(), &ExportEndpoints::remove);
    add(run_export_operation(), &ExportEndpoints::run);
}

Result<std::string> ExportEndpoints::with_state(const exports::Definition& definition) const {
    const auto state = exporter_.state(definition.customer_id, definition.id);
    if (!state) return fail(state.error());
    std::string body = exports::definition_json(definition, true);
    body.pop_back();
    body += ",\"state\":";
    JsonWriter json(body);
    exports::write_state(json, *state, false);
    return body + "}";
}

void ExportEndpoints::audit(const Call& call, const char* action, std::string_view id) {
    static_cast<void>(directory_.audit(audit_entry(call, action, id)));
}

ExportEndpoints::Answer ExportEndpoints::stored(const exports::Definition& definition,
                                                const Call& call, const char* action, int status) {
    if (auto done = exporter_.put(definition); !done) return fail(done.error());
    audit(call, action, definition.id);
    auto body = with_state(definition);
    if (!body) return fail(body.error());
    return json_reply(status, std::move(*body), kNoStore);
}

ExportEndpoints::Answer ExportEndpoints::list(const Call& call) {
    const auto all = exporter_.list(call.caller.customer_id);
    if (!all) return fail(all.error());
    std::string body = "{\"exports\":[";
    for (const auto& definition : *all) {
        auto one = with_state(definition);
        if (!one) return fail(one.error());
        if (body.back() != '[') body += ',';
        body += *one;
    }
    return json_reply(200, body + "]}", kNoStore);
}

ExportEndpoints::Answer ExportEndpoints::create(const Call& call) {
    auto definition = exports::parse_definition(call.request.body(), exporter_.policy());
    if (!definition) return fail(definition.error());
    const auto all = exporter_.list(call.caller.customer_id);
    if (!all) return fail(all.error());
    if (all->size() >= exports::kExportsPerCustomerMax) {
        return fail(ErrorCode::Conflict,
                    fmt::format("there are {} exports already, the most a customer may have",
                                exports::kExportsPerCustomerMax));
    }
    definition->id = ids_.new_id();
    definition->customer_id = call.caller.customer_id;
    return stored(*definition, call, "export-added", 201);
}

ExportEndpoints::Answer ExportEndpoints::show(const Call& call) {
    const auto definition = exporter_.find(call.caller.customer_id, call.text("id"));
    if (!definition) return fail(definition.error());
    auto body = with_state(*definition);
    if (!body) return fail(body.error());
    return json_reply(200, std::move(*body), kNoStore);
}

ExportEndpoints::Answer ExportEndpoints::replace(const Call& call) {
    const auto known = exporter_.find(call.caller.customer_id, call.text("id"));
    if (!known) return fail(known.error());
    auto definition = exports::parse_definition(call.request.body(), exporter_.policy());
    if (!definition) return fail(definition.error());
    definition->id = known->id;
    definition->customer_id = call.caller.customer_id;
    // What is in another place is not what the state says was written.
    if (definition->target != known->target || definition->table != known->table ||
        definition->s3.endpoint != known->s3.endpoint) {
        if (auto done = exporter_.remove(call.caller.customer_id, known->id); !done) {
            return fail(done.error());
        }
    }
    return stored(*definition, call, "export-changed", 200);
}

ExportEndpoints::Answer ExportEndpoints::remove(const Call& call) {
    const auto known = exporter_.find(call.caller.customer_id, call.text("id"));
    if (!known) return fail(known.error());
    if (auto done = exporter_.remove(call.caller.customer_id, known->id); !done) {
        return fail(done.error());
    }
    audit(call, "export-removed", known->id);
    return Response(204);
}

ExportEndpoints::Answer ExportEndpoints::run(const Call& call) {
    const auto definition = exporter_.find(call.caller.customer_id, call.text("id"));
    if (!definition) return fail(definition.error());
    const auto state = exporter_.run(*definition);
    if (!state) return fail(state.error());
    audit(call, "export-run", definition->id);
    std::string body;
    JsonWriter json(body);
    exports::write_state(json, *state, false);
    return json_reply(200, std::move(body), kNoStore);
}

}  // namespace playhead::api
