#include "ingest/collector.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json_writer.h"
#include "http/query_string.h"
#include "net/problem.h"

namespace playhead::ingest {

namespace {

constexpr std::string_view kOutcomeHelp = "Requests with beacons, by outcome";

Counter& outcome(MetricsRegistry& metrics, std::string_view name) {
    return metrics.counter("playhead_beacon_requests_total", fmt::format("outcome=\"{}\"", name),
                           kOutcomeHelp);
}

Result<std::uint64_t> parse_customer(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value == 0) {
        return fail_parameter("customerId", std::string(text.substr(0, 64)), "a positive integer",
                              "the customer id in the path is not a number");
    }
    return value;
}

/// A query argument by name; empty when it is missing or the query cannot be read.
std::string query_value(std::string_view query, std::string_view name) {
    const auto parsed = http::QueryString::parse(query);
    return parsed ? std::string(parsed->get(name)) : std::string();
}

bool contains(const std::vector<std::string>& list, std::string_view value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

net::Response no_content() {
    return net::Response(204);
}

/// Producers answer 200: the SDKs that look at the code were written against that.
net::Response taken() {
    return net::Response(200, "application/json", "{}");
}

net::Response refusal(const Error& error, int retry_after_s = 1) {
    net::Response response = net::problem_response(error);
    if (error.code == ErrorCode::Unavailable || error.code == ErrorCode::TooManyRequests) {
        response.add("Retry-After", std::to_string(retry_after_s));
    }
    return response;
}

/// The CMCD-* headers as "Name: value" lines; empty when there is none.
std::string cmcd_header_lines(const net::Request& request) {
    std::string lines;
    for (std::size_t index = 0; index < request.header_count(); ++index) {
        const auto header = request.header_at(index);
        if (header.name.size() < 6 ||
            !net::equals_ignoring_case(header.name.substr(0, 5), "cmcd-")) {
            continue;
        }
        lines.append(header.name).append(": ").append(header.value).push_back('\n');
    }
    return lines;
}

}  // namespace

Collector::Collector(CollectorOptions options, Pipeline& pipeline, const RequestDecoder& decoder,
                     const enrich::Enricher& enricher, const directory::TenantWatch& tenants,
                     const Clock& clock, MetricsRegistry& metrics)
    : options_(std::move(options)),
      pipeline_(pipeline),
      decoder_(decoder),
      enricher_(enricher),
      tenants_(tenants),
      clock_(clock),
      accepted_(outcome(metrics, "accepted")),
      events_(metrics.counter("playhead_beacons_total", "", "Records accepted")),
      dropped_keys_(metrics.counter("playhead_dropped_keys_total", "",
                                    "Keys and records left out as unreadable")),
      refused_body_(outcome(metrics, "bad_body")),
      refused_tenant_(outcome(metrics, "unknown_tenant")),
      refused_origin_(outcome(metrics, "origin_not_allowed")),
      refused_key_(outcome(metrics, "key_not_allowed")),
      refused_rate_(outcome(metrics, "rate_limited")),
      refused_full_(outcome(metrics, "not_ready")),
      registrations_(metrics.counter("playhead_registrations_total", "", "Player registrations")) {}

void Collector::add_routes(http::Router& router) {
    const auto bind = [this](void (Collector::*handler)(net::Request&, net::Responder)) {
        return [this, handler](net::Request& request, net::Responder responder) {
            (this->*handler)(request, std::move(responder));
        };
    };
    const http::RouteOptions on_reactor{http::RunOn::Reactor, options_.body_bytes_max, true};
    router.add(net::Method::Get, "/mm-apis/register/{customerId}", on_reactor,
               bind(&Collector::register_player));
    router.add(net::Method::Post, "/produce", on_reactor, bind(&Collector::produce));
    router.add(net::Method::Post, "/produce/batch", on_reactor, bind(&Collector::produce));
    for (const char* path : {"/cmcd/{customerId}", "/cmcd/{customerId}/{sid}"}) {
        router.add(net::Method::Post, path, on_reactor, bind(&Collector::cmcd_events));
        router.add(net::Method::Get, path, on_reactor, bind(&Collector::cmcd_request));
    }
}

void Collector::register_player(net::Request& request, net::Responder responder) {
    registrations_.add();
    const auto customer = parse_customer(request.param("customerId"));
    if (!customer) return responder.send(refusal(customer.error()));
    const auto snapshot = tenants_.current();
    const auto* tenant = snapshot->find(static_cast<std::int64_t>(*customer));
    if (tenant == nullptr || !tenant->enabled) {
        refused_tenant_.add();
        return responder.send(
            refusal(Error{ErrorCode::NotFound, "no such customer", "customerId",
                          std::to_string(*customer), "a customer of this server"}));
    }
    const std::string base = options_.public_url.empty() ? request.origin() : options_.public_url;
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    json.member("producerURL", base + "/produce");
    json.member("statsInterval", tenant->stats_interval_s);
    json.member("mode", "QBRDisabled");
    json.member("timestamp", clock_.now_ms());
    json.member("mmVideo", true);
    json.member("mmAd", true);
    json.key("secProdList");
    json.begin_array();
    json.end_array();
    json.end_object();
    net::Response response(200, "application/json", std::move(text));
    response.add("Cache-Control", "no-store");
    responder.send(std::move(response));
}

RequestRecord Collector::record_of(RequestKind kind, const net::Request& request) const {
    RequestRecord record;
    record.kind = kind;
    record.receive_ms = request.received_ms();
    record.context = enricher_.describe(request.remote_address(), request.header("x-forwarded-for"),
                                        request.header("user-agent"), options_.address_policy);
    return record;
}

Result<void> Collector::admit(std::uint64_t customer_id, const net::Request& request,
                              const std::string& address) {
    const auto snapshot = tenants_.current();
    const auto* tenant = snapshot->find(static_cast<std::int64_t>(customer_id));
    if (tenant == nullptr || !tenant->enabled) {
        refused_tenant_.add();
        return fail(Error{ErrorCode::PermissionDenied, "no such customer, or it is disabled",
                          "custId", std::to_string(customer_id), "a customer of this server"});
    }
    const std::string_view origin = request.header("origin");
    if (!tenant->allowed_origins.empty() && !contains(tenant->allowed_origins, origin)) {
        refused_origin_.add();
        return fail(Error{ErrorCode::PermissionDenied, "this origin may not send beacons", "Origin",
                          std::string(origin.substr(0, 256)), "an origin on the customer's list"});
    }
    if (!tenant->ingest_keys.empty() &&
        !contains(tenant->ingest_keys, request.header("x-playhead-ingest-key")) &&
        !contains(tenant->ingest_keys, query_value(request.query(), "key"))) {
        refused_key_.add();
        return fail(Error{ErrorCode::PermissionDenied,
                          "the ingest key is missing or not known",
                          "X-Playhead-Ingest-Key",
                          {},
                          "one of the customer's ingest keys"});
    }
    const std::int64_t limit = tenant->rate_limit_per_address_per_s > 0
                                   ? tenant->rate_limit_per_address_per_s
                                   : options_.rate_limit_per_address_per_s;
    if (rate_limit_.refused_for_s(customer_id, address, limit, request.received_ms()) > 0) {
        refused_rate_.add();
        return fail(ErrorCode::TooManyRequests,
                    fmt::format("more than {} requests a second from one address", limit));
    }
    return {};
}

void Collector::submit(const RequestRecord& record, std::string_view body,
                       std::unique_ptr<DecodedRequest> decoded, net::Responder responder,
                       bool is_cmcd) {
    events_.add(decoded->batch.events.size());
    if (decoded->batch.dropped_keys > 0) dropped_keys_.add(decoded->batch.dropped_keys);
    // The journal's completion is copied (std::function), the responder is not: share it.
    auto shared = std::make_shared<net::Responder>(std::move(responder));
    auto submitted = pipeline_.submit(
        record, body, std::move(decoded), [this, shared, is_cmcd](const Result<void>& durable) {
            if (durable) {
                accepted_.add();
            } else {
                refused_full_.add();
            }
            shared->send(is_cmcd ? no_content() : durable ? taken() : refusal(durable.error()));
        });
    if (submitted) return;
    refused_full_.add();
    shared->send(is_cmcd ? no_content() : refusal(submitted.error()));
}

void Collector::produce(net::Request& request, net::Responder responder) {
    const RequestRecord record = record_of(RequestKind::Produce, request);
    auto decoded = decoder_.decode(record, request.body());
    if (!decoded) {
        refused_body_.add();
        return responder.send(refusal(decoded.error()));
    }
    std::uint64_t admitted = 0;
    for (const auto& event : (*decoded)->batch.events) {
        if (event.customer_id == admitted) continue;
        const auto allowed = admit(event.customer_id, request, record.context.ip_address);
        if (!allowed) return responder.send(refusal(allowed.error()));
        admitted = event.customer_id;
    }
    if ((*decoded)->batch.events.empty()) return responder.send(taken());
    submit(record, request.body(), std::move(*decoded), std::move(responder), false);
}

void Collector::take_cmcd(RequestRecord record, std::string_view body, net::Request& request,
                          net::Responder responder) {
    const auto customer = parse_customer(request.param("customerId"));
    if (!customer) {
        refused_body_.add();
        return responder.send(no_content());
    }
    record.customer_id = *customer;
    record.session_id = std::string(request.param("sid"));
    auto decoded = decoder_.decode(record, body);
    if (!decoded || (*decoded)->batch.events.empty()) {
        refused_body_.add();
        return responder.send(no_content());
    }
    if (!admit(*customer, request, record.context.ip_address)) return responder.send(no_content());
    submit(record, body, std::move(*decoded), std::move(responder), true);
}

void Collector::cmcd_events(net::Request& request, net::Responder responder) {
    take_cmcd(record_of(RequestKind::CmcdEvents, request), request.body(), request,
              std::move(responder));
}

void Collector::cmcd_request(net::Request& request, net::Responder responder) {
    // CTA-5004-B: one report uses one transmission; headers win over the query.
    const std::string lines = cmcd_header_lines(request);
    if (!lines.empty()) {
        return take_cmcd(record_of(RequestKind::CmcdHeaders, request), lines, request,
                         std::move(responder));
    }
    take_cmcd(record_of(RequestKind::CmcdQuery, request), request.query(), request,
              std::move(responder));
}

}  // namespace playhead::ingest
