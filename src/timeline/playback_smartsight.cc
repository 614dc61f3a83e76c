// SmartSight: what the SDK states (startup, stall and pause lengths) is exact; the events say when,
// and stand in where a statement was lost.
#include <algorithm>

#include "timeline/playback.h"

namespace playhead::timeline {
namespace {

constexpr std::int64_t kMatchMs = 1'500;     ///< a statement and its event are this close
constexpr std::int64_t kSeekAfterMs = 500;   ///< a stall this soon after a seek belongs to it
constexpr std::int64_t kSeekOpenMs = 5'000;  ///< length of a seek whose end was lost
constexpr std::int64_t kPlaysOnMs = 5'000;   ///< reports this long after an error: it played on
constexpr std::int64_t kFlushMs = 1'000;     ///< a report this close before the end is a flush
constexpr std::int64_t kSumSlackMs = 500;

struct StatedStall {
    Span span;
    bool after_seek = false;
    bool used = false;
};

class SmartSightWalk {
public:
    SmartSightWalk(const Session& session, const AdTimeline& ads, const Options& options)
        : session_(session), ads_(ads), options_(options) {}

    Playback run() {
        out_.end_ms = activity_end_of(session_);
        for (const Mark& mark : session_.marks) {
            if (mark.time_ms > out_.end_ms) break;
            step(mark);
        }
        frame_start();
        failures();
        close_open();
        stalls();
        pauses();
        return std::move(out_);
    }

private:
    void step(const Mark& mark) {
        const std::int64_t at = mark.time_ms;
        switch (mark.kind) {
            case MarkKind::Load:
                if (load_ms_ < 0) load_ms_ = at;
                break;
            case MarkKind::Start:
                if (start_ms_ < 0) {
                    start_ms_ = at;
                    latency_ms_ = static_cast<std::int64_t>(mark.value);
                }
                played_after_ms_ = at;
                break;
            case MarkKind::Pause: pause(mark); break;
            case MarkKind::Resume: resume(mark); break;
            case MarkKind::BufferStart:
                if (buffer_ms_ < 0) buffer_ms_ = at;
                break;
            case MarkKind::BufferEnd:
                if (buffer_ms_ >= 0) buffers_.push_back({buffer_ms_, at});
                buffer_ms_ = -1;
                played_after_ms_ = at;
                break;
            case MarkKind::StallStated:
            case MarkKind::SeekStallStated:
                stated_.push_back({{at - static_cast<std::int64_t>(mark.value), at},
                                   mark.kind == MarkKind::SeekStallStated,
                                   false});
                break;
            case MarkKind::PauseStated:
                pauses_stated_.push_back({at - static_cast<std::int64_t>(mark.value), at});
                break;
            case MarkKind::SeekStart:
                out_.seeks.push_back(at);
                if (seek_ms_ >= 0)
                    seeks_.push_back({seek_ms_, std::min(at, seek_ms_ + kSeekOpenMs)});
                seek_ms_ = at;
                break;
            case MarkKind::SeekEnd:
                if (seek_ms_ >= 0) seeks_.push_back({seek_ms_, at});
                seek_ms_ = -1;
                played_after_ms_ = at;
                break;
            case MarkKind::Fatal:
            case MarkKind::UnknownError:
                out_.failures.push_back({at, false, mark.kind == MarkKind::Fatal, mark.aux != 0});
                break;
            case MarkKind::End:
            case MarkKind::Complete:
                out_.ended = true;
                out_.complete |= mark.kind == MarkKind::Complete;
                break;
            default: break;
        }
    }

    void pause(const Mark& mark) {
        if (pause_ms_ >= 0) {
            // The resume between was lost: what was played since ends the first pause.
            const double played = mark.value - pause_played_s_;
            if (pause_played_s_ >= 0 && played >= 1) {
                const std::int64_t resumed =
                    mark.time_ms - static_cast<std::int64_t>(played * 1000);
                out_.pauses.push_back({pause_ms_, std::max(pause_ms_, resumed)});
            } else {
                return;
            }
        }
        pause_ms_ = mark.time_ms;
        pause_played_s_ = mark.value;
    }

