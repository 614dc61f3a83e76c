#include "timeline/measure.h"

#include <algorithm>
#include <cmath>

#include "model/score.h"
#include "timeline/ads.h"
#include "timeline/payload_number.h"
#include "timeline/playback.h"

namespace playhead::timeline {
namespace {

using model::AdditiveCounters;
using model::ViewStatus;

constexpr double kCompletedPercent = 90;
constexpr std::size_t kIntervalRowsMax = 2'000;

class Measurement {
public:
    Measurement(const Session& session, const Options& options, bool closed, Measured& out)
        : session_(session),
          out_(out),
          row_(out.row),
          minutes_(out.minutes),
          offset_(session.offset_ms),
          closed_(closed),
          ads_(ads_of(session, activity_end_of(session))),
          play_(playback_of(session, ads_, options)) {}

    void run() {
        describe();
        const std::int64_t first = session_.first_ms();
        const std::int64_t low = std::min(
            {play_.start_ms, first, std::max(least_cell_ms(), first - Session::kMeasureDriftMs)});
        out_.intervals.clear();
        minutes_.reset(low + offset_, std::max(play_.end_ms, session_.last_ms()) + offset_);
        presence();
        intervals();
        playing();
        cells();
        failures();
        ad_rows();
        endings();
        progress();
        for (const Minute& minute : minutes_.list) row_.counters += minute.counters;
        score();
        if (closed_) interval_rows();
    }

private:
    std::int64_t least_cell_ms() const noexcept {
        return session_.cells.empty()
                   ? session_.first_ms()
                   : static_cast<std::int64_t>(session_.cells.first_minute()) * 60'000 + 30'000;
    }

    Minute& at(std::int64_t client_ms) noexcept { return minutes_.at(client_ms + offset_); }

    void spread(const Span& span, std::int64_t AdditiveCounters::* counter) {
        minutes_.spread(span.begin + offset_, span.end + offset_, counter);
    }

    std::int64_t server(std::int64_t client_ms) const noexcept {
        return client_ms == 0 ? 0 : client_ms + offset_;
    }

    void describe() {
        row_ = {};
        row_.key = {session_.customer_id, session_.session_id};
        session_.attributes.fill(row_.dimensions, row_.tags);
        row_.asn = session_.asn;
        row_.latitude = session_.latitude;
        row_.longitude = session_.longitude;
        row_.duration_s = session_.duration.value;
        row_.is_live = session_.is_live || session_.duration.value < 0;
        row_.protocol = static_cast<std::uint8_t>(session_.protocol);
        row_.start_ms = server(play_.start_ms);
        row_.end_ms = server(std::max(play_.end_ms, play_.start_ms));
        row_.first_frame_ms = play_.started ? server(play_.first_frame_ms) : 0;
        row_.first_receive_ms = session_.first_receive_ms;
        row_.last_receive_ms = session_.last_receive_ms;
        row_.startup_ms = play_.started ? play_.startup_ms : -1;
        row_.ad_startup_ms = ads_.first_load_ms;
        row_.clock_offset_ms = offset_;
        row_.clock_rejected = session_.clock_rejected;
        row_.position_s = session_.position.value;
        row_.entry_s = session_.entry.position_s;
        out_.final = play_.ended;
    }

    void presence() {
        minutes_.spread(row_.start_ms, std::max(row_.end_ms, row_.start_ms + 1),
                        [](Minute& minute, std::int64_t from, std::int64_t to) {
                            minute.active_ms += to - from;
                            minute.present = 1;
                        });
        if (play_.attempted) at(play_.start_ms).counters.attempts = 1;
        if (play_.started) at(play_.first_frame_ms).counters.plays = 1;
    }

    void intervals() {
        // The wait may have lost its pauses in the middle; its length is exact, its place is the
        // time before the first frame.
        const std::int64_t ready = play_.started ? play_.first_frame_ms : play_.end_ms;
        const std::int64_t wait = std::min(play_.startup_wait_ms, Session::kSpanMaxMs);
        spread({ready - wait, ready}, &AdditiveCounters::startup_wait_ms);
        for (const Span& span : play_.stalls) {
            spread(span, &AdditiveCounters::stall_ms);
            ++at(span.begin).counters.stall_count;
        }
        if (!play_.stalls.empty()) at(play_.stalls.front().begin).counters.buffered_plays = 1;
        for (const Span& span : play_.seek_waits) {
            spread(span, &AdditiveCounters::seek_stall_ms);
            ++at(span.begin).counters.seek_stall_count;
        }
        for (const Span& span : play_.pauses) {
            spread(span, &AdditiveCounters::pause_ms);
            ++at(span.begin).counters.pause_count;
        }
        for (const std::int64_t seek : play_.seeks) ++at(seek).counters.seek_count;
    }

