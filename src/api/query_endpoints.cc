#include "api/query_endpoints.h"

#include <fmt/format.h>

#include <memory>

#include "api/envelope_reply.h"
#include "api/query_operations.h"
#include "api/replies.h"
#include "api/row_stream.h"
#include "api/tags.h"
#include "base/json_writer.h"
#include "query/envelope.h"

namespace playhead::api {

namespace {

using net::Responder;
using net::Response;

/// The form that `format=` or the Accept header names; null for JSON. InvalidArgument for an
/// unknown name.
Result<const AnswerForm*> form_of(const query::QueryRequest& query, const net::Request& request) {
    const AnswerForm* json = kAnswerForms.data();
    if (query.format.empty()) {
        return form_accepted(std::span(kAnswerForms).subspan(1), request.header("accept"));
    }
    const AnswerForm* named = form_named(query.format);
    if (named == nullptr) {
        return fail_parameter("format", query.format, std::string(kAnswerFormNames),
                              fmt::format("unknown format '{}'", query.format));
    }
    return named == json ? nullptr : named;
}

}  // namespace

QueryEndpoints::QueryEndpoints(const query::Engine& engine, const directory::Directory& directory,
                               const directory::TenantWatch& tenants, QueryDesk& desk,
                               Watermark watermark)
    : engine_(engine),
      directory_(directory),
      tenants_(tenants),
      desk_(desk),
      watermark_(std::move(watermark)) {}

void QueryEndpoints::add_operations(Contract& contract) {
    const http::RouteOptions pooled{http::RunOn::Pool, 0, false};
    for (const auto endpoint :
         {query::Endpoint::QbrData, query::Endpoint::QbrDataLive, query::Endpoint::Error,
          query::Endpoint::MetricQuery, query::Endpoint::ListSessions}) {
        contract.add(query_operation(endpoint), pooled,
                     [this, endpoint](Call& call, Responder responder) {
                         answer_query(endpoint, call, std::move(responder));
                     });
    }
    contract.add(session_operation(), pooled, [this](Call& call, Responder responder) {
        answer_session(call, std::move(responder));
    });
    contract.add(dictionary_operation(), pooled, [this](Call& call, Responder responder) {
        const auto tags = declared_tags_json(directory_, call.caller.customer_id);
        if (!tags) return responder.send(net::problem_response(tags.error()));
        responder.send(
            json_reply(200, query::dictionary_json(engine_.dictionary(), *tags), kAskAgain));
    });
    contract.add(plan_level_operation(), pooled, [this](Call& call, Responder responder) {
        answer_plan_level(call, std::move(responder));
    });
}

void QueryEndpoints::answer_query(query::Endpoint endpoint, Call& call, Responder responder) {
    auto query = engine_.parse(call.given(), endpoint);
    if (!query) return responder.send(net::problem_response(query.error()));
    const auto form = form_of(*query, call.request);
    if (!form) return responder.send(net::problem_response(form.error()));

    if (query->query_id.empty()) query->query_id = desk_.new_id();
    const auto customer_id = call.customer_id();
    const auto id = query->query_id;
    if (*form != nullptr) {
        return desk_.hand_in(customer_id, id, std::move(responder),
                             [this, query = std::move(*query), customer_id, form = *form](
                                 Responder& to, RunningQuery& running) {
                                 stream_rows(query, customer_id, *form, to, running);
                             });
    }
    const std::string known(call.request.header("If-None-Match"));
    // What is kept needs no turn.
    if (query->cache == query::CacheUse::Allowed) {
        query->cache = query::CacheUse::Only;
        if (auto kept = engine_.run(*query, customer_id)) {
            kept->meta.watermark_s = watermark_() / 1000;
            desk_.note_kept(customer_id, id);
            const bool no_coding = responder.facts().coding == 0;
            return responder.send(envelope_reply(*kept, customer_id, known, no_coding));
        }
        query->cache = query::CacheUse::Allowed;
    }
    desk_.hand_in(customer_id, id, std::move(responder),
                  [this, query = std::move(*query), customer_id, known](Responder& to,
                                                                        RunningQuery& running) {
                      answer_rows(query, customer_id, known, to, running);
                  });
}

void QueryEndpoints::answer_rows(const query::QueryRequest& query, std::uint64_t customer_id,
                                 const std::string& if_none_match, Responder& responder,
                                 RunningQuery& running) {
    auto answer = engine_.run(query, customer_id);
    if (!answer) {
        running.end({answer.error().code});
        return responder.send(desk_.refusal(answer.error(), query.query_id));
    }
    running.end({std::nullopt, answer->meta.rows_read});
    answer->meta.watermark_s = watermark_() / 1000;
    responder.send(
        envelope_reply(*answer, customer_id, if_none_match, responder.facts().coding == 0));
}

void QueryEndpoints::stream_rows(const query::QueryRequest& query, std::uint64_t customer_id,
                                 const AnswerForm& form, Responder& responder,
                                 RunningQuery& running) {
    Response head(200);
    head.add("Content-Type", form.content_type)
        .add("Cache-Control", "private, no-cache")
        .add("X-Query-Id", query.query_id);
    RowStream rows(responder, std::move(head));
    const auto done = engine_.stream(query, customer_id, form.engine_format,
                                     [&rows](std::string_view chunk) { return rows.add(chunk); });
    running.end(done ? Outcome{} : Outcome{done.error().code});
    if (done) return rows.finish();
    // Once begun the connection is cut: the client sees that the body is incomplete.
    if (!rows.begun()) responder.send(desk_.refusal(done.error(), query.query_id));
}

void QueryEndpoints::answer_session(Call& call, Responder responder) {
    if (!call.has("sessionid")) {
        // The published older form of this path is a metrics query; so is ours without an id.
        return answer_query(query::Endpoint::MetricQuery, call, std::move(responder));
    }
    const auto customer_id = call.customer_id();
    const auto id = desk_.new_id();
    desk_.hand_in(customer_id, id, std::move(responder),
                  [this, customer_id, id, session = std::string(call.text("sessionid"))](
                      Responder& to, RunningQuery& running) {
                      auto json = engine_.session_json(session, customer_id);
                      running.end(json ? Outcome{} : Outcome{json.error().code});
                      if (!json) return to.send(desk_.refusal(json.error(), id));
                      to.send(json_reply(200, std::move(*json), kAskAgain));
                  });
}

void QueryEndpoints::answer_plan_level(Call& call, Responder responder) {
    const auto snapshot = tenants_.current();
    const auto* tenant = snapshot->find(call.caller.customer_id);
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    json.member("custId", call.caller.customer_id);
    json.member("planLevel", tenant == nullptr ? 0 : tenant->plan_level);
    json.end_object();
    responder.send(json_reply(200, std::move(text), kAskAgain));
}

}  // namespace playhead::api
