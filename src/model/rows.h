/// The rows of the store's tables, as the timeline emits them. One list per table names the numeric
/// columns; migrations, column batches, the simulator's truth and the dictionary use these names.
///
/// Units: durations ms unless the name says otherwise; bitrate sums are kbit/s × ms; bytes are
/// bytes. Times are epoch ms UTC. All counters of a session row are totals of the session.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "model/dimensions.h"

namespace playhead::model {

/// viewstatus (ours.md §10).
enum class ViewStatus : std::uint8_t { Loaded, Running, Ended, Failed, Exited, Dropped };

const char* name_of(ViewStatus status) noexcept;

/// X(column, meaning). Additive counters of a session; `slices` holds the same columns as deltas
/// per minute, and the sum of a session's slices equals the session's value, always.
#define PLAYHEAD_ADDITIVE_COUNTERS(X)                                                            \
    X(attempts, "1: playback was asked for")                                                     \
    X(plays, "1: a first frame of content was shown (or play time was reported without one)")    \
    X(playing_ms, "content playing on screen, ads excluded, stalls and pauses excluded")         \
    X(startup_wait_ms, "time from request to first frame, exit or failure, pauses excluded")     \
    X(stall_ms, "connection-induced stalls after the first frame, not after a seek (CIRR)")      \
    X(stall_count, "number of such stalls")                                                      \
    X(seek_stall_ms, "waiting after a seek until playing again (VRT)")                           \
    X(seek_stall_count, "number of seeks that had to wait")                                      \
    X(pause_ms, "paused by the viewer after the first frame")                                    \
    X(pause_count, "number of pauses")                                                           \
    X(seek_count, "number of seeks")                                                             \
    X(ad_ms, "ad media on screen")                                                               \
    X(ad_stall_ms, "stalls while an ad was on screen")                                           \
    X(ad_stall_count, "number of such stalls")                                                   \
    X(bitrate_kbit, "integral of the reported bitrate over playing time: kbit/s x ms")           \
    X(bitrate_ms, "playing time for which a bitrate was known")                                  \
    X(media_kbit, "integral of bitrate x playback rate over playing time (CTA-2066 bitsPlayed)") \
    X(media_ms, "media time played: integral of playback rate over playing time with a bitrate") \
    X(bytes, "media bytes downloaded, as reported or computed from duration x bitrate")          \
    X(throughput_kbit, "sum of throughput reports: kbit/s")                                      \
    X(throughput_count, "number of throughput reports")                                          \
    X(live_latency_sum_ms, "sum of live latency reports")                                        \
    X(live_latency_count, "number of live latency reports")                                      \
    X(up_shifts, "rendition changes to a higher bitrate")                                        \
    X(down_shifts, "rendition changes to a lower bitrate")                                       \
    X(rendition_changes, "changes of rendition, the first one not counted")                      \
    X(frames_dropped, "frames dropped")                                                          \
    X(frames_total, "frames that should have been shown: fps x playing time")                    \
    X(fatal_errors, "fatal errors")                                                              \
    X(warnings, "non-fatal errors")                                                              \
    X(cdn_changes, "changes of CDN or host")                                                     \
    X(requests, "media responses seen")                                                          \
    X(requests_failed, "media responses that failed or were cancelled")                          \
    X(ad_requests, "ad pods requested")                                                          \
    X(ad_responses, "ad responses received")                                                     \
    X(ad_breaks, "ad breaks begun")                                                              \
    X(ad_impressions, "ad impressions")                                                          \
    X(ad_starts, "ads whose first frame was shown")                                              \
    X(ad_completions, "ads played to the end (>= 90 % or within 2 s)")                           \
    X(ad_skips, "ads skipped")                                                                   \
    X(ad_clicks, "ads clicked")                                                                  \
    X(ad_errors, "ad errors")                                                                    \
    X(exits_before_ad, "1: left between an ad request or break and its first frame")             \
    X(exits_during_ad, "1: left while an ad was on screen")                                      \
    X(ended_plays, "1: a play that ended gracefully (viewstatus ENDED)")                         \
    X(startup_failures, "1: failed before the first frame, business errors excluded")            \
    X(startup_business_failures, "1: failed before the first frame by a business error")         \
    X(exits_before_start, "1: left before the first frame without an error")                     \
    X(instream_failures, "1: a play that ended by a fatal error, business errors excluded")      \
    X(instream_business_failures, "1: the same by a business error")                             \
    X(dropped, "1: no clean end (viewstatus DROPPED)")                                           \
    X(buffered_plays, "1: a play with at least one connection-induced stall")                    \
    X(completions, "1: played to the end (>= 90 % of a VOD asset)")                              \
    X(beacons, "records received, repeats not counted")                                          \
    X(beacons_late, "records received more than 60 s after their time")                          \
    X(beacons_lost, "records missing by their numbers (CMCD sn, payload ids that count)")        \
    X(beacons_numbered, "records received of sessions whose player numbers its records")

struct AdditiveCounters {
#define PLAYHEAD_FIELD(column, meaning) std::int64_t column = 0;
    PLAYHEAD_ADDITIVE_COUNTERS(PLAYHEAD_FIELD)
#undef PLAYHEAD_FIELD
    friend bool operator==(const AdditiveCounters&, const AdditiveCounters&) = default;
    AdditiveCounters& operator+=(const AdditiveCounters& other) noexcept;
    AdditiveCounters& operator-=(const AdditiveCounters& other) noexcept;
    bool is_zero() const noexcept { return *this == AdditiveCounters{}; }
};

struct CounterColumn {
    const char* name;
    const char* meaning;
    std::int64_t AdditiveCounters::* field;
};

inline constexpr std::array kCounterColumns{
#define PLAYHEAD_COLUMN(column, meaning) CounterColumn{#column, meaning, &AdditiveCounters::column},
    PLAYHEAD_ADDITIVE_COUNTERS(PLAYHEAD_COLUMN)
#undef PLAYHEAD_COLUMN
};

using Dimensions = std::array<std::string, kDimensionCount>;
using Tags = std::vector<std::pair<std::string, std::string>>;

/// What is common to session and slice rows besides the counters.
struct SessionKey {
    std::uint64_t customer_id = 0;
    std::string session_id;
    friend bool operator==(const SessionKey&, const SessionKey&) = default;
};

/// `SessionRow::entry_s` without a START, and where an earlier version (before migration 0011) saw
/// one and did not note where.
inline constexpr int kEntryNone = -1;
inline constexpr int kEntryNotNoted = -2;

/// `sessions` (closed; `sign` -1 cancels an earlier revision, byte for byte equal but for sign) and
/// `live_sessions` (open; the newest `revision` of a session counts, `closed` = 1 removes it).
struct SessionRow {
    SessionKey key;
    Dimensions dimensions;
    Tags tags;
    std::uint32_t asn = 0;
    float latitude = 0;  ///< degrees, 1 decimal; 0/0 = unknown
    float longitude = 0;
    bool is_live = false;
    float fps = 0;  ///< of the last rendition; 0 = unknown
    ViewStatus status = ViewStatus::Loaded;
    std::uint8_t protocol = 0;        ///< model::Protocol of the first record
    std::int64_t start_ms = 0;        ///< playback was asked for
    std::int64_t end_ms = 0;          ///< last known activity; the end when closed
    std::int64_t first_frame_ms = 0;  ///< 0 = none
    std::int64_t first_receive_ms = 0;
    std::int64_t last_receive_ms = 0;
    std::int64_t startup_ms = -1;      ///< request to first frame; -1 = no first frame or unknown
    std::int64_t ad_startup_ms = -1;   ///< first ad: impression or request to its first frame
    std::int64_t clock_offset_ms = 0;  ///< added to the client's clock
    bool clock_rejected = false;       ///< at least one event time was outside the accepted range
    double position_s = 0;             ///< last playhead
    double entry_s = kEntryNone;   ///< playhead at the first START, 0 if that told none; or one of
                                   ///< these two
    double duration_s = 0;         ///< of the asset; 0 = unknown, -1 = live
    double progress_percent = -1;  ///< furthest, 0-100; -1 = unknown
    std::uint32_t bitrate_last_kbps = 0;
    std::uint32_t bitrate_max_kbps = 0;
    float score = -1;              ///< qualityofexperience 0-100; -1 = none (see model/score.h)
    float score_lost_startup = 0;  ///< points lost to each part; they add up to 100 - score
    float score_lost_stalls = 0;
    float score_lost_quality = 0;
    float score_lost_failure = 0;
    AdditiveCounters counters;
    std::uint32_t revision = 0;  ///< 1 for the first row of a session, then up
    std::int8_t sign = 1;
    bool closed = false;  ///< only `live_sessions`: the session has left this table
};

/// `slices`: what happened to one session in one minute, as a delta to what was emitted before.
struct SliceRow {
    SessionKey key;
    std::int64_t minute_ms = 0;  ///< start of the minute
    Dimensions dimensions;       ///< as known when the slice was emitted
    Tags tags;
    std::uint32_t asn = 0;
    bool is_live = false;
    std::int64_t active_ms = 0;  ///< part of the minute in which the session was open
    std::int64_t present = 0;    ///< 1 once per session and minute
    AdditiveCounters counters;
};

/// `events`: narrow; one per record that says something happened (stats and pings are not stored
/// unless they carry a finished stall or a rendition).
struct EventRow {
    SessionKey key;
    std::int64_t event_ms = 0;  ///< corrected
    std::int64_t receive_ms = 0;
    std::string name;           ///< the wire's name, e.g. START, ps:r
    std::uint8_t kind = 0;      ///< model::EventKind
    std::uint8_t severity = 0;  ///< model::Severity, of errors
    std::string phase;          ///< startup, instream or ad
    double position_s = 0;
    double value = 0;  ///< ms for stalls, pauses, latencies; kbit/s for renditions
    std::string error_code;
    std::string error_message;      ///< as sent, cut at 512 bytes
    std::string error_fingerprint;  ///< the message with numbers, ids and URLs masked
    std::string text;               ///< the rest, cut at 1024 bytes
};

/// `ad_views`: one per ad shown or tried; revised like sessions (`sign`).
struct AdViewRow {
    SessionKey key;
    std::uint32_t ordinal = 0;  ///< of the ad within the session, from 0
    Dimensions dimensions;      ///< of the session
    Tags tags;
    std::uint32_t asn = 0;
    bool is_live = false;
    std::string id, title, client, system, position, creative_id, creative_type, resolution, linear;
    std::int32_t pod_index = -2;
    std::int32_t pod_position = -1;
    bool is_bumper = false;
    double duration_s = 0;
    std::int64_t start_ms = 0;  ///< impression, else first record
    std::int64_t end_ms = 0;
    std::int64_t load_ms = -1;  ///< impression to first frame; -1 = unknown
    std::int64_t playing_ms = 0;
    std::int64_t stall_ms = 0;
    std::int64_t stall_count = 0;
    std::int64_t pause_ms = 0;
    bool impression = false, started = false, first_quartile = false, midpoint = false,
         third_quartile = false, completed = false, ended = false, skipped = false, clicked = false,
         failed = false;
    std::string error_code;
    std::string error_message;
    std::uint32_t revision = 0;
    std::int8_t sign = 1;
};

/// `app_events`: App Analytics.
struct AppEventRow {
    SessionKey key;  ///< session_id is the application's session
    std::int64_t event_ms = 0;
    std::int64_t receive_ms = 0;
    std::string name, event_type, screen, subscriber_id, subscriber_type, subscriber_tag, device_id,
        device_type, app_name, app_version, sdk_version, platform, os_version, browser, country,
        region, city, ip_address, profile_id, referral_id;
    bool is_graceful = false;
    Tags data;
    Tags tags;
};

/// Everything one cut of the pipeline writes, in the order of insertion.
struct RowBlock {
    std::vector<SessionRow> sessions;
    std::vector<SessionRow> live_sessions;
    std::vector<SliceRow> slices;
    std::vector<EventRow> events;
    std::vector<AdViewRow> ad_views;
    std::vector<AppEventRow> app_events;
    bool empty() const noexcept {
        return sessions.empty() && live_sessions.empty() && slices.empty() && events.empty() &&
               ad_views.empty() && app_events.empty();
    }
};

}  // namespace playhead::model
