#include "api/sql_endpoints.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "api/query_operations.h"
#include "api/row_stream.h"
#include "base/json_writer.h"
#include "net/problem.h"
#include "query/nearest.h"

namespace playhead::api {

namespace {

using net::Request;
using net::Responder;
using net::Response;

struct SqlRequest {
    query::TenantSql statement;
    std::string format;
    std::string query_id;
};

tl::unexpected<Error> bad_body(std::string parameter, std::string value, std::string expected) {
    return fail_parameter(parameter, std::move(value), std::move(expected),
                          fmt::format("the body's '{}' is wrong", parameter));
}

/// A parameter's value as text; arrays as the engine writes them.
Result<store::Parameter> parameter_of(std::string_view name, simdjson::dom::element value) {
    if (std::string_view text; value.get(text) == simdjson::SUCCESS) {
        return store::Parameter{std::string(name), std::string(text)};
    }
    if (simdjson::dom::array list; value.get(list) == simdjson::SUCCESS) {
        std::vector<std::string> texts;
        std::string numbers = "[";
        for (const auto item : list) {
            if (std::string_view text; item.get(text) == simdjson::SUCCESS) {
                texts.emplace_back(text);
            } else if (item.is_number()) {
                numbers += fmt::format("{}{}", numbers.size() > 1 ? "," : "",
                                       std::string_view(simdjson::minify(item)));
            } else {
                return bad_body("parameters", std::string(name), "texts or numbers in an array");
            }
        }
        if (!texts.empty() && numbers.size() > 1) {
            return bad_body("parameters", std::string(name), "an array of one type");
        }
        return store::Parameter{std::string(name),
                                texts.empty() ? numbers + "]" : store::array_literal(texts), true};
    }
    if (value.is_number() || value.is_bool()) {
        return store::Parameter{std::string(name), simdjson::minify(value)};
    }
    return bad_body("parameters", std::string(name), "a text, number, boolean or an array of them");
}

Result<void> read_field(std::string_view key, simdjson::dom::element value, SqlRequest& into) {
    constexpr std::array kMembers{"sql", "parameters", "format", "queryId"};
    if (std::find(kMembers.begin(), kMembers.end(), key) == kMembers.end()) {
        const auto near = query::nearest_name(key, {kMembers.begin(), kMembers.end()});
        return bad_body(std::string(key.substr(0, 64)), "",
                        near.empty() ? "one of sql, parameters, format, queryId"
                                     : "did you mean \"" + near + "\"?");
    }
    std::string_view text;
    if (key == "parameters") {
        simdjson::dom::object object;
        if (value.get(object) != simdjson::SUCCESS) {
            return bad_body("parameters", simdjson::minify(value), "an object of names and values");
        }
        for (const auto [name, given] : object) {
            auto parameter = parameter_of(name, given);
            if (!parameter) return fail(parameter.error());
            into.statement.parameters.push_back(std::move(*parameter));
        }
        return {};
    }
    if (value.get(text) != simdjson::SUCCESS) {
        return bad_body(std::string(key), simdjson::minify(value), "a text");
    }
    if (key == "sql") {
        into.statement.sql = text;
    } else if (key == "format") {
        into.format = text;
    } else {
        const query::Parameter id{.name = "queryId", .type = query::ParameterType::Id};
        if (auto good = check_value(id, text); !good) return good;
        into.query_id = text;
    }
    return {};
}

Result<SqlRequest> parse_body(const Request& request) {
    SqlRequest parsed;
    const auto type = request.header("content-type");
    if (type.starts_with("text/plain")) {
        parsed.statement.sql = request.body();
        return parsed;
    }
    if (!type.empty() && !type.starts_with("application/json")) {
        return fail(Error{ErrorCode::UnsupportedMediaType, "The body is of another type.",
                          "Content-Type", std::string(type), "application/json or text/plain"});
    }
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(request.body().data(), request.body().size()).get(object) !=
        simdjson::SUCCESS) {
        return bad_body("body", {}, R"({"sql": "SELECT …", "parameters": {}, "format": "json"})");
    }
    for (const auto [key, value] : object) {
        // A text and a null mean the same for what is optional.
        if (value.is_null()) continue;
        if (auto read = read_field(key, value, parsed); !read) return fail(read.error());
    }
    if (parsed.statement.sql.empty()) return bad_body("sql", {}, "a SELECT statement");
    return parsed;
}

Result<const AnswerForm*> form_of(const SqlRequest& parsed, const Request& request) {
    if (!parsed.format.empty()) {
        if (const AnswerForm* named = form_named(parsed.format)) return named;
        return bad_body("format", parsed.format, std::string(kAnswerFormNames));
    }
    const AnswerForm* accepted = form_accepted(kAnswerForms, request.header("accept"));
    return accepted == nullptr ? kAnswerForms.data() : accepted;
}

}  // namespace

