#include "simulator/beacons.h"

#include <algorithm>

namespace playhead::simulator {
namespace {

struct Tick {
    std::int64_t at_ms;
    bool ping;
};

/// Periodic SmartSight records: the timer runs from START and from each RESUME; a tick at which the
/// playhead has not moved sends nothing; in a pause the compact SDK pings.
std::vector<Tick> smartsight_ticks(const Playback& playback, std::int64_t every_ms) {
    std::vector<Tick> ticks;
    if (!playback.played()) return ticks;
    std::int64_t next = playback.first_frame_ms + every_ms;
    std::int64_t last_position = -1;
    for (const Interval& interval : playback.intervals) {
        if (interval.end_ms <= playback.first_frame_ms) continue;
        if (interval.phase == Phase::Paused) {
            for (std::int64_t at = interval.start_ms + every_ms;
                 at < interval.end_ms && playback.wire == Wire::Compact; at += every_ms) {
                ticks.push_back({at, true});
            }
            next = interval.end_ms + every_ms;
            continue;
        }
        for (; next <= interval.end_ms; next += every_ms) {
            if (interval.phase != Phase::Playing) continue;
            const std::int64_t position = interval.position_ms + next - interval.start_ms;
            if (position != last_position) ticks.push_back({next, false});
            last_position = position;
        }
    }
    return ticks;
}

class Planner {
public:
    Planner(const BeaconOptions& options, Random random, Playback& playback)
        : options_(options), random_(random), playback_(playback) {}

    BeaconPlan run() {
        const bool smartsight = playback_.wire == Wire::Compact || playback_.wire == Wire::Long;
        drop(smartsight);
        if (smartsight) {
            list_smartsight();
        } else if (playback_.wire == Wire::CmcdEvent) {
            list_cmcd_event();
        } else {
            list_cmcd_query();
        }
        if (options_.application) list_application();
        order();
        if (smartsight) add_sums();
        add_sending();
        return std::move(plan_);
    }

private:
    void drop(bool smartsight);
    void list_smartsight();
    void list_intervals();
    void list_ads();
    void list_cmcd_event();
    void list_cmcd_query();
    void list_application();
    void order();
    void add_sums();
    void add_stats(Beacon& beacon, std::int64_t& last_stats_ms);
    void add_sending();

    Beacon& add(std::int64_t at_ms, BeaconKind kind, std::int32_t index = -1) {
        Beacon beacon;
        beacon.client_ms = at_ms;
        beacon.kind = kind;
        beacon.index = index;
        beacon.position_ms = playback_.position_at(at_ms);
        plan_.beacons.push_back(beacon);
        return plan_.beacons.back();
    }

