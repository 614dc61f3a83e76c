/// The canonical event: what every decoder produces and the timeline consumes.
///
/// An `Event` owns its strings through the `EventBatch` that holds it: all views point into the
/// batch's arena (or the request body that the batch keeps alive). Move batches, do not copy them.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/dimensions.h"

namespace playhead::model {

/// Which wire the event came over.
enum class Protocol : std::uint8_t {
    SmartSight,    ///< player SDK, long or compact keys
    AppAnalytics,  ///< the App Analytics SDK
    CmcdEvent,     ///< CMCD v2 event mode (POST, or the draft's GET)
    CmcdRequest,   ///< CMCD v1/v2 request mode, mirrored from a media request
};

/// What happened. The wire's own name stays in `Event::name`.
enum class EventKind : std::uint8_t {
    // Life cycle of the view. CMCD states arrive as `State` with `Event::state`.
    Load,   ///< ONLOAD: the viewer asked for playback
    Start,  ///< START, START_AFTER_AD: first frame of content
    Pause,
    Resume,
    BufferStart,
    BufferEnd,
    SeekStart,
    SeekEnd,
    Ended,     ///< stopped by the viewer or application
    Complete,  ///< played to the end
    State,     ///< CMCD `e=ps`: a player state began at `client_ms`
    // Reports
    Stats,      ///< periodic statistics
    Ping,       ///< keep-alive while paused
    Heartbeat,  ///< CMCD `e=t`
    Response,   ///< CMCD `e=rr`: a media response was received
    Request,    ///< CMCD request mode: a media object was requested
    // Changes
    Rendition,  ///< the rendition being played changed
    AudioTrack,
    SubtitleTrack,
    Manifest,
    ContentChange,  ///< CMCD `e=c`
    CdnChange,      ///< also CMCD `e=h`
    DrmChange,
    Fallback,          ///< FALLBACK_ATTEMPT
    RequestFailed,     ///< RF_*
    RequestCancelled,  ///< RC_*
    Background,        ///< CMCD `e=b`, `Event::flag` = entered
    Rate,
    Volume,
    Resize,
    Duration,
    Error,  ///< see `Event::error`
    // Ads
    AdRequest,
    AdResponse,
    AdBreakStart,
    AdBreakEnd,
    AdImpression,
    AdPlay,     ///< first frame of the ad
    AdPlaying,  ///< keep-alive
    AdFirstQuartile,
    AdMidpoint,
    AdThirdQuartile,
    AdPause,
    AdResume,
    AdBufferStart,
    AdBufferEnd,
    AdClick,
    AdSkip,
    AdError,
    AdBlock,
    AdEnded,
    AdComplete,
    // Everything else
    Application,  ///< App Analytics; see `Event::app`
    Custom,       ///< a name that the decoder does not know: stored, changes no state
};

/// CMCD `sta` (CTA-5004-B §1.5), and None.
enum class PlayerState : std::uint8_t {
    None,
    Starting,
    Playing,
    Seeking,
    Rebuffering,
    Paused,
    Waiting,
    Ended,
    FatalError,
    Quit,
    Preloading
};

/// Numbers a record may carry. Cumulative ones may be repeated or fall behind: take the maximum.
enum class Measure : std::uint8_t {
    // SmartSight pbInfo
    StartupMs,        ///< `l` of START; load time of the ad on AdPlay
    StallMs,          ///< `bw` CIRR: one finished connection-induced stall, ended about `client_ms`
    SeekStallMs,      ///< `bw` VRT: one finished stall after a seek
    StallSumMs,       ///< cumulative `sb`
    StallSumCirrMs,   ///< cumulative `sbc`
    StallSumVrtMs,    ///< cumulative `sbv`
    StallSumAdMs,     ///< cumulative `sba`
    PauseMs,          ///< `ud`: one finished pause
    UpShifts,         ///< cumulative
    DownShifts,       ///< cumulative
    FramesDropped,    ///< cumulative (`fl`, CMCD `dfa`)
    ProgressPercent,  ///< `gm`
    BandwidthKbps,    ///< mean rate of downloads since the last report
    // renditions and segments
    BitrateKbps,  ///< of the rendition on screen from `client_ms` on
    Fps,
    DownloadRateKbps,  ///< of one segment or the player's estimate
    SegmentBytes,      ///< bytes of media downloaded, not cumulative
    ResponseMs,        ///< time to last byte of one response
    FirstByteMs,
    ResponseCode,  ///< HTTP status of a media response; 0 = none came
    // CMCD
    BufferLengthMs,
    ThroughputKbps,  ///< CMCD `mtp`
    TopBitrateKbps,
    LiveLatencyMs,
    MediaStartDelayMs,  ///< CMCD `msd`
    StarvationMs,       ///< CMCD `bsd`: one finished starvation
    StarvationSumMs,    ///< CMCD `bsda`
    StarvationCount,    ///< CMCD `bsa`, cumulative
    PlayRate,
    ObjectDurationMs,
    // tracks
    TotalDurationS,  ///< of the asset; -1 = live
};

struct MeasureValue {
    Measure id{};
    double value = 0;
    std::int64_t client_ms = 0;  ///< the measure's own time where it has one, else 0
};

struct AttributeValue {
    Dimension id{};
    std::string_view value;
};

struct Tag {
    std::string_view name;
    std::string_view value;
};

enum class Severity : std::uint8_t { None, Fatal, Warning, Unknown };

struct ErrorFacts {
    Severity severity = Severity::None;
    std::string_view code;
    std::string_view message;
    std::string_view details;
};

/// The ad of an ad event, as stated by the SDK. Numbers: NaN or -1 = not given.
struct AdFacts {
    std::string_view id, title, client, system, position, creative_id, creative_type, resolution,
        url, linear;
    double duration_s = std::numeric_limits<double>::quiet_NaN();
    double interval_s = std::numeric_limits<double>::quiet_NaN();
    double bitrate_kbps = std::numeric_limits<double>::quiet_NaN();
    int pod_index = -2;  ///< 0 pre, 1… mid, -1 post; -2 not given
    int pod_position = -1;
    int pod_length = -1;
    bool is_bumper = false;
};

/// App Analytics fields.
struct AppFacts {
    std::string_view event_type, screen, profile_id, referral_id, device_type;
    bool is_graceful = false;
    std::vector<std::pair<std::string_view, std::string_view>> data;
};

struct Event {
    std::uint64_t customer_id = 0;
    std::string_view session_id;
    Protocol protocol = Protocol::SmartSight;
    EventKind kind = EventKind::Custom;
    PlayerState state = PlayerState::None;
    std::string_view name;        ///< the wire's name, e.g. "START", "ps"
    std::int64_t client_ms = 0;   ///< epoch ms by the client's clock; 0 = not given
    std::int64_t receive_ms = 0;  ///< epoch ms at the server
    std::string_view payload_id;  ///< pId: equal ids within a session are one record; may be empty
    std::int64_t sequence = -1;   ///< CMCD `sn` per session and target; -1 = none
    std::string_view target;      ///< CMCD: which report stream `sequence` counts, may be empty
    double position_s = std::numeric_limits<double>::quiet_NaN();       ///< pbTime, CMCD pt (VOD)
    double play_duration_s = std::numeric_limits<double>::quiet_NaN();  ///< playDur
    double interval_s = std::numeric_limits<double>::quiet_NaN();  ///< see observed.md: never sum
    std::int64_t session_start_ms = 0;                             ///< sst; 0 = not given
    int is_live = -1;                                              ///< -1 not given, 0, 1
    bool flag = false;          ///< CMCD bg (Background), bs (starved since last report) else
    bool not_rendered = false;  ///< CMCD nr
    std::string_view text;      ///< desc, CMCD url / cen: what a person would want to read
    std::vector<AttributeValue> attributes;
    std::vector<Tag> tags;
    std::vector<MeasureValue> measures;
    ErrorFacts error;  ///< with kind Error / AdError / RequestFailed
    std::unique_ptr<AdFacts> ad;
    std::unique_ptr<AppFacts> app;
    /// Object type of a CMCD request or response (`ot`), else 0. One of m a v i c t k o, 'b' for
    /// av.
    char object_type = 0;
    bool is_urgent = false;  ///< CMCD su: needed for startup, a seek or recovery
    std::uint32_t asn =
        0;  ///< autonomous system of the client's network, as the SDK states; 0 = no
};

/// Bytes that events point into. Grows in chunks; never moves what it handed out.
class Arena {
public:
    /// Copies `text` in and returns the copy.
    std::string_view copy(std::string_view text);
    /// Uninitialized room of `size` bytes.
    char* allocate(std::size_t size);
    std::size_t bytes() const noexcept { return bytes_; }

private:
    static constexpr std::size_t kChunkBytes = 4096;
    std::vector<std::unique_ptr<char[]>> chunks_;
    std::size_t used_ = 0;
    std::size_t capacity_ = 0;
    std::size_t bytes_ = 0;
};

/// The events of one request, and what keeps their strings alive.
struct EventBatch {
    std::vector<Event> events;
    Arena arena;
    /// The request body when views point into it. On the heap, so that a move of the batch does not
    /// move a short string's bytes.
    std::unique_ptr<const std::string> body;
    std::uint32_t dropped_keys = 0;  ///< keys of wrong type or over a limit that were ignored
};

}  // namespace playhead::model
