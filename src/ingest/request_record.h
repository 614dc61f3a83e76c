/// One collected request as the journal keeps it: enough to decode it again, nothing that privacy
/// forbids (the address is truncated before this is made). Pure functions.
///
/// Byte format (journal record type kRequestRecord), integers as LEB128 varints, strings as length
/// and bytes, signed numbers zigzag:
///   u8 version (1) · u8 kind · customer · receive_ms · path session id · address · continent ·
///   country · region · city · isp · asn · u8 has_location [· latitude x10 · longitude x10] ·
///   user agent · the body up to the end of the record
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/client_context.h"
#include "timeline/timeline.h"

namespace playhead::ingest {

/// Journal record types of the pipeline.
inline constexpr std::uint8_t kRequestRecord = 1;
inline constexpr std::uint8_t kCutRecord = 2;

/// How the body is to be read.
enum class RequestKind : std::uint8_t {
    Produce = 1,      ///< SmartSight or App Analytics JSON
    CmcdEvents = 2,   ///< CMCD v2 event mode body
    CmcdQuery = 3,    ///< a raw query string with a `CMCD=` argument
    CmcdHeaders = 4,  ///< "Name: value" lines of the CMCD-* headers
};

struct RequestRecord {
    RequestKind kind = RequestKind::Produce;
    std::uint64_t customer_id = 0;  ///< of the path; 0 where the body names it
    std::string session_id;         ///< of the path; may be empty
    std::int64_t receive_ms = 0;
    model::ClientContext context;  ///< browser, device and so on are not kept: see user_agent
};

/// Everything but the body.
std::string encode_head(const RequestRecord& record);

struct DecodedRecord {
    RequestRecord record;
    std::string_view body;  ///< into the payload
};

/// Internal when the bytes are no such record or of a newer version.
Result<DecodedRecord> decode_record(std::string_view payload);

/// A cut: everything journalled before it makes up block `number`; `now_ms` is the time that the
/// timeline sees, so that a replay closes the same sessions in the same block.
struct CutRecord {
    std::uint64_t number = 0;
    std::int64_t now_ms = 0;
    timeline::CutKind kind = timeline::CutKind::Whole;
};

std::string encode_cut(const CutRecord& cut);
Result<CutRecord> decode_cut(std::string_view payload);

}  // namespace playhead::ingest