    const BeaconOptions& options_;
    Random random_;
    Playback& playback_;
    BeaconPlan plan_;
    std::size_t download_ = 0;
    std::int32_t stats_shift_ = 0, stats_stall_ = 0;
    std::vector<std::pair<std::int64_t, std::int32_t>> finished_;  // time, interval
};

void Planner::drop(bool smartsight) {
    if (playback_.outcome != Outcome::Dropped) return;
    std::int64_t last = 0;
    if (smartsight) {
        const auto ticks = smartsight_ticks(playback_, options_.stats_interval_s * 1000LL);
        if (!ticks.empty()) last = ticks.back().at_ms;
    } else if (playback_.wire == Wire::CmcdEvent) {
        const std::int64_t every = options_.heartbeat_s * 1000LL;
        const std::int64_t beats = (playback_.end_ms - playback_.start_ms - 1) / every;
        last = playback_.start_ms + beats * every;
        if (last <= playback_.first_frame_ms) last = 0;
    } else {
        return;  // request mode has no final record to miss
    }
    if (last == 0) {
        playback_.outcome = Outcome::Stopped;
    } else {
        playback_.cut(last);
    }
}

void Planner::list_intervals() {
    for (std::size_t index = 0; index < playback_.intervals.size(); ++index) {
        const Interval& interval = playback_.intervals[index];
        const auto at = static_cast<std::int32_t>(index);
        const bool open = interval.end_ms >= playback_.end_ms;
        switch (interval.phase) {
            case Phase::SeekStalled:
                add(interval.start_ms, BeaconKind::SeekStart, at);
                add(interval.start_ms + 1, BeaconKind::BufferStart, at);
                if (!open) add(interval.end_ms - 1, BeaconKind::SeekEnd, at);
                break;
            case Phase::Stalled: add(interval.start_ms, BeaconKind::BufferStart, at); break;
            case Phase::Paused:
                add(interval.start_ms, BeaconKind::Pause, at);
                if (!open) {
                    add(interval.end_ms, BeaconKind::Resume, at).wait_ms =
                        static_cast<std::int32_t>(interval.duration_ms());
                }
                break;
            default: break;
        }
        const bool stall = interval.phase == Phase::Stalled || interval.phase == Phase::SeekStalled;
        if (stall && !open) {
            add(interval.end_ms, BeaconKind::BufferEnd, at);
            finished_.emplace_back(interval.end_ms, at);
        }
    }
}

void Planner::list_ads() {
    for (std::size_t pod = 0; pod < playback_.breaks.size(); ++pod) {
        const AdBreak& ad_break = playback_.breaks[pod];
        const auto pod_at = static_cast<std::int32_t>(pod);
        const auto put = [&](std::int64_t at_ms, BeaconKind kind, std::size_t ad) -> Beacon& {
            Beacon& beacon = add(at_ms, kind, static_cast<std::int32_t>(ad));
            beacon.pod = pod_at;
            return beacon;
        };
        put(ad_break.start_ms, BeaconKind::AdRequest, 0);
        put(ad_break.start_ms, BeaconKind::AdBreakStart, 0);
        for (std::size_t index = 0; index < ad_break.ads.size(); ++index) {
            const AdView& ad = ad_break.ads[index];
            put(ad.impression_ms, BeaconKind::AdImpression, index);
            if (ad.failed) {
                put(ad.end_ms, BeaconKind::AdError, index);
                continue;
            }
            put(ad.start_ms, BeaconKind::AdPlay, index).wait_ms =
                static_cast<std::int32_t>(ad.start_ms - ad.impression_ms);
            const BeaconKind quartiles[] = {BeaconKind::AdFirstQuartile, BeaconKind::AdMidpoint,
                                            BeaconKind::AdThirdQuartile};
            for (std::int64_t part = 1; part <= 3; ++part) {
                const std::int64_t at = ad.start_ms + ad.duration_ms * part / 4;
                if (at < ad.end_ms) put(at, quartiles[part - 1], index);
            }
            if (ad.click_ms != 0 && ad.click_ms < ad.end_ms) {
                put(ad.click_ms, BeaconKind::AdClick, index);
            }
            if (ad.skipped) put(ad.end_ms, BeaconKind::AdSkip, index);
            if (ad.completed) put(ad.end_ms, BeaconKind::AdComplete, index);
        }
        if (!ad_break.left) put(ad_break.end_ms, BeaconKind::AdBreakEnd, 0);
    }
}

void Planner::list_smartsight() {
    add(playback_.start_ms, BeaconKind::Load);
    for (std::size_t index = 0; index < playback_.shifts.size(); ++index) {
        // The long-key SDK has no such event; its switches show in STATS only.
        if (playback_.wire == Wire::Compact) {
            add(playback_.shifts[index].at_ms, BeaconKind::Rendition,
                static_cast<std::int32_t>(index));
        }
    }
    if (playback_.played()) {
        std::int64_t ad_ms = 0;
        for (const AdBreak& pod : playback_.breaks) {
            if (pod.ads.empty() || pod.ads.front().pod_index != 0) continue;
            ad_ms += pod.end_ms - pod.start_ms;
        }
        const std::int64_t wait = playback_.first_frame_ms - playback_.start_ms -
                                  (playback_.wire == Wire::Long ? ad_ms : 0);
        add(playback_.first_frame_ms, BeaconKind::Start).wait_ms = static_cast<std::int32_t>(wait);
    }
    list_intervals();
    list_ads();
    for (std::size_t index = 0; index < playback_.faults.size(); ++index) {
        if (playback_.wire == Wire::Long && !playback_.faults[index].fatal) continue;
        add(playback_.faults[index].at_ms, BeaconKind::Error, static_cast<std::int32_t>(index));
    }
    std::int64_t last = playback_.first_frame_ms;
    for (const Tick& tick : smartsight_ticks(playback_, options_.stats_interval_s * 1000LL)) {
        add(tick.at_ms, tick.ping ? BeaconKind::Ping : BeaconKind::Stats);
        last = tick.at_ms;
    }
    const bool says_end = playback_.outcome == Outcome::Completed ||
                          playback_.outcome == Outcome::Stopped ||
                          playback_.outcome == Outcome::StreamFailure;
    if (!says_end) return;
    if (playback_.end_ms - last >= 1000) add(playback_.end_ms, BeaconKind::Stats);
    add(playback_.end_ms,
        playback_.outcome == Outcome::Completed ? BeaconKind::Complete : BeaconKind::Ended);
}

void Planner::list_cmcd_event() {
    const auto state = [&](std::int64_t at_ms, char token) {
        add(at_ms, BeaconKind::State).state = token;
    };
    state(playback_.start_ms, 's');
    for (std::size_t index = 0; index < playback_.shifts.size(); ++index) {
        add(playback_.shifts[index].at_ms, BeaconKind::BitrateChange,
            static_cast<std::int32_t>(index));
    }
    for (const Interval& interval : playback_.intervals) {
        switch (interval.phase) {
            case Phase::Playing: state(interval.start_ms, 'p'); break;
            case Phase::Stalled: state(interval.start_ms, 'r'); break;
            case Phase::SeekStalled:
                state(interval.start_ms, 'k');
                if (interval.duration_ms() > 4) state(interval.start_ms + 3, 'r');
                break;
            case Phase::Paused: state(interval.start_ms, 'a'); break;
            default: break;
        }
    }
    for (std::size_t index = 0; index < playback_.downloads.size(); ++index) {
        const Download& download = playback_.downloads[index];
        add(download.start_ms + download.total_ms, BeaconKind::Response,
            static_cast<std::int32_t>(index));
    }
    const std::int64_t every = options_.heartbeat_s * 1000LL;
    const bool dropped = playback_.outcome == Outcome::Dropped;
    for (std::int64_t at = playback_.start_ms + every;
         dropped ? at <= playback_.end_ms : at < playback_.end_ms; at += every) {
        add(at, BeaconKind::Heartbeat);
    }
    for (std::size_t index = 0; index < playback_.faults.size(); ++index) {
        if (!playback_.faults[index].fatal) continue;
        add(playback_.faults[index].at_ms, BeaconKind::ErrorReport,
            static_cast<std::int32_t>(index));
    }
    switch (playback_.outcome) {
        case Outcome::Completed: state(playback_.end_ms, 'e'); break;
        case Outcome::StartupFailure:
        case Outcome::StreamFailure: state(playback_.end_ms, 'f'); break;
        case Outcome::Dropped: break;
        default: state(playback_.end_ms, 'q');
    }
}

void Planner::list_cmcd_query() {
    for (std::size_t index = 0; index < playback_.downloads.size(); ++index) {
        add(playback_.downloads[index].start_ms, BeaconKind::MediaRequest,
            static_cast<std::int32_t>(index));
    }
}

void Planner::list_application() {
    add(playback_.start_ms, BeaconKind::AppSessionStart);
    add(playback_.start_ms, BeaconKind::AppScreen);
    if (playback_.played()) add(playback_.first_frame_ms, BeaconKind::AppVideoStart);
    add(playback_.end_ms, BeaconKind::AppSessionEnd);
}

void Planner::order() {
    std::stable_sort(
        plan_.beacons.begin(), plan_.beacons.end(),
        [](const Beacon& left, const Beacon& right) { return left.client_ms < right.client_ms; });
    std::int32_t counter = 0;
    std::int32_t application = 0;
    std::int32_t shift = -1;
    char state = 's';
    for (Beacon& beacon : plan_.beacons) {
        const bool app = beacon.kind >= BeaconKind::AppSessionStart;
        beacon.counter = app ? application++ : counter++;
        if (beacon.kind == BeaconKind::State) state = beacon.state;
        beacon.state = state;
        while (shift + 1 < static_cast<std::int32_t>(playback_.shifts.size()) &&
               playback_.shifts[static_cast<std::size_t>(shift) + 1].at_ms <= beacon.client_ms) {
            ++shift;
        }
        if (shift >= 0) {
            beacon.rendition = playback_.shifts[static_cast<std::size_t>(shift)].rendition;
        }
    }
}

void Planner::add_sums() {
    for (const auto& [at, interval] : finished_) plan_.stalls.push_back(interval);
    std::int64_t stalled = 0, seek_stalled = 0, paused = 0;
    std::int64_t last_stats_ms = playback_.first_frame_ms;
    std::size_t finished = 0;
    std::int32_t up = 0, down = 0;
    for (Beacon& beacon : plan_.beacons) {
        // A stall enters the sums of the records after the one that ends it.
        while (finished < finished_.size() && finished_[finished].first < beacon.client_ms) {
            const Interval& interval =
                playback_.intervals[static_cast<std::size_t>(finished_[finished].second)];
            const bool seek = interval.phase == Phase::SeekStalled;
            (seek && playback_.wire == Wire::Long ? seek_stalled : stalled) +=
                interval.duration_ms() - (seek ? 1 : 0);
            ++finished;
        }
        if (beacon.kind == BeaconKind::Resume) {
            paused += beacon.wait_ms;
            last_stats_ms = beacon.client_ms;
        }
        if (beacon.kind == BeaconKind::Rendition && beacon.index > 0) {
            const auto at = static_cast<std::size_t>(beacon.index);
            ++(playback_.shifts[at].rendition > playback_.shifts[at - 1].rendition ? up : down);
        }
        beacon.stall_ms = static_cast<std::int32_t>(stalled);
        beacon.seek_stall_ms = static_cast<std::int32_t>(seek_stalled);
        beacon.up = up;
        beacon.down = down;
        beacon.interval_s = options_.stats_interval_s;
        if (playback_.played() && beacon.client_ms >= playback_.first_frame_ms) {
            beacon.play_s = static_cast<std::int32_t>(
                (beacon.client_ms - playback_.first_frame_ms - paused) / 1000);
        }
        add_stats(beacon, last_stats_ms);
    }
}

void Planner::add_stats(Beacon& beacon, std::int64_t& last_stats_ms) {
    std::int64_t sum = 0, count = 0;
    if (beacon.kind != BeaconKind::Stats) return;
    while (download_ < playback_.downloads.size()) {
        const Download& download = playback_.downloads[download_];
        if (download.start_ms + download.total_ms > beacon.client_ms) break;
        sum += download.throughput_kbps;
        ++count;
        ++download_;
    }
    beacon.kbps = static_cast<std::int32_t>(count > 0 ? sum / count : 0);
    beacon.interval_s = static_cast<std::int32_t>((beacon.client_ms - last_stats_ms) / 1000);
    last_stats_ms = beacon.client_ms;
    beacon.shift_begin = stats_shift_;
    while (stats_shift_ < static_cast<std::int32_t>(playback_.shifts.size()) &&
           playback_.shifts[static_cast<std::size_t>(stats_shift_)].at_ms <= beacon.client_ms) {
        ++stats_shift_;
    }
    beacon.shift_end = stats_shift_;
    beacon.stall_begin = stats_stall_;
    while (stats_stall_ < static_cast<std::int32_t>(finished_.size()) &&
           finished_[static_cast<std::size_t>(stats_stall_)].first <= beacon.client_ms) {
        ++stats_stall_;
    }
    beacon.stall_end = stats_stall_;
}

void Planner::add_sending() {
    for (Beacon& beacon : plan_.beacons) {
        beacon.send_ms = beacon.client_ms + options_.latency_min_ms +
                         static_cast<std::int64_t>(random_.exponential(options_.latency_mean_ms));
    }
}

}  // namespace

BeaconPlan plan_beacons(const BeaconOptions& options, Random random, Playback& playback) {
    return Planner(options, random, playback).run();
}

}  // namespace playhead::simulator
