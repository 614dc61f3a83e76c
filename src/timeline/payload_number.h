/// The number that player SDKs hide in their payload ids: the id is an MD5 over customer, session,
/// time and a counter that begins at 0, so a guess can be checked.
#pragma once

#include <cstdint>
#include <optional>

#include "model/event.h"
#include "timeline/session.h"

namespace playhead::timeline {

/// `Stream::target` of numbers found in payload ids.
inline constexpr std::uint64_t kPayloadTarget = 0x70'61'79'6C'6F'61'64'23;

/// The number in the id of a player SDK's record, looked for where the session's numbers so far
/// make it likely; nothing for ids that are made otherwise. Costs one digest when records come in
/// order; how many a session may cost that has no numbers is bounded. Call it with records that
/// are no repeats.
std::optional<std::int64_t> payload_number(const Session& session, const model::Event& event);

/// Numbers of a stream that never came, those before the first included where the start is known.
std::int64_t missing_of(const Stream& stream) noexcept;

}  // namespace playhead::timeline
