#include "timeline/repeats.h"

#include <algorithm>
#include <bit>

#include "base/hash.h"
#include "timeline/growth.h"
#include "timeline/payload_number.h"

namespace playhead::timeline {
namespace {

using model::Event;
using model::Protocol;

bool is_cmcd(Protocol protocol) noexcept {
    return protocol == Protocol::CmcdEvent || protocol == Protocol::CmcdRequest;
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) noexcept {
    return stable_hash({reinterpret_cast<const char*>(&word), sizeof word}, hash);
}

std::uint64_t target_of(const Event& event) noexcept {
    return stable_hash(event.target, static_cast<std::uint64_t>(event.protocol));
}

bool is_sequenced(const Event& event) noexcept {
    return is_cmcd(event.protocol) && event.sequence >= 0;
}

void note_payload(Session& session, std::int64_t number) {
    for (Stream& stream : session.streams) {
        if (stream.target != kPayloadTarget) continue;
        stream.numbers.insert(number);
        return;
    }
    if (session.streams.size() >= Session::kStreamsMax) return;
    session.streams.push_back({kPayloadTarget, {}});
    session.streams.back().numbers.insert(number);
}

}  // namespace

std::uint64_t record_identity(const Event& event) noexcept {
    std::uint64_t hash = stable_hash(event.name, static_cast<std::uint64_t>(event.kind) + 1);
    if (!event.payload_id.empty()) return stable_hash(event.payload_id, hash);
    hash = stable_hash(event.text, hash);
    hash = stable_hash(event.error.code, hash);
    hash = mix(
        hash, static_cast<std::uint64_t>(event.client_ms > 0 ? event.client_ms : event.receive_ms));
    hash = mix(hash, static_cast<std::uint64_t>(event.state));
    hash = mix(hash, std::bit_cast<std::uint64_t>(event.position_s));
    hash = mix(hash, static_cast<std::uint64_t>(event.object_type));
    for (const auto& measure : event.measures) {
        hash = mix(hash, static_cast<std::uint64_t>(measure.id));
        hash = mix(hash, std::bit_cast<std::uint64_t>(measure.value));
        hash = mix(hash, static_cast<std::uint64_t>(measure.client_ms));
    }
    return hash;
}

bool note_record(Session& session, const Event& event) {
    if (is_sequenced(event)) {
        const std::uint64_t target = target_of(event);
        for (Stream& stream : session.streams) {
            if (stream.target == target) return stream.numbers.insert(event.sequence);
        }
        if (session.streams.size() < Session::kStreamsMax) {
            session.streams.push_back({target, {}});
            return session.streams.back().numbers.insert(event.sequence);
        }
    }
    const SeenMark identity = seen_mark_of(record_identity(event));
    const auto at = std::lower_bound(session.seen.begin(), session.seen.end(), identity);
    if (at != session.seen.end() && *at == identity) return false;
    if (session.seen.size() >= Session::kSeenMax) {
        ++session.refused;
        return true;
    }
    const auto index = at - session.seen.begin();
    grow_tightly(session.seen);
    session.seen.insert(session.seen.begin() + index, identity);
    if (const auto number = payload_number(session, event)) note_payload(session, *number);
    return true;
}

bool is_repeat(const Session& session, const Event& event) {
    if (is_sequenced(event)) {
        const std::uint64_t target = target_of(event);
        for (const Stream& stream : session.streams) {
            if (stream.target != target) continue;
            for (const auto& interval : stream.numbers.intervals) {
                if (event.sequence >= interval.first && event.sequence <= interval.second) {
                    return true;
                }
            }
            return false;
        }
    }
    return std::binary_search(session.seen.begin(), session.seen.end(),
                              seen_mark_of(record_identity(event)));
}

}  // namespace playhead::timeline
