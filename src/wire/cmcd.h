/// CMCD v1 and v2 (CTA-5004, -A, -B) to canonical events: event mode bodies, and the query or
/// headers of request mode (and of the draft's GET events).
///
/// Lenient, since players are (spec: players.md §1.10): a malformed member is dropped and reading
/// goes on at the next comma; tokens may be quoted, lists may be scalars; a record that cannot be
/// used is skipped and counted, and its neighbours are kept. Never fails as a whole: the answer to
/// a player is 204 whatever it sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/event.h"

namespace playhead::wire {

inline constexpr std::size_t kCmcdRecordsMax = 1000;  ///< per body; the rest is counted as bad
inline constexpr std::size_t kCmcdKeysMax = 128;      ///< per record; the rest is dropped

/// What the transport knows about a report.
struct CmcdSource {
    std::uint64_t customer_id = 0;
    std::string_view path_sid;  ///< stands in where a record has no usable `sid`
    std::int64_t receive_ms = 0;
    std::string_view media_url;  ///< request mode: what was requested, where the caller knows it
};

/// The CMCD-* header values; empty ones were not there.
struct CmcdHeaders {
    std::string_view request, object, status, session;
    bool any() const noexcept {
        return !request.empty() || !object.empty() || !status.empty() || !session.empty();
    }
};

struct CmcdBatch {
    model::EventBatch batch;
    std::uint32_t records_bad = 0;              ///< not a report, or without event or session id
    std::uint32_t records_unknown_version = 0;  ///< `v` above 2: ignored as the standard asks
};

/// An event mode body: records separated by LF; CR, blanks, and empty lines are tolerated.
CmcdBatch decode_cmcd_events(std::string body, const CmcdSource& source);

/// Request mode, or a draft GET event, from a raw query string (as in the URL, still encoded).
/// When there are headers they win and the query is ignored. No CMCD at all: an empty batch.
CmcdBatch decode_cmcd_request(std::string_view query, const CmcdHeaders& headers,
                              const CmcdSource& source);

}  // namespace playhead::wire
