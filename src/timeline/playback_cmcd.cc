// CMCD: player states say what happened. Without states (request mode, players that send none)
// playing time is an estimate from the media that was asked for.
#include <algorithm>

#include "timeline/playback.h"

namespace playhead::timeline {
namespace {

using model::PlayerState;

constexpr std::int64_t kPreloadMs = 500;  ///< a preload this close before a start belongs to it

enum class Phase : std::uint8_t { None, Startup, Playing, Stall, SeekWait, Paused, Idle };

class StateWalk {
public:
    StateWalk(const Session& session, const Options& options)
        : session_(session), options_(options) {}

    Playback run() {
        collect();
        out_.end_ms = session_.last_ms();
        for (const Mark& mark : states_) step(mark);
        // A fatal error that the player did not leave again is an end that was reported.
        out_.ended = last_ == PlayerState::Ended || last_ == PlayerState::Quit ||
                     last_ == PlayerState::FatalError;
        out_.complete = last_ == PlayerState::Ended;
        if (out_.ended) out_.end_ms = last_ms_;
        out_.play_end_ms = out_.end_ms;
        close(out_.end_ms);
        startup();
        failures();
        return std::move(out_);
    }

private:
    /// States in the order of their sequence numbers; a clock that steps back is held.
    void collect() {
        for (const Mark& mark : session_.marks) {
            if (mark.kind == MarkKind::State) states_.push_back(mark);
        }
        if (session_.streams.size() <= 1) {
            std::stable_sort(
                states_.begin(), states_.end(),
                [](const Mark& left, const Mark& right) { return left.order < right.order; });
        }
        std::int64_t newest = 0;
        for (Mark& mark : states_) {
            newest = std::max(newest, mark.time_ms);
            mark.time_ms = newest;
        }
    }

    void close(std::int64_t at) {
        if (at < since_ms_) at = since_ms_;
        const Span span{since_ms_, at};
        if (!out_.started) {
            if (phase_ == Phase::Paused) startup_pauses_.push_back(span);
            return;
        }
        switch (phase_) {
            case Phase::Stall: out_.stalls.push_back(span); break;
            case Phase::SeekWait: out_.seek_waits.push_back(span); break;
            case Phase::Paused: out_.pauses.push_back(span); break;
            case Phase::Idle: out_.idle.push_back(span); break;
            default: break;
        }
    }

    void enter(Phase phase, std::int64_t at) {
        if (phase == phase_) return;
        close(at);
        phase_ = phase;
        since_ms_ = at;
    }

    void ask(std::int64_t at) {
        out_.attempted = true;
        if (asked_ms_ < 0) asked_ms_ = at;
    }

    void step(const Mark& mark) {
        const std::int64_t at = mark.time_ms;
        const auto state = static_cast<PlayerState>(mark.aux);
        last_ = state;
        last_ms_ = at;
        const Phase waiting = out_.started ? Phase::Stall : Phase::Startup;
        switch (state) {
            case PlayerState::Preloading:
                if (preload_ms_ < 0) preload_ms_ = at;
                enter(out_.started ? Phase::Idle : Phase::None, at);
                break;
            case PlayerState::Starting:
                ask(at);
                enter(out_.started ? Phase::Idle : Phase::Startup, at);
                break;
            case PlayerState::Playing:
                out_.attempted = true;
                enter(Phase::Playing, at);
                if (!out_.started) {
                    out_.started = true;
                    out_.first_frame_ms = at;
                }
                break;
            case PlayerState::Seeking:
                if (out_.started) out_.seeks.push_back(at);
                if (!out_.started) ask(at);
                enter(out_.started ? Phase::SeekWait : Phase::Startup, at);
                break;
            case PlayerState::Rebuffering:
            case PlayerState::Waiting:
                if (!out_.started) ask(at);
                // Buffering that follows a seek, with no play between, is that seek's wait.
                if (phase_ != Phase::SeekWait) enter(waiting, at);
                break;
            case PlayerState::Paused: enter(Phase::Paused, at); break;
            case PlayerState::Ended:
            case PlayerState::FatalError:
            case PlayerState::Quit: enter(Phase::Idle, at); break;
            case PlayerState::None: break;
        }
    }