SqlEndpoints::SqlEndpoints(const query::SqlGate& gate, const query::Engine& engine, QueryDesk& desk,
                           const RunningQueries& running, MetricsRegistry& metrics)
    : gate_(gate),
      engine_(engine),
      desk_(desk),
      running_(running),
      seconds_(metrics.histogram("playhead_sql_seconds", "", "Time of SQL statements of tenants")),
      refused_(metrics.counter("playhead_sql_refused_total", "",
                               "SQL statements of tenants that were refused or failed")) {}

void SqlEndpoints::add_operations(Contract& contract) {
    contract.add(
        sql_operation(), {http::RunOn::Pool, kSqlBodyBytesMax, true},
        [this](Call& call, Responder responder) { answer_sql(call, std::move(responder)); });
    for (const auto method : {net::Method::Get, net::Method::Delete}) {
        contract.add(query_state_operation(method), {http::RunOn::Pool, 0, false},
                     [this, method](Call& call, Responder responder) {
                         answer_query_state(call, std::move(responder),
                                            method == net::Method::Delete);
                     });
    }
}

void SqlEndpoints::answer_sql(Call& call, Responder responder) {
    auto parsed = parse_body(call.request);
    if (!parsed) return responder.send(net::problem_response(parsed.error()));
    const auto form = form_of(*parsed, call.request);
    if (!form) return responder.send(net::problem_response(form.error()));
    if (parsed->query_id.empty()) parsed->query_id = desk_.new_id();
    const auto customer_id = call.customer_id();
    const auto id = parsed->query_id;
    desk_.hand_in(customer_id, id, std::move(responder),
                  [this, statement = std::move(parsed->statement), customer_id, id, form = *form](
                      Responder& to, RunningQuery& running) {
                      stream_rows(statement, customer_id, id, *form, to, running);
                  });
}

void SqlEndpoints::stream_rows(const query::TenantSql& statement, std::uint64_t customer_id,
                               const std::string& query_id, const AnswerForm& form,
                               Responder& responder, RunningQuery& running) {
    const auto begun = std::chrono::steady_clock::now();
    Response head(200);
    head.add("Content-Type", form.content_type)
        .add("Cache-Control", "private, no-store")
        .add("X-Query-Id", query_id);
    RowStream rows(responder, std::move(head));
    const auto done = gate_.run(statement, customer_id, query_id, form.engine_format,
                                [&rows](std::string_view chunk) { return rows.add(chunk); });
    running.end(done ? Outcome{} : Outcome{done.error().code});
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
    seconds_.observe(passed.count());
    if (done) return rows.finish();
    refused_.add();
    // Once begun the connection is cut: the client sees that the body is incomplete.
    if (!rows.begun()) responder.send(desk_.refusal(done.error(), query_id));
}

void SqlEndpoints::answer_query_state(Call& call, Responder responder, bool cancel) {
    const auto& identity = call.caller.identity;
    const std::string id(call.text("queryId"));
    for (const std::int64_t customer : identity.customer_ids) {
        if (!auth::authorize(identity, customer, std::nullopt, auth::Permission::Read)) continue;
        const auto customer_id = static_cast<std::uint64_t>(customer);
        auto state = running_.find(id, customer_id);
        if (!state) continue;
        const bool stopping = cancel && desk_.cancel(id, customer_id);
        store::QueryProgress progress;
        progress.rows_read = state->rows_read;
        if (state->state == "running") {
            if (const auto now = engine_.progress(id, customer_id)) progress = *now;
            if (stopping || progress.stopping) state->state = "cancelling";
        }
        std::string body;
        JsonWriter json(body);
        json.begin_object();
        json.member("queryId", std::string_view(id));
        json.member("state", state->state);
        json.member("rowsread", progress.rows_read);
        json.member("bytesread", progress.bytes_read);
        json.member("elapsedms", state->elapsed_ms);
        json.end_object();
        Response response(stopping ? 202 : 200, "application/json", std::move(body));
        response.add("Cache-Control", "no-store");
        return responder.send(std::move(response));
    }
    responder.send(net::problem_response(
        {ErrorCode::NotFound, "No query of yours has this id.", "queryId", id, {}}));
}

}  // namespace playhead::api