    Spans playing_spans() const {
        if (!play_.started) return {};
        Spans busy = play_.stalls;
        for (const Spans* more : {&play_.seek_waits, &play_.pauses, &play_.idle, &ads_.blocked}) {
            busy.insert(busy.end(), more->begin(), more->end());
        }
        normalize(busy);
        Spans spans = subtract({{play_.first_frame_ms, play_.play_end_ms}}, busy);
        if (play_.play_limit_ms >= 0) {
            std::int64_t left = play_.play_limit_ms;
            for (Span& span : spans) {
                span.end = std::min(span.end, span.begin + left);
                left -= span.length();
            }
            normalize(spans);
        }
        return spans;
    }

    struct Picture {
        double kbps = 0, fps = 0, rate = 1;
    };

    void playing() {
        const bool changes =
            std::any_of(session_.marks.begin(), session_.marks.end(),
                        [](const Mark& mark) { return mark.kind == MarkKind::Rendition; });
        const bool restated = session_.smartsight || !changes;
        // What mirrored requests say of the picture counts only where the player says nothing.
        const bool own =
            std::any_of(session_.marks.begin(), session_.marks.end(), [](const Mark& mark) {
                return mark.kind == MarkKind::Rendition ||
                       (mark.kind == MarkKind::RenditionRestated && mark.aux != kMirroredPicture);
            });
        const Spans spans = playing_spans();
        auto span = spans.begin();
        Picture picture;
        std::int64_t from = 0;
        const auto show_until = [&](std::int64_t until) {
            for (; span != spans.end() && span->begin < until; ++span) {
                show({std::max(span->begin, from), std::min(span->end, until)}, picture);
                if (span->end > until) break;
            }
            from = until;
        };
        for (const Mark& mark : session_.marks) {
            if (mark.kind == MarkKind::Rendition ||
                (restated && mark.kind == MarkKind::RenditionRestated)) {
                if (own && mark.aux == kMirroredPicture) continue;
                if (picture.kbps == mark.value) continue;
                show_until(mark.time_ms);
                shift(mark, picture.kbps);
                picture.kbps = mark.value;
                row_.bitrate_last_kbps = static_cast<std::uint32_t>(std::min(mark.value, 4e9));
                row_.bitrate_max_kbps = std::max(row_.bitrate_max_kbps, row_.bitrate_last_kbps);
            } else if (mark.kind == MarkKind::Fps) {
                show_until(mark.time_ms);
                picture.fps = mark.value;
                row_.fps = static_cast<float>(mark.value);
            } else if (mark.kind == MarkKind::Rate) {
                show_until(mark.time_ms);
                picture.rate = mark.value;
            }
        }
        show_until(std::max(play_.play_end_ms, from));
    }

    void shift(const Mark& mark, double before) {
        if (closed_) {
            add_interval("interval.rendition", model::EventKind::Rendition, mark.time_ms,
                         mark.value);
        }
        if (before <= 0) return;
        AdditiveCounters& counters = at(mark.time_ms).counters;
        ++counters.rendition_changes;
        ++(mark.value > before ? counters.up_shifts : counters.down_shifts);
    }

    void show(const Span& span, const Picture& picture) {
        minutes_.spread(
            span.begin + offset_, span.end + offset_,
            [&](Minute& minute, std::int64_t begin, std::int64_t end) {
                const std::int64_t length = end - begin;
                const auto real = static_cast<double>(length);
                AdditiveCounters& counters = minute.counters;
                counters.playing_ms += length;
                if (picture.kbps > 0) {
                    counters.bitrate_ms += length;
                    counters.bitrate_kbit += std::llround(picture.kbps * real);
                    counters.media_ms += std::llround(picture.rate * real);
                    counters.media_kbit += std::llround(picture.rate * picture.kbps * real);
                }
                counters.frames_total += std::llround(picture.fps * picture.rate * real / 1000);
            });
    }