    void resume(const Mark& mark) {
        if (mark.value >= 0) {
            out_.pauses.push_back(
                {mark.time_ms - static_cast<std::int64_t>(mark.value), mark.time_ms});
        } else if (pause_ms_ >= 0) {
            out_.pauses.push_back({pause_ms_, mark.time_ms});
        }
        pause_ms_ = -1;
        played_after_ms_ = mark.time_ms;
    }

    void frame_start() {
        out_.attempted = true;
        out_.started = start_ms_ >= 0;
        out_.start_ms = load_ms_ >= 0 ? load_ms_ : session_.first_ms();
        if (out_.started) {
            out_.first_frame_ms = start_ms_;
            out_.startup_ms = latency_ms_;
            // Events that waited for the registration bear its time: the stated wait is older.
            if (latency_ms_ >= 0) {
                out_.start_ms = std::min(out_.start_ms, start_ms_ - latency_ms_);
            }
            out_.start_ms = std::min(out_.start_ms, start_ms_);
            out_.startup_wait_ms = std::max<std::int64_t>(0, latency_ms_);
        } else if (session_.play_anchor_ms > 0 && session_.play_anchor_ms <= out_.end_ms) {
            out_.started = true;
            out_.first_frame_ms = std::max(session_.play_anchor_ms, out_.start_ms);
        }
    }

    bool plays_after(std::int64_t at) const noexcept {
        if (played_after_ms_ > at) return true;
        const bool flush = out_.ended && out_.end_ms - session_.last_stats_ms <= kFlushMs;
        return (flush ? session_.previous_stats_ms : session_.last_stats_ms) > at + kPlaysOnMs;
    }

    void failures() {
        out_.play_end_ms = out_.end_ms;
        for (Failure& failure : out_.failures) {
            const bool stated = failure.fatal;
            failure.terminal = out_.started ? !plays_after(failure.time_ms) : true;
            if (out_.complete) failure.terminal = false;
            if (!stated) failure.fatal = failure.terminal && options_.unknown_errors_fatal;
            if (!failure.terminal || !failure.fatal) continue;
            if (!out_.failed) {
                out_.failed = true;
                out_.business = failure.business;
                out_.play_end_ms = std::max(failure.time_ms, out_.first_frame_ms);
            } else {
                out_.business &= failure.business;
            }
        }
        if (!out_.started) {
            const std::int64_t until = out_.failed ? out_.failures.front().time_ms : out_.end_ms;
            Spans paused = out_.pauses;
            if (pause_ms_ >= 0) paused.push_back({pause_ms_, until});
            normalize(paused);
            out_.startup_wait_ms =
                total(subtract(subtract({{out_.start_ms, until}}, paused), ads_.blocked));
        }
    }

    void close_open() {
        if (pause_ms_ >= 0) {
            std::int64_t until = out_.play_end_ms;
            const double played = session_.played_max_s - pause_played_s_;
            // Reports went on counting: the resume was lost.
            if (pause_played_s_ >= 0 && played >= 2 && session_.last_stats_ms > pause_ms_) {
                until = session_.last_stats_ms - static_cast<std::int64_t>(played * 1000);
            }
            out_.pauses.push_back({pause_ms_, std::max(pause_ms_, until)});
        }
        if (buffer_ms_ >= 0) buffers_.push_back({buffer_ms_, out_.play_end_ms});
        if (seek_ms_ >= 0) {
            seeks_.push_back({seek_ms_, std::min(seek_ms_ + kSeekOpenMs, out_.play_end_ms)});
        }
        std::sort(stated_.begin(), stated_.end(), [](const auto& left, const auto& right) {
            return left.span.end < right.span.end;
        });
    }

    bool after_seek(const Span& stall) const noexcept {
        return std::any_of(seeks_.begin(), seeks_.end(), [&](const Span& seek) {
            return stall.begin >= seek.begin - 50 && stall.begin <= seek.end + kSeekAfterMs;
        });
    }

