#include "simulator/player.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace playhead::simulator {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max() / 4;
constexpr std::int64_t kSegmentMs = 4000;
constexpr std::int64_t kBufferTargetMs = 30'000;
constexpr std::int64_t kLiveBufferTargetMs = 12'000;
constexpr std::int64_t kSessionMsMax = 5 * 3'600'000LL;
constexpr std::int64_t kPauseMsMax = 20 * 60'000;
constexpr std::int64_t kMidrollEveryMs = 10 * 60'000;

struct FaultText {
    const char* code;
    const char* message;
};
constexpr std::array kStartupFaults{FaultText{"1001", "manifest could not be loaded"},
                                    FaultText{"3016", "video decoder failed"},
                                    FaultText{"6007", "licence request failed"}};
constexpr std::array kBusinessFaults{FaultText{"4031", "too many concurrent streams"},
                                     FaultText{"4032", "not available in your country"}};
constexpr std::array kStreamFaults{FaultText{"1002", "segment could not be loaded"},
                                   FaultText{"3015", "append to source buffer failed"}};
constexpr FaultText kWarningFault{"2104", "segment retried"};

enum Action : std::size_t { Pause, Seek, Midroll, Leave, Fatal, Warn, kActions };

class Player {
public:
    Player(const World& world, const PlayerOptions& options,
           const std::vector<const Incident*>& incidents, Random random, Playback& out)
        : world_(world),
          options_(options),
          incidents_(incidents),
          random_(random),
          out_(out),
          asset_(world.assets()[out.asset]),
          network_(world.countries()[out.country].networks[out.viewer.network]),
          device_(world.devices()[out.viewer.device]),
          cdn_(world.cdns()[out.cdn]),
          ladder_(world.ladder(asset_.has_fps50)) {}

    void run() {
        prepare();
        advance(now_ + manifest_ms_);
        while (!over_) step();
        if (out_.outcome == Outcome::Stopped && random_.chance(options_.dropped_share)) {
            out_.outcome = Outcome::Dropped;
        }
        const double share = network_.network_type == "Cellular_LTE" ? 0.0015 : 0.0004;
        out_.frames_dropped = static_cast<std::int32_t>(random_.exponential(share) * 0.025 *
                                                        static_cast<double>(played_));
    }

private:
    void prepare();
    void plan_actions();
    void step();
    void advance(std::int64_t until);
    std::int64_t play_until(std::int64_t until);
    void act();
    void pause();
    void seek();
    void arrive(std::int32_t rendition, std::int64_t media_ms);
    void begin_playing();
    void start_break(bool preroll);
    void play_ad(AdBreak& pod, AdView& ad);
    std::int32_t select() const;
    double throughput_kbps();
    void enter(Phase phase);
    void close_interval();
    void fault(bool fatal, bool business, FaultText text);
    void finish(Outcome outcome);

