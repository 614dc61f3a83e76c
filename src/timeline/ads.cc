#include "timeline/ads.h"

#include <algorithm>

namespace playhead::timeline {
namespace {

constexpr double kCompleteShare = 0.9;
constexpr std::int64_t kCompleteWithinMs = 2'000;
const AdText kNoText;

class AdWalk {
public:
    AdWalk(const Session& session, std::int64_t end_ms) : session_(session), end_ms_(end_ms) {}

    AdTimeline run() {
        for (const Mark& mark : session_.marks) {
            if (mark.kind >= MarkKind::AdEnded && mark.kind <= MarkKind::AdClick) step(mark);
            if (mark.kind == MarkKind::Start || mark.kind == MarkKind::State) out_.waiting = false;
        }
        out_.on_screen = current_ != nullptr && current_->started && current_->open;
        if (current_ != nullptr) finish(end_ms_, false);
        if (break_ms_ >= 0) {
            out_.blocked.push_back({break_ms_, out_.on_screen ? end_ms_ : last_ad_end_ms_});
        }
        for (const Ad& ad : out_.ads) {
            if (ad.started) out_.blocked.push_back({ad.play_ms, ad.end_ms});
        }
        normalize(out_.blocked);
        return std::move(out_);
    }

private:
    const AdText* text_of(const Mark& mark) const noexcept {
        return mark.order < session_.ad_texts.size() ? &session_.ad_texts[mark.order] : &kNoText;
    }

    Ad* open(const Mark& mark) {
        // `current_` must not move; each ad has a mark of its own.
        if (out_.ads.empty()) {
            out_.ads.reserve(std::min(AdTimeline::kAdsMax, session_.marks.size()));
        }
        if (out_.ads.size() >= AdTimeline::kAdsMax) return nullptr;
        out_.ads.emplace_back();
        out_.ads.back().text = text_of(mark);
        out_.ads.back().open = true;
        return &out_.ads.back();
    }

    void begin_play(const Mark& mark) {
        if (current_ != nullptr && current_->started) finish(mark.time_ms, false);
        if (current_ == nullptr) current_ = open(mark);
        if (current_ == nullptr) return;
        // The record of the impression may still describe the ad before: this one is right.
        current_->text = text_of(mark);
        current_->started = true;
        current_->play_ms = mark.time_ms;
        if (mark.value >= 0) {
            current_->load_ms = static_cast<std::int64_t>(mark.value);
        } else if (current_->impression) {
            current_->load_ms = mark.time_ms - current_->impression_ms;
        }
        if (out_.first_load_ms < 0) out_.first_load_ms = current_->load_ms;
        out_.waiting = false;
    }

    /// An ad whose first frame was not reported but later records were.
    Ad* shown(const Mark& mark) {
        if (mark.kind == MarkKind::AdProgress && current_ == nullptr) return nullptr;
        if (current_ == nullptr || !current_->started) {
            Mark play = mark;
            play.value = -1;
            begin_play(play);
            if (current_ != nullptr) current_->load_ms = -1;
        }
        return current_;
    }

    void close_pause(std::int64_t at, double stated) {
        if (stated >= 0) {
            current_->pauses.push_back({at - static_cast<std::int64_t>(stated), at});
        } else if (pause_ms_ >= 0) {
            current_->pauses.push_back({pause_ms_, at});
        }
        pause_ms_ = -1;
    }

    void close_stall(std::int64_t at) {
        if (stall_ms_ >= 0) current_->stalls.push_back({stall_ms_, at});
        stall_ms_ = -1;
    }

