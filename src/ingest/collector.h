/// The endpoints that players talk to: registration, SmartSight beacons, CMCD.
///
/// No secrets here (the SDKs have none): a request is let in when its tenant exists and is enabled,
/// its origin and ingest key are allowed and its address is within the rate. What is refused is
/// counted by reason. CMCD senders get 204 whatever happens, since players raise errors on
/// anything else.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "directory/tenant_snapshot.h"
#include "enrich/enricher.h"
#include "http/router.h"
#include "ingest/decode.h"
#include "ingest/pipeline.h"
#include "ingest/rate_limit.h"

namespace playhead::ingest {

struct CollectorOptions {
    /// "https://beacons.example.com"; empty: made from the request's Host header.
    std::string public_url;
    std::uint64_t body_bytes_max = 4U << 20U;
    std::int64_t rate_limit_per_address_per_s = 50'000;
    enrich::AddressPolicy address_policy = enrich::AddressPolicy::Slash24;
};

/// Registers its routes with the router; must outlive the server. Thread safe.
class Collector {
public:
    Collector(CollectorOptions options, Pipeline& pipeline, const RequestDecoder& decoder,
              const enrich::Enricher& enricher, const directory::TenantWatch& tenants,
              const Clock& clock, MetricsRegistry& metrics);

    void add_routes(http::Router& router);

private:
    void register_player(net::Request& request, net::Responder responder);
    void produce(net::Request& request, net::Responder responder);
    void cmcd_events(net::Request& request, net::Responder responder);
    void cmcd_request(net::Request& request, net::Responder responder);

    /// Decodes, admits and journals a CMCD record; the answer is 204 in any case.
    void take_cmcd(RequestRecord record, std::string_view body, net::Request& request,
                   net::Responder responder);
    void submit(const RequestRecord& record, std::string_view body,
                std::unique_ptr<DecodedRequest> decoded, net::Responder responder, bool is_cmcd);
    /// Why the tenant does not take this request.
    Result<void> admit(std::uint64_t customer_id, const net::Request& request,
                       const std::string& address);
    RequestRecord record_of(RequestKind kind, const net::Request& request) const;

    CollectorOptions options_;
    Pipeline& pipeline_;
    const RequestDecoder& decoder_;
    const enrich::Enricher& enricher_;
    const directory::TenantWatch& tenants_;
    const Clock& clock_;
    RateLimit rate_limit_;

    Counter& accepted_;
    Counter& events_;
    Counter& dropped_keys_;
    Counter& refused_body_;
    Counter& refused_tenant_;
    Counter& refused_origin_;
    Counter& refused_key_;
    Counter& refused_rate_;
    Counter& refused_full_;
    Counter& registrations_;
};

}  // namespace playhead::ingest
