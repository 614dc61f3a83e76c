#include "api/export_endpoints.h"

#include <fmt/format.h>

#include "base/json_writer.h"
#include "net/problem.h"

namespace playhead::api {

namespace {

using net::Request;
using net::Responder;
using net::Response;

constexpr std::uint64_t kBodyBytesMax = 16 * 1024;

Response json_reply(int status, std::string body) {
    Response response(status, "application/json", std::move(body));
    response.add("Cache-Control", "no-store");
    return response;
}

}  // namespace

void ExportEndpoints::add_routes(http::Router& router) {
    using Step = Answer (ExportEndpoints::*)(const Request&, const Caller&);
    const auto add = [&](net::Method method, const char* pattern, Step step) {
        router.add(
            method, pattern, http::RouteOptions{http::RunOn::Pool, kBodyBytesMax, true},
            [this, step](Request& request, Responder responder) {
                const auto caller = access_.enter(request, std::nullopt, auth::Permission::Admin);
                if (!caller) return responder.send(net::problem_response(caller.error()));
                auto answer = (this->*step)(request, *caller);
                responder.send(answer ? std::move(*answer) : net::problem_response(answer.error()));
            });
    };
    add(net::Method::Get, "/mm-apis/exports/{customerId}", &ExportEndpoints::list);
    add(net::Method::Post, "/mm-apis/exports/{customerId}", &ExportEndpoints::create);
    add(net::Method::Get, "/mm-apis/exports/{customerId}/{id}", &ExportEndpoints::show);
    add(net::Method::Put, "/mm-apis/exports/{customerId}/{id}", &ExportEndpoints::replace);
    add(net::Method::Delete, "/mm-apis/exports/{customerId}/{id}", &ExportEndpoints::remove);
    add(net::Method::Post, "/mm-apis/exports/{customerId}/{id}/run", &ExportEndpoints::run);
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

void ExportEndpoints::audit(const Caller& caller, const char* action, std::string_view id,
                            const Request& request) {
    directory::AuditEntry entry;
    entry.actor = caller.identity.email.empty() ? caller.identity.subject : caller.identity.email;
    entry.action = action;
    entry.target = id;
    entry.customer_id = caller.customer_id;
    entry.address = request.remote_address();
    static_cast<void>(directory_.audit(entry));
}

ExportEndpoints::Answer ExportEndpoints::stored(exports::Definition definition,
                                                const Caller& caller, const char* action,
                                                const Request& request, int status) {
    if (auto done = exporter_.put(definition); !done) return fail(done.error());
    audit(caller, action, definition.id, request);
    auto body = with_state(definition);
    if (!body) return fail(body.error());
    return json_reply(status, std::move(*body));
}

ExportEndpoints::Answer ExportEndpoints::list(const Request&, const Caller& caller) {
    const auto all = exporter_.list(caller.customer_id);
    if (!all) return fail(all.error());
    std::string body = "{\"exports\":[";
    for (const auto& definition : *all) {
        auto one = with_state(definition);
        if (!one) return fail(one.error());
        if (body.back() != '[') body += ',';
        body += *one;
    }
    return json_reply(200, body + "]}");
}

ExportEndpoints::Answer ExportEndpoints::create(const Request& request, const Caller& caller) {
    auto definition = exports::parse_definition(request.body(), exporter_.policy());
    if (!definition) return fail(definition.error());
    const auto all = exporter_.list(caller.customer_id);
    if (!all) return fail(all.error());
    if (all->size() >= exports::kExportsPerCustomerMax) {
        return fail(ErrorCode::Conflict,
                    fmt::format("there are {} exports already, the most a customer may have",
                                exports::kExportsPerCustomerMax));
    }
    definition->id = ids_.new_id();
    definition->customer_id = caller.customer_id;
    return stored(std::move(*definition), caller, "export-added", request, 201);
}

ExportEndpoints::Answer ExportEndpoints::show(const Request& request, const Caller& caller) {
    const auto definition = exporter_.find(caller.customer_id, request.param("id"));
    if (!definition) return fail(definition.error());
    auto body = with_state(*definition);
    if (!body) return fail(body.error());
    return json_reply(200, std::move(*body));
}

ExportEndpoints::Answer ExportEndpoints::replace(const Request& request, const Caller& caller) {
    const auto known = exporter_.find(caller.customer_id, request.param("id"));
    if (!known) return fail(known.error());
    auto definition = exports::parse_definition(request.body(), exporter_.policy());
    if (!definition) return fail(definition.error());
    definition->id = known->id;
    definition->customer_id = caller.customer_id;
    // What is in another place is not what the state says was written.
    if (definition->target != known->target || definition->table != known->table ||
        definition->s3.endpoint != known->s3.endpoint) {
        if (auto done = exporter_.remove(caller.customer_id, known->id); !done) {
            return fail(done.error());
        }
    }
    return stored(std::move(*definition), caller, "export-changed", request, 200);
}

ExportEndpoints::Answer ExportEndpoints::remove(const Request& request, const Caller& caller) {
    const auto known = exporter_.find(caller.customer_id, request.param("id"));
    if (!known) return fail(known.error());
    if (auto done = exporter_.remove(caller.customer_id, known->id); !done) {
        return fail(done.error());
    }
    audit(caller, "export-removed", known->id, request);
    return Response(204);
}

ExportEndpoints::Answer ExportEndpoints::run(const Request& request, const Caller& caller) {
    const auto definition = exporter_.find(caller.customer_id, request.param("id"));
    if (!definition) return fail(definition.error());
    const auto state = exporter_.run(*definition);
    if (!state) return fail(state.error());
    audit(caller, "export-run", definition->id, request);
    std::string body;
    JsonWriter json(body);
    exports::write_state(json, *state, false);
    return json_reply(200, std::move(body));
}

}  // namespace playhead::api
