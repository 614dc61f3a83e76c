/// The one entry for bodies of `POST /produce`: SmartSight player SDKs and App Analytics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "model/event.h"

namespace playhead::wire {

inline constexpr std::size_t kRecordsMax = 1000;
inline constexpr std::size_t kJsonKeysMax = 100'000;
inline constexpr int kJsonDepthMax = 16;

struct ProduceLimits {
    std::size_t records_max = kRecordsMax;  ///< entries of `qubitData` over the whole body
    std::size_t keys_max = kJsonKeysMax;    ///< object keys, nested ones included
    int depth_max = kJsonDepthMax;          ///< nesting of objects and arrays
};

/// Decodes one body: a record or an array of records, long and compact keys in any mixture. The
/// kind of each `qubitData` entry (event, stats, ping, ad event, application) is seen from what it
/// carries.
///
/// All or nothing: any syntax error, any limit passed and any entry without customer or session id
/// makes the whole body InvalidArgument, with the byte offset or the field's path in the message.
/// Values of a wrong type, negative times and the like are dropped one by one and counted in
/// `EventBatch::dropped_keys`.
///
/// The views of the events point into the body, which moves into the batch, or into its arena.
/// Thread-safe: the parser's scratch memory is per thread.
Result<model::EventBatch> decode_produce(std::string body, std::int64_t receive_ms,
                                         const ProduceLimits& limits = {});

}  // namespace playhead::wire
