/// A request record's bytes as canonical events: the same live and on replay.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ingest/request_record.h"
#include "journal/journal.h"
#include "model/client_context.h"
#include "model/event.h"

namespace playhead::enrich {
class UserAgentParser;
}

namespace playhead::ingest {

/// Sessions are sharded over this many partitions, whatever the number of threads: the number is
/// part of the snapshot format.
inline constexpr std::size_t kPartitions = 16;

/// The events of one request, with the sender's facts; travels through the journal to the workers.
struct DecodedRequest final : journal::Attachment {
    model::EventBatch batch;
    model::ClientContext context;
    /// Partition of each event, by hash of customer and session id.
    std::vector<std::uint8_t> partitions;
};

/// Stateless but for the user-agent parser; thread safe.
class RequestDecoder {
public:
    /// `user_agents` may be null: browser and device stay empty then.
    explicit RequestDecoder(const enrich::UserAgentParser* user_agents)
        : user_agents_(user_agents) {}

    /// InvalidArgument (or PayloadTooLarge) naming what is wrong with a JSON body; CMCD never
    /// fails, what cannot be read is left out and counted in `batch.dropped_keys`.
    Result<std::unique_ptr<DecodedRequest>> decode(const RequestRecord& record,
                                                   std::string_view body) const;

private:
    const enrich::UserAgentParser* user_agents_;
};

}  // namespace playhead::ingest