    /// Sums per minute of the client's clock; a shifted clock moves them by whole minutes.
    void cells() {
        const bool responses = session_.cells.has(Column::requests);
        bool sized = false;
        std::int64_t dropped = 0, up = 0, down = 0;
        std::int64_t up_at = 0, down_at = 0;
        session_.cells.each([&](const Cell& cell) {
            const std::int64_t time = static_cast<std::int64_t>(cell.minute) * 60'000 + 30'000;
            AdditiveCounters& counters = at(time).counters;
            if (cell.column < Column::ActiveMs) {
                counters.*model::kCounterColumns[static_cast<std::size_t>(cell.column)].field +=
                    cell.value;
                sized |= cell.column == Column::bytes;
                return;
            }
            switch (cell.column) {
                case Column::DroppedFramesMax:
                    counters.frames_dropped += std::max<std::int64_t>(0, cell.value - dropped);
                    dropped = std::max(dropped, cell.value);
                    break;
                case Column::UpShiftsMax:
                    if (cell.value > up) up_at = time;
                    up = std::max(up, cell.value);
                    break;
                case Column::DownShiftsMax:
                    if (cell.value > down) down_at = time;
                    down = std::max(down, cell.value);
                    break;
                case Column::RequestCount:
                    if (!responses) counters.requests += cell.value;
                    break;
                case Column::RequestBytes:
                    if (responses) break;
                    counters.bytes += cell.value;
                    sized = true;
                    break;
                case Column::RequestStarved:
                    if (!play_.stalls.empty() || play_.play_limit_ms < 0) break;
                    counters.stall_count += cell.value;
                    break;
                default: break;
            }
        });
        state_shifts(up, up_at, &AdditiveCounters::up_shifts);
        state_shifts(down, down_at, &AdditiveCounters::down_shifts);
        if (!sized) {
            for (Minute& minute : minutes_.list) {
                minute.counters.bytes += minute.counters.bitrate_kbit / 8;
            }
        }
        if (session_.streams.empty()) return;
        for (const Stream& stream : session_.streams) {
            at(play_.start_ms).counters.beacons_lost += missing_of(stream);
        }
        for (Minute& minute : minutes_.list) {
            minute.counters.beacons_numbered = minute.counters.beacons;
        }
    }

    void add_interval(const char* name, model::EventKind kind, std::int64_t client_ms,
                      double value) {
        if (out_.intervals.size() >= kIntervalRowsMax) return;
        model::EventRow& row = out_.intervals.emplace_back();
        row.key = row_.key;
        row.event_ms = server(client_ms);
        row.receive_ms = session_.last_receive_ms;
        row.name = name;
        row.kind = static_cast<std::uint8_t>(kind);
        row.phase = "instream";
        row.value = value;
    }

    void interval_rows() {
        const auto add = [this](const char* name, model::EventKind kind, const Spans& spans) {
            for (const Span& span : spans) {
                add_interval(name, kind, span.begin, static_cast<double>(span.length()));
            }
        };
        add("interval.stall", model::EventKind::BufferEnd, play_.stalls);
        add("interval.seek", model::EventKind::SeekEnd, play_.seek_waits);
        add("interval.pause", model::EventKind::Resume, play_.pauses);
    }

    /// Shifts that the SDK counted and whose records were lost.
    void state_shifts(std::int64_t stated, std::int64_t time,
                      std::int64_t AdditiveCounters::* counter) {
        if (time == 0) return;
        std::int64_t seen = 0;
        for (const Minute& minute : minutes_.list) seen += minute.counters.*counter;
        if (stated <= seen) return;
        at(time).counters.*counter += stated - seen;
        at(time).counters.rendition_changes += stated - seen;
    }

    void failures() {
        for (const Failure& failure : play_.failures) {
            AdditiveCounters& counters = at(failure.time_ms).counters;
            ++(failure.fatal ? counters.fatal_errors : counters.warnings);
        }
    }

    void ad_rows() {
        out_.ads.clear();
        for (const Ad& ad : ads_.ads) {
            for (const Span& span : ad.playing) spread(span, &AdditiveCounters::ad_ms);
            for (const Span& span : ad.stalls) {
                spread(span, &AdditiveCounters::ad_stall_ms);
                ++at(span.begin).counters.ad_stall_count;
            }
            if (ad.started) ++at(ad.play_ms).counters.ad_starts;
            if (ad.completed) ++at(ad.end_ms).counters.ad_completions;
            out_.ads.push_back(ad_row(ad));
        }
    }