    std::int64_t exponential_ms(double mean_minutes) {
        return static_cast<std::int64_t>(random_.exponential(mean_minutes * 60'000)) + 500;
    }
    std::int64_t buffer_ms() const { return appended_ - consumed_; }

    const World& world_;
    const PlayerOptions& options_;
    const std::vector<const Incident*>& incidents_;
    Random random_;
    Playback& out_;
    const Asset& asset_;
    const Network& network_;
    const Device& device_;
    const Cdn& cdn_;
    const std::vector<Rendition>& ladder_;

    Phase phase_ = Phase::Startup;
    std::int64_t now_ = 0, phase_start_ = 0, phase_position_ = 0;
    std::int64_t position_ = 0;    // playhead
    std::int64_t next_media_ = 0;  // of the next segment
    std::int64_t appended_ = 0, consumed_ = 0, played_ = 0;
    std::int64_t manifest_ms_ = 0, patience_at_ = 0, wait_until_ = 0;
    std::int64_t fail_at_ = kNever;
    bool fail_business_ = false;
    std::array<std::int64_t, kActions> action_at_{};  // in played time
    struct Pending {
        std::int64_t at_consumed;
        std::int32_t rendition;
    };
    std::vector<Pending> pending_;  // shifts not yet on screen, oldest first
    std::size_t pending_head_ = 0;
    std::int32_t shown_ = -1, selected_ = -1;
    double estimate_kbps_ = 0, regime_ = 1, level_kbps_ = 0;
    std::int32_t segment_ = 0, pods_ = 0, height_max_ = 0;
    bool over_ = false, interrupted_ = false, urgent_ = true, starved_ = false;
};

void Player::prepare() {
    now_ = phase_start_ = out_.start_ms;
    level_kbps_ = network_.median_kbps * std::exp(network_.sigma * out_.viewer.network_quality) *
                  cdn_.throughput_factor;
    height_max_ = device_.height_max;
    manifest_ms_ = 150 + static_cast<std::int64_t>(4 * network_.rtt_ms +
                                                   450 * std::exp(random_.normal(0, 0.5)));
    const Trouble trouble = trouble_at(incidents_, now_);
    const double fail_share = 0.006 + cdn_.failure_share + trouble.failure_share;
    const double draw = random_.uniform();
    fail_business_ = draw >= fail_share && draw < fail_share + 0.003;
    if (draw < fail_share + 0.003) {
        fail_at_ = now_ + 100 + static_cast<std::int64_t>(random_.uniform() * 900);
    }
    const bool hasty = random_.chance(0.012);
    patience_at_ = now_ + static_cast<std::int64_t>(hasty ? random_.uniform(300, 3000)
                                                          : 6000 + random_.exponential(20'000));
    if (!asset_.is_live && random_.chance(0.15)) {  // continue watching
        position_ = next_media_ =
            static_cast<std::int64_t>(random_.uniform(0.05, 0.7) *
                                      static_cast<double>(asset_.duration_ms)) /
            kSegmentMs * kSegmentMs;
    }
    out_.live_latency_ms =
        asset_.is_live ? 14'000 + static_cast<std::int32_t>(random_.uniform() * 16'000) : 0;
    phase_position_ = position_;
    plan_actions();
}

void Player::plan_actions() {
    action_at_.fill(kNever);
    action_at_[Pause] = exponential_ms(asset_.is_live ? 90 : 25);
    if (!asset_.is_live) action_at_[Seek] = exponential_ms(22);
    const bool with_ads = options_.ads && out_.viewer.type != "Paid" &&
                          (out_.wire == Wire::Compact || out_.wire == Wire::Long);
    if (with_ads && !asset_.is_live) action_at_[Midroll] = kMidrollEveryMs;
    action_at_[Warn] = exponential_ms(150);
    action_at_[Fatal] = exponential_ms(2500 / (1 + 150 * cdn_.failure_share));
    const double stay = options_.watch_factor;
    if (asset_.is_live) {
        action_at_[Leave] = exponential_ms(22 * stay);
    } else if (!random_.chance(0.4)) {
        action_at_[Leave] =
            exponential_ms(0.3 * stay * static_cast<double>(asset_.duration_ms) / 60'000.0);
    }
}

/// One segment: wait for room, choose, download, append.
void Player::step() {
    interrupted_ = false;
    if (now_ - out_.start_ms > kSessionMsMax) {
        if (phase_ == Phase::Startup)
            finish(Outcome::ExitBeforeStart);
        else
            finish(Outcome::Stopped);
        return;
    }
    const std::int64_t target = asset_.is_live ? kLiveBufferTargetMs : kBufferTargetMs;
    const bool all_loaded = !asset_.is_live && next_media_ >= asset_.duration_ms;
    if (all_loaded || buffer_ms() > target - kSegmentMs) {
        advance(all_loaded ? now_ + kNever / 2 : now_ + buffer_ms() - (target - kSegmentMs));
        return;
    }
    const std::int64_t media =
        asset_.is_live ? kSegmentMs : std::min(kSegmentMs, asset_.duration_ms - next_media_);
    const std::int32_t rendition = select();
    if (out_.wire == Wire::CmcdEvent && rendition != selected_) {
        out_.shifts.push_back({now_, rendition});
        shown_ = rendition;
    }
    selected_ = rendition;
    const double kbps = throughput_kbps();
    const double transfer =
        static_cast<double>(media) * ladder_[static_cast<std::size_t>(rendition)].kbps / kbps;
    const double first_byte = network_.rtt_ms * random_.uniform(1.0, 2.2);
    const auto total = static_cast<std::int64_t>(first_byte + transfer) + 1;
    const Download download{now_,
                            static_cast<std::int32_t>(first_byte),
                            static_cast<std::int32_t>(total),
                            rendition,
                            static_cast<std::int32_t>(media),
                            static_cast<std::int32_t>(kbps),
                            static_cast<std::int32_t>(buffer_ms()),
                            segment_++,
                            urgent_,
                            starved_};
    starved_ = false;
    advance(now_ + total);
    if (over_ || interrupted_) return;  // thrown away, as players do
    out_.downloads.push_back(download);
    const double weight = estimate_kbps_ == 0 ? 1 : 0.3;
    estimate_kbps_ += weight * (kbps - estimate_kbps_);
    arrive(rendition, media);
}

void Player::arrive(std::int32_t rendition, std::int64_t media_ms) {
    if (out_.wire != Wire::CmcdEvent) pending_.push_back({appended_, rendition});
    appended_ += media_ms;
    next_media_ += media_ms;
    urgent_ = false;
    if (phase_ == Phase::Startup) {
        if (shown_ < 0 && out_.wire != Wire::CmcdEvent) {  // reported before the first frame
            shown_ = rendition;
            out_.shifts.push_back({now_, rendition});
        }
        now_ += 20;
        const bool preroll = action_at_[Midroll] != kNever && random_.chance(0.6);
        if (preroll)
            start_break(true);
        else
            begin_playing();
    } else if (phase_ == Phase::Stalled || phase_ == Phase::SeekStalled) {
        enter(Phase::Playing);
    }
}

void Player::begin_playing() {
    out_.first_frame_ms = now_;
    enter(Phase::Playing);
}

std::int32_t Player::select() const {
    std::int32_t best = 0;
    const bool low = buffer_ms() < 8000;
    const double budget = estimate_kbps_ == 0 ? 2500 : estimate_kbps_ * (low ? 0.5 : 0.75);
    for (std::size_t index = 0; index < ladder_.size(); ++index) {
        if (ladder_[index].kbps <= budget && ladder_[index].height <= height_max_) {
            best = static_cast<std::int32_t>(index);
        }
    }
    // Hysteresis: up one step at a time and only with some buffer.
    if (selected_ >= 0 && best > selected_) best = low ? selected_ : selected_ + 1;
    return best;
}

double Player::throughput_kbps() {
    if (random_.chance(1.0 / 45)) {
        const double draw = random_.uniform();
        regime_ = draw < 0.80   ? std::exp(random_.normal(0, 0.2))
                  : draw < 0.96 ? random_.uniform(0.08, 0.4)
                                : random_.uniform(0.008, 0.05);
    } else if (regime_ < 0.4 && random_.chance(0.15)) {
        regime_ = 1;
    }
    const double noise = std::exp(random_.normal(0, 0.15));
    return std::max(40.0,
                    level_kbps_ * regime_ * noise * trouble_at(incidents_, now_).throughput_factor);
}

/// Lets time pass; returns early when the session ends or a seek makes the download useless.
void Player::advance(std::int64_t until) {
    while (now_ < until && !over_ && !interrupted_) {
        switch (phase_) {
            case Phase::Playing: now_ = play_until(until); break;
            case Phase::Startup:
            case Phase::Stalled:
            case Phase::SeekStalled: {
                const std::int64_t fails = phase_ == Phase::Startup ? fail_at_ : kNever;
                const std::int64_t next = std::min(fails, patience_at_);
                if (next > until) {
                    now_ = until;
                } else if (fails <= patience_at_) {
                    now_ = fails;
                    fault(true, fail_business_,
                          fail_business_ ? kBusinessFaults[random_.below(kBusinessFaults.size())]
                                         : kStartupFaults[random_.below(kStartupFaults.size())]);
                    finish(Outcome::StartupFailure);
                } else {
                    now_ = std::max(now_, patience_at_);
                    finish(phase_ == Phase::Startup ? Outcome::ExitBeforeStart : Outcome::Stopped);
                }
                break;
            }
            default:
                if (wait_until_ > until) {
                    now_ = until;
                } else {
                    now_ = wait_until_;
                    enter(Phase::Playing);
                }
        }
    }
    interrupted_ = interrupted_ && !over_;
}

/// Plays to the next thing that happens; returns the new time.
std::int64_t Player::play_until(std::int64_t until) {
    const auto next = std::min_element(action_at_.begin(), action_at_.end());
    std::int64_t span = std::min({until - now_, buffer_ms(), *next - played_});
    if (pending_head_ < pending_.size()) {
        span = std::min(span, pending_[pending_head_].at_consumed - consumed_);
    }
    span = std::max<std::int64_t>(span, 0);
    now_ += span;
    consumed_ += span;
    played_ += span;
    position_ += span;
    if (pending_head_ < pending_.size() && pending_[pending_head_].at_consumed <= consumed_) {
        const std::int32_t rendition = pending_[pending_head_++].rendition;
        if (rendition != shown_) out_.shifts.push_back({now_, rendition});
        shown_ = rendition;
    } else if (played_ >= *next) {
        act();
    } else if (buffer_ms() == 0 && now_ <= until) {
        if (!asset_.is_live && next_media_ >= asset_.duration_ms) {
            finish(Outcome::Completed);
        } else {
            starved_ = urgent_ = true;
            enter(Phase::Stalled);
            patience_at_ = now_ + 2000 + static_cast<std::int64_t>(random_.exponential(25'000));
            // Each stall costs patience: some of the remaining time is not watched.
            if (random_.chance(0.08)) {
                action_at_[Leave] = std::min(action_at_[Leave], played_ + exponential_ms(1));
            }
        }
    }
    return now_;
}

void Player::act() {
    const auto action = static_cast<Action>(std::min_element(action_at_.begin(), action_at_.end()) -
                                            action_at_.begin());
    switch (action) {
        case Pause: pause(); break;
        case Seek: seek(); break;
        case Midroll:
            action_at_[Midroll] = played_ + kMidrollEveryMs;
            start_break(false);
            break;
        case Leave: finish(Outcome::Stopped); break;
        case Fatal:
            fault(true, false, kStreamFaults[random_.below(kStreamFaults.size())]);
            finish(Outcome::StreamFailure);
            break;
        default:
            action_at_[Warn] = played_ + exponential_ms(150);
            fault(false, false, kWarningFault);
    }
}

void Player::pause() {
    action_at_[Pause] = played_ + exponential_ms(25);
    const double length = 35'000 * std::exp(random_.normal(0, 1.2));
    wait_until_ =
        now_ + std::clamp<std::int64_t>(static_cast<std::int64_t>(length), 800, kPauseMsMax);
    enter(Phase::Paused);
}

void Player::seek() {
    action_at_[Seek] = played_ + exponential_ms(random_.chance(0.4) ? 0.3 : 22);
    const bool forward = random_.chance(0.7);
    const double jump =
        forward ? random_.uniform(30'000, 600'000) : -random_.uniform(10'000, 60'000);
    const std::int64_t last = std::max<std::int64_t>(asset_.duration_ms - 20'000, 0);
    const std::int64_t to =
        std::clamp<std::int64_t>(position_ + static_cast<std::int64_t>(jump), 0, last);
    enter(Phase::SeekStalled);
    position_ = to;
    next_media_ = to;
    consumed_ = appended_;
    pending_.clear();
    pending_head_ = 0;
    patience_at_ = now_ + 5000 + static_cast<std::int64_t>(random_.exponential(25'000));
    urgent_ = true;
    interrupted_ = true;
}

/// The whole break is decided when it begins; playback waits for its end.
void Player::start_break(bool preroll) {
    AdBreak pod;
    pod.start_ms = now_;
    enter(Phase::AdBreak);
    const int length = 1 + static_cast<int>(random_.below(preroll ? 2 : 3));
    if (!preroll) ++pods_;
    for (int index = 1; index <= length && !pod.left; ++index) {
        AdView ad;
        ad.pod_index = preroll ? 0 : pods_;
        ad.pod_position = index;
        ad.pod_length = length;
        ad.creative = static_cast<std::int32_t>(random_.below(40));
        ad.duration_ms = 1000 * (random_.chance(0.5) ? 15 : random_.chance(0.5) ? 20 : 30);
        play_ad(pod, ad);
    }
    if (pod.left) {
        pod.end_ms = now_;
        out_.breaks.push_back(std::move(pod));
        finish(preroll ? Outcome::ExitBeforeStart : Outcome::Stopped);
        return;
    }
    now_ += 1;
    pod.end_ms = now_;
    out_.breaks.push_back(std::move(pod));
    if (preroll) {
        now_ += 1;
        begin_playing();
    } else {
        enter(Phase::Playing);
    }
    interrupted_ = true;  // time has passed beyond the download
}

void Player::play_ad(AdBreak& pod, AdView& ad) {
    now_ += 1;
    ad.impression_ms = now_;
    now_ += 60 + static_cast<std::int64_t>(random_.exponential(250));
    const double draw = random_.uniform();
    if (draw < 0.015) {
        ad.failed = true;
        ad.end_ms = now_;
        pod.ads.push_back(ad);
        return;
    }
    ad.start_ms = now_;
    enter(Phase::Ad);
    std::int64_t length = ad.duration_ms;
    if (draw < 0.10) {
        ad.skipped = true;
        length = 5000 + static_cast<std::int64_t>(random_.uniform() * 2000);
    } else if (draw < 0.13) {
        pod.left = true;
        length = static_cast<std::int64_t>(random_.uniform(0.05, 0.85) *
                                           static_cast<double>(ad.duration_ms));
    } else {
        ad.completed = true;
    }
    if (random_.chance(0.02)) ad.click_ms = now_ + length / 2 + 7;
    now_ += length;
    ad.end_ms = now_;
    pod.ads.push_back(ad);
    if (!pod.left) enter(Phase::AdBreak);
}

void Player::close_interval() {
    if (now_ > phase_start_) {
        out_.intervals.push_back({phase_, phase_start_, now_, phase_position_});
    }
}

void Player::enter(Phase phase) {
    close_interval();
    phase_ = phase;
    phase_start_ = now_;
    phase_position_ = position_;
}

void Player::fault(bool fatal, bool business, FaultText text) {
    out_.faults.push_back({now_, fatal, business, text.code, text.message});
}

void Player::finish(Outcome outcome) {
    close_interval();
    over_ = true;
    out_.outcome = outcome;
    out_.end_ms = now_;
    out_.position_ms = position_;
}

}  // namespace

std::vector<std::string> business_error_codes() {
    std::vector<std::string> codes;
    codes.reserve(std::size(kBusinessFaults));
    for (const FaultText& fault : kBusinessFaults) codes.emplace_back(fault.code);
    return codes;
}

void play(const World& world, const PlayerOptions& options,
          const std::vector<const Incident*>& incidents, Random random, Playback& playback) {
    Player(world, options, incidents, random, playback).run();
}

}  // namespace playhead::simulator
