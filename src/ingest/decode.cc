#include "ingest/decode.h"

#include <cstring>
#include <string>
#include <utility>

#include "base/hash.h"
#include "enrich/user_agent_parser.h"
#include "net/message.h"
#include "wire/cmcd.h"
#include "wire/produce.h"

namespace playhead::ingest {

namespace {

wire::CmcdSource source_of(const RequestRecord& record) {
    wire::CmcdSource source;
    source.customer_id = record.customer_id;
    source.path_sid = record.session_id;
    source.receive_ms = record.receive_ms;
    return source;
}

/// The CMCD-* headers out of "Name: value" lines. Views into `lines`; a repeated header keeps the
/// first, as a proxy would have joined them.
wire::CmcdHeaders headers_of(std::string_view lines) {
    wire::CmcdHeaders headers;
    while (!lines.empty()) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        const std::string_view line = lines.substr(0, end);
        lines.remove_prefix(std::min(end + 1, lines.size()));
        const std::size_t colon = line.find(": ");
        if (colon == std::string_view::npos) continue;
        const std::string_view name = line.substr(0, colon);
        for (const auto& [known, field] : {std::pair{"cmcd-request", &headers.request},
                                           {"cmcd-object", &headers.object},
                                           {"cmcd-status", &headers.status},
                                           {"cmcd-session", &headers.session}}) {
            if (net::equals_ignoring_case(name, known) && field->empty()) {
                *field = line.substr(colon + 2);
            }
        }
    }
    return headers;
}

model::EventBatch batch_of(wire::CmcdBatch&& decoded) {
    decoded.batch.dropped_keys += decoded.records_bad + decoded.records_unknown_version;
    return std::move(decoded.batch);
}

std::uint8_t partition_of(const model::Event& event) {
    return static_cast<std::uint8_t>(stable_hash(event.session_id, event.customer_id) %
                                     kPartitions);
}

}  // namespace

Result<std::unique_ptr<DecodedRequest>> RequestDecoder::decode(const RequestRecord& record,
                                                               std::string_view body) const {
    auto decoded = std::make_unique<DecodedRequest>();
    switch (record.kind) {
        case RequestKind::Produce: {
            auto batch = wire::decode_produce(std::string(body), record.receive_ms);
            if (!batch) return fail(batch.error());
            decoded->batch = std::move(*batch);
            break;
        }
        case RequestKind::CmcdEvents:
            decoded->batch =
                batch_of(wire::decode_cmcd_events(std::string(body), source_of(record)));
            break;
        case RequestKind::CmcdQuery:
            decoded->batch = batch_of(wire::decode_cmcd_request(body, {}, source_of(record)));
            break;
        case RequestKind::CmcdHeaders:
            decoded->batch =
                batch_of(wire::decode_cmcd_request({}, headers_of(body), source_of(record)));
            break;
    }
    decoded->partitions.reserve(decoded->batch.events.size());
    for (const auto& event : decoded->batch.events) {
        decoded->partitions.push_back(partition_of(event));
    }
    decoded->context = record.context;
    if (decoded->context.device.empty() && user_agents_ != nullptr) {
        // From the journal: what the live path had from the enricher.
        const auto agent = user_agents_->find(record.context.user_agent);
        decoded->context.browser = agent->browser;
        decoded->context.browser_version = agent->browser_version;
        decoded->context.os = agent->os;
        decoded->context.os_version = agent->os_version;
        decoded->context.device = agent->device;
        decoded->context.brand = agent->brand;
        decoded->context.model = agent->model;
    }
    return decoded;
}

}  // namespace playhead::ingest