    void startup() {
        std::int64_t from = asked_ms_;
        if (preload_ms_ >= 0 && from >= 0 && preload_ms_ <= from &&
            from - preload_ms_ <= kPreloadMs) {
            from = preload_ms_;
        }
        out_.start_ms = from >= 0 ? from : out_.started ? out_.first_frame_ms : session_.first_ms();
        std::int64_t until = out_.started ? out_.first_frame_ms : out_.end_ms;
        if (!out_.started && last_ == PlayerState::FatalError) until = last_ms_;
        Spans paused = startup_pauses_;
        normalize(paused);
        const std::int64_t wait = total(subtract({{out_.start_ms, until}}, paused));
        out_.startup_wait_ms = out_.attempted ? wait : 0;
        if (out_.started && from >= 0) out_.startup_ms = wait;
        if (out_.startup_ms < 0 && out_.started && session_.startup_delay_ms >= 0) {
            out_.startup_ms = static_cast<std::int64_t>(session_.startup_delay_ms);
            out_.startup_wait_ms = out_.startup_ms;
        }
    }

    bool plays_after(std::int64_t at) const noexcept {
        return std::any_of(states_.begin(), states_.end(), [at](const Mark& mark) {
            return mark.time_ms > at && mark.aux == static_cast<std::uint8_t>(PlayerState::Playing);
        });
    }

    void failures() {
        // The last state but an end or a quit: a fatal state that the player left again was none.
        PlayerState final = PlayerState::None;
        std::int64_t final_ms = 0;
        for (const Mark& mark : states_) {
            const auto state = static_cast<PlayerState>(mark.aux);
            if (state == PlayerState::Quit) continue;
            final = state;
            final_ms = mark.time_ms;
        }
        const bool fatal_state = final == PlayerState::FatalError;
        bool counted = false;
        for (const Mark& mark : session_.marks) {
            if (mark.kind != MarkKind::Fatal && mark.kind != MarkKind::UnknownError) continue;
            Failure failure{mark.time_ms, false, mark.kind == MarkKind::Fatal, mark.aux != 0};
            const bool stops =
                fatal_state || mark.kind == MarkKind::Fatal || options_.unknown_errors_fatal;
            failure.terminal = !out_.complete && !plays_after(mark.time_ms) && stops &&
                               (fatal_state || phase_ != Phase::Playing);
            failure.fatal |= failure.terminal;
            if (failure.terminal) {
                out_.business = failure.business && (out_.business || !counted);
                counted = true;
                out_.failed = true;
            }
            out_.failures.push_back(failure);
        }
        if (fatal_state && !counted) {
            out_.failed = true;
            out_.failures.push_back({final_ms, true, true, false});
        }
    }

    const Session& session_;
    const Options& options_;
    Playback out_;
    std::vector<Mark> states_;
    Spans startup_pauses_;
    Phase phase_ = Phase::None;
    PlayerState last_ = PlayerState::None;
    std::int64_t since_ms_ = 0, last_ms_ = 0, asked_ms_ = -1, preload_ms_ = -1;
};

/// Estimate: the media asked for played, at most for as long as the session lasted.
Playback requests_playback(const Session& session) {
    Playback out;
    out.end_ms = session.last_ms();
    out.play_end_ms = out.end_ms;
    out.start_ms = session.first_ms();
    std::int64_t media_ms = 0;
    session.cells.each([&](const Cell& cell) {
        if (cell.column == Column::RequestMediaMs) media_ms += cell.value;
    });
    out.attempted = session.cmcd_requests || session.first_media_ms > 0;
    if (session.first_media_ms > 0) {
        out.started = true;
        out.first_frame_ms = session.first_media_ms;
        out.play_limit_ms = media_ms;
    }
    if (session.startup_delay_ms >= 0) {
        out.startup_ms = static_cast<std::int64_t>(session.startup_delay_ms);
        out.startup_wait_ms = out.startup_ms;
    }
    for (const Mark& mark : session.marks) {
        const auto length = static_cast<std::int64_t>(mark.value);
        if (mark.kind == MarkKind::StallStated && out.started) {
            out.stalls.push_back({mark.time_ms - length, mark.time_ms});
        }
        if (mark.kind == MarkKind::Fatal || mark.kind == MarkKind::UnknownError) {
            out.failures.push_back({mark.time_ms, !out.started, !out.started, mark.aux != 0});
            out.failed |= !out.started;
        }
    }
    clip(out.stalls, {out.first_frame_ms, out.play_end_ms});
    return out;
}

}  // namespace

Playback cmcd_playback(const Session& session, const AdTimeline&, const Options& options) {
    const bool states = std::any_of(session.marks.begin(), session.marks.end(),
                                    [](const Mark& mark) { return mark.kind == MarkKind::State; });
    return states ? StateWalk(session, options).run() : requests_playback(session);
}

}  // namespace playhead::timeline