    model::AdViewRow ad_row(const Ad& ad) const {
        model::AdViewRow row;
        row.key = row_.key;
        row.ordinal = static_cast<std::uint32_t>(out_.ads.size());
        row.asn = row_.asn;
        row.is_live = row_.is_live;
        const AdText& text = *ad.text;
        row.id = text.id;
        row.title = text.title;
        row.client = text.client;
        row.system = text.system;
        row.position = text.position;
        row.creative_id = text.creative_id;
        row.creative_type = text.creative_type;
        row.resolution = text.resolution;
        row.linear = text.linear;
        row.pod_index = text.pod_index;
        row.pod_position = text.pod_position;
        row.is_bumper = text.is_bumper;
        row.duration_s = text.duration_s;
        row.start_ms = server(ad.impression ? ad.impression_ms : ad.play_ms);
        row.end_ms = server(ad.end_ms);
        row.load_ms = ad.load_ms;
        row.playing_ms = total(ad.playing);
        row.stall_ms = total(ad.stalls);
        row.stall_count = static_cast<std::int64_t>(ad.stalls.size());
        row.pause_ms = total(ad.pauses);
        row.impression = ad.impression;
        row.started = ad.started;
        row.first_quartile = ad.first_quartile;
        row.midpoint = ad.midpoint;
        row.third_quartile = ad.third_quartile;
        row.completed = ad.completed;
        row.ended = ad.ended;
        row.skipped = ad.skipped;
        row.clicked = ad.clicked;
        row.failed = ad.failed;
        row.error_code = text.error_code;
        row.error_message = text.error_message;
        return row;
    }

    void endings() {
        row_.status = status();
        std::string& reason = row_.dimensions[model::index_of(model::Dimension::EndReason)];
        if (reason.empty() && (closed_ || play_.ended)) {
            reason = play_.failed     ? "error"
                     : play_.complete ? "complete"
                     : play_.ended    ? "stopped"
                                      : "lost";
        }
        // Status and counters of one row agree, also while an ended session lingers.
        if (!over()) return;
        AdditiveCounters& counters = at(play_.end_ms).counters;
        if (play_.started) {
            counters.ended_plays = row_.status == ViewStatus::Ended;
            counters.dropped = row_.status == ViewStatus::Dropped;
            counters.instream_failures = play_.failed && !play_.business;
            counters.instream_business_failures = play_.failed && play_.business;
        } else {
            counters.startup_failures = play_.failed && !play_.business;
            counters.startup_business_failures = play_.failed && play_.business;
            counters.exits_before_start = play_.attempted && !play_.failed;
        }
        if (play_.complete) return;
        counters.exits_during_ad = ads_.on_screen;
        counters.exits_before_ad = ads_.waiting && !ads_.on_screen;
    }

    /// Nothing more is to come, as far as the records say.
    bool over() const noexcept {
        return closed_ || play_.ended || (play_.failed && !play_.started);
    }

    ViewStatus status() const noexcept {
        if (!play_.started) {
            if (play_.failed) return ViewStatus::Failed;
            return closed_ || play_.ended ? ViewStatus::Exited : ViewStatus::Loaded;
        }
        if (play_.ended) return ViewStatus::Ended;
        return closed_ ? ViewStatus::Dropped : ViewStatus::Running;
    }

    void progress() {
        double percent = -1;
        for (const Mark& mark : session_.marks) {
            if (mark.kind != MarkKind::Progress) continue;
            if (!contains(ads_.blocked, mark.time_ms)) percent = std::max(percent, mark.value);
        }
        if (percent < 0 && session_.duration.value > 0 && session_.position.value > 0) {
            percent = std::min(100.0, 100 * session_.position.value / session_.duration.value);
        }
        if (row_.is_live) percent = -1;
        if (play_.complete && !row_.is_live) percent = std::max(percent, kCompletedPercent);
        row_.progress_percent = percent;
        const bool completed = play_.started && !row_.is_live && percent >= kCompletedPercent;
        if (over() && completed) at(play_.end_ms).counters.completions = 1;
    }

    void score() {
        const AdditiveCounters& counters = row_.counters;
        model::ScoreInput input = model::score_input_of(counters);
        input.attempted = play_.attempted;
        input.played = play_.started;
        input.failed = play_.failed && !play_.business;
        if (counters.bitrate_ms > 0) {
            input.bitrate_top_kbps =
                std::max(session_.top_kbps, static_cast<double>(row_.bitrate_max_kbps));
        }
        model::set_score(row_, input);
    }

    const Session& session_;
    Measured& out_;
    model::SessionRow& row_;
    Minutes& minutes_;
    const std::int64_t offset_;
    const bool closed_;
    const AdTimeline ads_;
    const Playback play_;
};

}  // namespace

void measure(const Session& session, const Options& options, bool closed, Measured& out) {
    Measurement(session, options, closed, out).run();
}

}  // namespace playhead::timeline
