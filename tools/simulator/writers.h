/// Turns the beacons of one session into requests, in the byte shape of the SDKs that were observed
/// (compact 1.3.15, long 4.4.2, hls.js CMCD, App Analytics 1.0.0).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "simulator/beacons.h"
#include "simulator/playback.h"
#include "simulator/world.h"

namespace playhead::simulator {

/// One HTTP request. The views point into the world and live as long as it.
struct Request {
    std::int64_t send_ms = 0;       ///< arrival at the server; never decreases from call to call
    std::uint64_t session = 0;      ///< ordinal of the session (of the first record in a batch)
    std::string_view method;        ///< GET or POST
    std::string path;               ///< with the query
    std::string_view content_type;  ///< empty for GET
    std::string_view user_agent;
    std::string forwarded_for;  ///< X-Forwarded-For; empty in batches of several viewers
    std::string body;
    std::uint32_t records = 1;
    bool repeated = false;  ///< an injected duplicate
};

struct WriterOptions {
    std::uint64_t customer_id = 900100200;
};

/// The constant parts of a session's records, built once. Appends, so that a caller may reuse the
/// request's buffers: no allocation per record in the steady state.
class SmartSightFragments {
public:
    SmartSightFragments(const World& world, const WriterOptions& options, const Playback& playback);
    void append(const World& world, const Playback& playback, const BeaconPlan& plan,
                const Beacon& beacon, std::string& body) const;

private:
    void build_identity(const World& world, const WriterOptions& options, const Playback& playback);
    void build_content(const Asset& asset);
    void build_client(const World& world, const Playback& playback);
    void append_event(const World& world, const Playback& playback, const Beacon& beacon,
                      std::string& body) const;
    void append_info(const World& world, const Playback& playback, const BeaconPlan& plan,
                     const Beacon& beacon, std::string& body) const;
    void append_segments(const World& world, const Playback& playback, const Beacon& beacon,
                         std::string& body) const;
    void append_ad(const Playback& playback, const Beacon& beacon, std::string& body) const;
    std::string description(const World& world, const Playback& playback,
                            const Beacon& beacon) const;

    std::uint64_t customer_id_;
    bool compact_;
    std::string identity_;  ///< streamID up to the parts that ONLOAD lacks
    std::string identity_late_;
    std::string stream_info_, content_, sdk_, client_, client_late_, tags_, ping_;
};

/// One CMCD record without LF (event mode), and the value of the CMCD query (request mode).
void append_cmcd_event(const World& world, const Playback& playback, const Beacon& beacon,
                       std::string& body);
void append_cmcd_query(const World& world, const Playback& playback, const Beacon& beacon,
                       std::string& path);

void append_application(const World& world, const WriterOptions& options, const Playback& playback,
                        const Beacon& beacon, std::string& body);

/// 32 hex digits that depend on the session and the number: stands for the SDKs' MD5 ids.
void append_id(std::string_view session_id, std::uint64_t number, std::string& out);

/// The id of a newer SDK's record: MD5 over customer, session, time and the record's number, its
/// quarters in another order.
void append_payload_id(std::uint64_t customer_id, std::string_view session_id, std::int64_t time_ms,
                       std::uint64_t number, std::string& out);

/// The wire's event name, e.g. "AD_PLAY"; empty for kinds of other wires.
std::string_view smartsight_name(BeaconKind kind) noexcept;

}  // namespace playhead::simulator