    void finish(std::int64_t at, bool complete) {
        Ad& ad = *current_;
        if (pause_ms_ >= 0) close_pause(at, -1);
        if (stall_ms_ >= 0) close_stall(at);
        if (ad.started) {
            ad.end_ms = std::max(at, ad.play_ms);
            const Span window{ad.play_ms, ad.end_ms};
            clip(ad.pauses, window);
            normalize(ad.pauses);
            clip(ad.stalls, window);
            ad.stalls = subtract(ad.stalls, ad.pauses);
            normalize(ad.stalls);
            ad.playing = subtract(subtract({window}, ad.pauses), ad.stalls);
            const std::int64_t duration = static_cast<std::int64_t>(ad.text->duration_s * 1000);
            const std::int64_t played = total(ad.playing);
            const bool through =
                duration > 0 &&
                (static_cast<double>(played) >= kCompleteShare * static_cast<double>(duration) ||
                 (duration > 2 * kCompleteWithinMs && played >= duration - kCompleteWithinMs));
            ad.completed = complete || (ad.ended && through && !ad.skipped);
            last_ad_end_ms_ = ad.end_ms;
        } else {
            ad.end_ms = at;
        }
        ad.open = false;
        current_ = nullptr;
    }

    void step(const Mark& mark) {
        const std::int64_t at = mark.time_ms;
        switch (mark.kind) {
            case MarkKind::AdRequest: out_.waiting = true; break;
            case MarkKind::AdBreakStart:
                if (break_ms_ < 0) {
                    break_ms_ = at;
                    last_ad_end_ms_ = at;
                }
                out_.waiting = true;
                break;
            case MarkKind::AdBreakEnd:
                if (current_ != nullptr) finish(at, false);
                if (break_ms_ >= 0) out_.blocked.push_back({break_ms_, at});
                break_ms_ = -1;
                out_.waiting = false;
                break;
            case MarkKind::AdImpression:
                if (current_ != nullptr) finish(at, false);
                current_ = open(mark);
                if (current_ != nullptr) {
                    current_->impression = true;
                    current_->impression_ms = at;
                }
                break;
            case MarkKind::AdPlay: begin_play(mark); break;
            case MarkKind::AdError:
                if (current_ == nullptr) current_ = open(mark);
                if (current_ == nullptr) break;
                current_->failed = true;
                current_->text = text_of(mark);
                finish(at, false);
                break;
            default: on_screen_step(mark); break;
        }
    }

    void on_screen_step(const Mark& mark) {
        const bool ends = mark.kind == MarkKind::AdEnded || mark.kind == MarkKind::AdComplete ||
                          mark.kind == MarkKind::AdSkip;
        // An end repeated after the end says nothing about a new ad.
        if (current_ == nullptr && (ends || mark.kind == MarkKind::AdClick)) {
            if (mark.kind == MarkKind::AdClick && !out_.ads.empty()) {
                out_.ads.back().clicked = true;
            }
            return;
        }
        Ad* ad = shown(mark);
        if (ad == nullptr) return;
        switch (mark.kind) {
            case MarkKind::AdFirstQuartile: ad->first_quartile = true; break;
            case MarkKind::AdMidpoint: ad->midpoint = true; break;
            case MarkKind::AdThirdQuartile: ad->third_quartile = true; break;
            case MarkKind::AdClick: ad->clicked = true; break;
            case MarkKind::AdPause:
                if (pause_ms_ < 0) pause_ms_ = mark.time_ms;
                break;
            case MarkKind::AdResume: close_pause(mark.time_ms, mark.value); break;
            case MarkKind::AdBufferStart:
                if (stall_ms_ < 0) stall_ms_ = mark.time_ms;
                break;
            case MarkKind::AdBufferEnd: close_stall(mark.time_ms); break;
            case MarkKind::AdSkip:
                ad->skipped = true;
                finish(mark.time_ms, false);
                break;
            case MarkKind::AdEnded:
            case MarkKind::AdComplete:
                ad->ended = true;
                finish(mark.time_ms, mark.kind == MarkKind::AdComplete);
                break;
            default: break;
        }
    }

    const Session& session_;
    const std::int64_t end_ms_;
    AdTimeline out_;
    Ad* current_ = nullptr;
    std::int64_t break_ms_ = -1, pause_ms_ = -1, stall_ms_ = -1, last_ad_end_ms_ = 0;
};

}  // namespace

AdTimeline ads_of(const Session& session, std::int64_t end_ms) {
    if (session.ad_texts.empty()) return {};
    return AdWalk(session, end_ms).run();
}

}  // namespace playhead::timeline
