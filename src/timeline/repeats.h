/// Which records a session has seen already.
#pragma once

#include <cstdint>

#include "timeline/session.h"

namespace playhead::timeline {

/// What makes a record without a sequence number itself. The wire's name is part of it since one
/// SDK makes equal ids for two records of the same millisecond.
std::uint64_t record_identity(const model::Event& event) noexcept;

/// Notes the record as seen; false when it was.
bool note_record(Session& session, const model::Event& event);

}  // namespace playhead::timeline
