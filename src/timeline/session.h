/// The kept state of one session: a compact form of the set of its records. Everything that a row
/// says is computed from it (measure.h), so the order of arrival cannot matter.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/client_context.h"
#include "model/event.h"
#include "model/rows.h"
#include "timeline/attributes.h"
#include "timeline/cells.h"
#include "timeline/options.h"
#include "timeline/sequence.h"

namespace playhead::timeline {

/// One record that says something about time. The order of the enumerators is the order of marks
/// of the same millisecond.
enum class MarkKind : std::uint8_t {
    Load,
    AdEnded,
    AdComplete,
    AdSkip,
    AdError,
    AdBreakEnd,
    AdBreakStart,
    AdRequest,
    AdImpression,
    AdPlay,
    AdProgress,  ///< keep-alive: the ad was on screen
    AdFirstQuartile,
    AdMidpoint,
    AdThirdQuartile,
    AdPause,
    AdResume,
    AdBufferStart,
    AdBufferEnd,
    AdClick,
    Start,
    Pause,   ///< value: played seconds stated with it, -1 none
    Resume,  ///< value: stated length of the pause, -1 none
    PauseStated,
    BufferStart,
    BufferEnd,
    SeekStart,
    SeekEnd,
    StallStated,        ///< ended at time, value: length
    SeekStallStated,    ///< the same, labelled as after a seek
    State,              ///< aux: model::PlayerState
    Rendition,          ///< value: kbit/s; a change
    RenditionRestated,  ///< the same, repeated by a report
    Fps,
    Rate,
    Progress,  ///< value: percent
    Fatal,
    UnknownError,
    End,
    Complete,
};

struct Mark {
    std::int64_t time_ms = 0;  ///< client's clock
    double value = 0;
    std::uint32_t order = 0;  ///< sequence number, or number of the ad facts
    MarkKind kind{};
    std::uint8_t aux = 0;
    friend bool operator==(const Mark&, const Mark&) = default;
};

/// `Mark::aux` of RenditionRestated: said by the player of the moment of its report, by a request
/// mirrored from a CDN, or by the player of a moment before its report (a change: kept exactly).
inline constexpr std::uint8_t kOwnPicture = 0, kMirroredPicture = 1, kDatedPicture = 2;

/// What the records of one ad say of it.
struct AdText {
    std::string id, title, client, system, position, creative_id, creative_type, resolution, linear,
        error_code, error_message;
    double duration_s = 0;
    std::int32_t pod_index = -2;
    std::int32_t pod_position = -1;
    bool is_bumper = false;
    friend bool operator==(const AdText&, const AdText&) = default;
};

/// A number with the time it was stated at; the newest wins, of equal times the greater.
struct Stated {
    std::int64_t time_ms = 0;
    double value = 0;
    void update(std::int64_t at_ms, double stated) noexcept {
        if (at_ms > time_ms || (at_ms == time_ms && stated > value)) {
            time_ms = at_ms;
            value = stated;
        }
    }
};

/// Where the earliest START was, in any order of arrival.
struct Entry {
    std::int64_t time_ms = 0;               ///< 0 = none
    double position_s = model::kEntryNone;  ///< as SessionRow::entry_s
    void update(std::int64_t at_ms, double stated_s) noexcept {
        if (time_ms == 0 || at_ms < time_ms || (at_ms == time_ms && stated_s > position_s)) {
            time_ms = at_ms;
            position_s = stated_s;
        }
    }
};

/// The upper 40 bits of a record's identity, big-endian. Two different records of a session are
/// taken for one with a chance of n^2 / 2^41: 6e-8 in an hour of reports every 10 s, 0.2 % at
/// `kSeenMax`.
using SeenMark = std::array<std::uint8_t, 5>;

constexpr SeenMark seen_mark_of(std::uint64_t identity) noexcept {
    SeenMark mark{};
    for (std::size_t index = 0; index < mark.size(); ++index) {
        mark[index] = static_cast<std::uint8_t>(identity >> (56 - 8 * index));
    }
    return mark;
}

constexpr std::uint64_t identity_of(const SeenMark& mark) noexcept {
    std::uint64_t identity = 0;
    for (std::size_t index = 0; index < mark.size(); ++index) {
        identity |= std::uint64_t{mark[index]} << (56 - 8 * index);
    }
    return identity;
}

struct Stream {
    std::uint64_t target = 0;
    SequenceSet numbers;
};

struct Session {
    static constexpr std::size_t kMarksMax = 8192;
    static constexpr std::size_t kDatedMarksMax =
        2048;  ///< above, dated renditions are thinned too
    static constexpr std::size_t kCellsMax = 60'000;
    static constexpr std::size_t kSeenMax = 65'536;
    static constexpr std::size_t kStreamsMax = 16;
    static constexpr std::size_t kAdTextsMax = 512;
    /// Times more than this before or after the session's first record are pulled to it (and
    /// counted as rejected). Together they bound the minutes of one session to 36 h: 1 MB dense.
    static constexpr std::int64_t kSpanBeforeMaxMs = 6LL * 3'600'000;
    static constexpr std::int64_t kSpanAfterMaxMs = 30LL * 3'600'000;
    static constexpr std::int64_t kSpanMaxMs = kSpanBeforeMaxMs + kSpanAfterMaxMs;
    /// Times inside a record may differ this much from the record's own.
    static constexpr std::int64_t kMeasureDriftMs = 600'000;