    void stalls() {
        const Span window{out_.first_frame_ms, out_.play_end_ms};
        if (!out_.started) return;
        Spans unstated;
        for (const Span& buffer : buffers_) {
            StatedStall* match = nullptr;
            for (StatedStall& stated : stated_) {
                if (stated.used || std::abs(stated.span.end - buffer.end) > kMatchMs) continue;
                if (match == nullptr || std::abs(stated.span.end - buffer.end) <
                                            std::abs(match->span.end - buffer.end)) {
                    match = &stated;
                }
            }
            if (match != nullptr) {
                match->used = true;
            } else {
                unstated.push_back(buffer);
            }
        }
        for (const StatedStall& stated : stated_) {
            // What overlaps a statement without matching it is the same stall, badly timed.
            std::erase_if(unstated, [&](const Span& span) {
                return span.begin < stated.span.end && stated.span.begin < span.end;
            });
            if (stated.span.end <= window.begin || stated.span.begin >= window.end) continue;
            place({std::max(stated.span.begin, window.begin), stated.span.end}, stated.after_seek);
        }
        clip(unstated, window);
        for (const Span& span : subtract(unstated, ads_.blocked)) place(span, false);
        lost_stalls(Column::StallSumCirr, Column::StallSumVrt);
        Spans waits = out_.stalls;
        waits.insert(waits.end(), out_.seek_waits.begin(), out_.seek_waits.end());
        normalize(waits);
        clip(seeks_, window);
        for (const Span& seek : seeks_) {
            const Spans rest = subtract({seek}, waits);
            // A seek that waited without saying so; else its remainder is merely not playing.
            if (total(rest) == seek.length() && !contains(out_.pauses, seek.begin)) {
                out_.seek_waits.push_back(seek);
            } else {
                out_.idle.insert(out_.idle.end(), rest.begin(), rest.end());
            }
        }
        sort_spans(out_.stalls);
        sort_spans(out_.seek_waits);
    }

    void place(const Span& span, bool stated_after_seek) {
        const bool seek = stated_after_seek || after_seek(span);
        (seek ? out_.seek_waits : out_.stalls).push_back(span);
    }

    /// Sums that the SDK carries tell of stalls whose own report and events were both lost.
    void lost_stalls(Column cirr, Column vrt) {
        if (!session_.cells.has(cirr) && !session_.cells.has(vrt)) return;
        std::int64_t sum = 0, cirr_max = 0, vrt_max = 0, at = 0;
        session_.cells.each([&](const Cell& cell) {
            std::int64_t* target = cell.column == cirr  ? &cirr_max
                                   : cell.column == vrt ? &vrt_max
                                                        : nullptr;
            if (target == nullptr || cell.value <= *target) return;
            *target = cell.value;
            at = static_cast<std::int64_t>(cell.minute) * 60'000;
        });
        for (const Span& span : out_.stalls) sum += span.length();
        for (const Span& span : out_.seek_waits) sum += span.length();
        const std::int64_t missing = cirr_max + vrt_max - sum;
        if (missing <= kSumSlackMs) return;
        const std::int64_t begin = std::max(out_.first_frame_ms, at);
        out_.stalls.push_back({begin, std::min(begin + missing, out_.play_end_ms)});
    }

    void pauses() {
        for (const Span& stated : pauses_stated_) {
            const bool known =
                std::any_of(out_.pauses.begin(), out_.pauses.end(), [&](const Span& pause) {
                    return pause.begin < stated.end && stated.begin < pause.end;
                });
            if (!known && !contains(ads_.blocked, stated.end - 1)) out_.pauses.push_back(stated);
        }
        if (!out_.started) {
            out_.pauses.clear();
            return;
        }
        clip(out_.pauses, {out_.first_frame_ms, out_.play_end_ms});
        sort_spans(out_.pauses);
    }

    static void sort_spans(Spans& spans) {
        std::sort(spans.begin(), spans.end(), [](const Span& left, const Span& right) {
            return left.begin != right.begin ? left.begin < right.begin : left.end < right.end;
        });
    }

    const Session& session_;
    const AdTimeline& ads_;
    const Options& options_;
    Playback out_;
    std::vector<StatedStall> stated_;
    Spans buffers_, seeks_, pauses_stated_;
    std::int64_t load_ms_ = -1, start_ms_ = -1, latency_ms_ = -1;
    std::int64_t pause_ms_ = -1, buffer_ms_ = -1, seek_ms_ = -1, played_after_ms_ = -1;
    double pause_played_s_ = -1;
};

}  // namespace

Playback smartsight_playback(const Session& session, const AdTimeline& ads,
                             const Options& options) {
    return SmartSightWalk(session, ads, options).run();
}

}  // namespace playhead::timeline