    explicit Session(TextPool& texts) : attributes(texts) {}

    std::uint64_t customer_id = 0;
    std::string session_id;
    model::Protocol protocol{};  ///< of the record received first
    bool smartsight = false, cmcd_events = false, cmcd_requests = false;
    bool clock_rejected = false;
    bool is_live = false;

    std::int64_t first_receive_ms = 0;
    std::int64_t first_timed_receive_ms = 0;  ///< the first of those that state a time
    std::int64_t first_client_ms = 0;         ///< what that one states; 0 none
    std::int64_t last_receive_ms = 0;
    std::int64_t offset_ms = 0;  ///< to add to every client time here
    std::int64_t anchor_ms = 0;
    /// Of the player's own reports, and of mirrored requests, which bear the time of receipt.
    std::int64_t own_first_ms = 0, own_last_ms = 0;
    std::int64_t request_first_ms = 0, request_last_ms = 0;
    std::int64_t last_stats_ms = 0;
    std::int64_t previous_stats_ms = 0;  ///< the newest but one
    std::int64_t play_anchor_ms = 0;     ///< least (time - played) of reports; 0 none
    std::int64_t first_media_ms = 0;     ///< first media request; 0 none
    std::int64_t interval_ms = 0;        ///< stated; 0 none
    double played_max_s = 0;
    double startup_delay_ms = -1;  ///< CMCD msd
    double top_kbps = 0;
    Stated position, duration;
    Entry entry;

    std::vector<Mark> marks;  ///< sorted
    Cells cells;
    std::vector<SeenMark> seen;  ///< sorted
    std::vector<Stream> streams;
    std::vector<AdText> ad_texts;
    Attributes attributes;
    std::uint32_t asn = 0;
    float latitude = 0, longitude = 0;
    std::uint32_t refused = 0;  ///< records not kept because a limit was reached

    // What was written already
    std::string emitted;  ///< minutes sent as slices (minutes.h)
    std::uint32_t revision = 0;
    std::uint32_t live_revision = 0;
    std::int64_t live_row_ms = 0;
    std::int64_t slice_ms = 0;
    std::int64_t closed_ms = 0;
    bool closed = false;
    bool dirty = false;
    bool urgent = false;

    /// First and last activity. Requests count only where the player reports nothing itself: theirs
    /// is the clock of whoever mirrors them, which may be hours away from the player's.
    std::int64_t first_ms() const noexcept {
        return own_first_ms != 0 ? own_first_ms : request_first_ms;
    }
    std::int64_t last_ms() const noexcept {
        return own_first_ms != 0 ? own_last_ms : request_last_ms;
    }
    /// Inserts in order; a full equal is dropped.
    void add_mark(const Mark& mark);
    /// At most one mark of `kind` and value per minute, the earliest.
    void add_thin_mark(MarkKind kind, std::int64_t time_ms, double value, std::uint8_t aux = 0);
    /// One mark of `kind` per minute: the greatest value, its earliest time.
    void add_peak_mark(MarkKind kind, std::int64_t time_ms, double value);
    void add(Column column, std::int64_t time_ms, std::int64_t amount);
    void raise(Column column, std::int64_t time_ms, std::int64_t value);
    /// Without the texts of the attributes, which are the pool's.
    std::size_t bytes() const noexcept;
    /// The part of `bytes` that is characters of texts.
    std::size_t text_bytes() const noexcept;
    /// Gives back what growth left over: closed sessions are kept for hours.
    void shrink();
};

/// Applies one record. False when it was a repeat and changed nothing.
/// Single-threaded; the event's views are only read during the call.
bool apply_record(Session& session, const model::Event& event, const model::ClientContext& client,
                  const Options& options);

/// Whether `event` is a record of `session` already. Const: for closed sessions.
bool is_repeat(const Session& session, const model::Event& event);

}  // namespace playhead::timeline
