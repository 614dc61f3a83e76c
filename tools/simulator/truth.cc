#include "simulator/truth.h"

#include <algorithm>

#include "simulator/writers.h"

namespace playhead::simulator {
namespace {

constexpr std::int64_t kAllTime = std::int64_t{1} << 60;

/// Clipped length.
std::int64_t overlap_ms(const Interval& interval, std::int64_t from, std::int64_t until) {
    return std::max<std::int64_t>(
        0, std::min(interval.end_ms, until) - std::max(interval.start_ms, from));
}

class Counter {
public:
    Counter(const World& world, const Playback& playback, std::int64_t from, std::int64_t until)
        : asset_(world.assets()[playback.asset]),
          ladder_(world.ladder(asset_.has_fps50)),
          playback_(playback),
          from_(from),
          until_(until) {}

    model::AdditiveCounters run() {
        add_intervals();
        add_shifts();
        add_life();
        add_ads();
        if (playback_.wire == Wire::CmcdEvent || playback_.wire == Wire::CmcdQuery) add_media();
        return counters_;
    }

private:
    bool inside(std::int64_t at) const { return at >= from_ && at < until_; }
    void add_intervals();
    void add_bitrate(const Interval& interval);
    void add_shifts();
    void add_life();
    void add_ads();
    void add_media();
    bool reached_the_end() const;

    const Asset& asset_;
    const std::vector<Rendition>& ladder_;
    const Playback& playback_;
    std::int64_t from_, until_;
    model::AdditiveCounters counters_;
    std::size_t shift_ = 0;  // of the interval being added: intervals come in order
};

void Counter::add_intervals() {
    std::int64_t before_ms = 0;
    const std::int64_t fps = playback_.wire == Wire::Compact ? ladder_.front().fps : 0;
    for (const Interval& interval : playback_.intervals) {
        const std::int64_t ms = overlap_ms(interval, from_, until_);
        const bool begins = inside(interval.start_ms);
        switch (interval.phase) {
            case Phase::Startup: counters_.startup_wait_ms += ms; break;
            case Phase::Playing:
                counters_.playing_ms += ms;
                before_ms += overlap_ms(interval, -kAllTime, from_);
                add_bitrate(interval);
                break;
            case Phase::Stalled:
                counters_.stall_ms += ms;
                counters_.stall_count += begins ? 1 : 0;
                break;
            case Phase::SeekStalled:
                counters_.seek_stall_ms += ms;
                counters_.seek_stall_count += begins ? 1 : 0;
                counters_.seek_count += begins ? 1 : 0;
                break;
            case Phase::Paused:
                counters_.pause_ms += ms;
                counters_.pause_count += begins ? 1 : 0;
                break;
            case Phase::Ad: counters_.ad_ms += ms; [[fallthrough]];
            case Phase::AdBreak:
                // A break before the first frame is part of the wait for it (observed: 1.3.15).
                if (!playback_.played() || interval.start_ms < playback_.first_frame_ms) {
                    if (playback_.wire != Wire::Long) counters_.startup_wait_ms += ms;
                }
                break;
        }
    }
    // A difference of whole frames, so that slices add up to the session.
    counters_.frames_total =
        fps * (before_ms + counters_.playing_ms) / 1000 - fps * before_ms / 1000;
    for (const Interval& interval : playback_.intervals) {  // once, where the first stall began
        if (interval.phase != Phase::Stalled) continue;
        counters_.buffered_plays = inside(interval.start_ms) ? 1 : 0;
        break;
    }
}

void Counter::add_bitrate(const Interval& interval) {
    const auto& shifts = playback_.shifts;
    const std::int64_t end = std::min(interval.end_ms, until_);
    std::int64_t at = std::max(interval.start_ms, from_);
    while (at < end) {
        while (shift_ + 1 < shifts.size() && shifts[shift_ + 1].at_ms <= at) ++shift_;
        if (shifts.empty() || shifts[shift_].at_ms > at) return;
        const std::int64_t until =
            shift_ + 1 < shifts.size() ? std::min(end, shifts[shift_ + 1].at_ms) : end;
        const Rendition& rendition = ladder_[static_cast<std::size_t>(shifts[shift_].rendition)];
        counters_.bitrate_kbit += rendition.kbps * (until - at);
        counters_.bitrate_ms += until - at;
        counters_.media_kbit += rendition.kbps * (until - at);
        counters_.media_ms += until - at;
        at = until;
    }
}

void Counter::add_shifts() {
    for (std::size_t index = 1; index < playback_.shifts.size(); ++index) {
        const Shift& shift = playback_.shifts[index];
        if (!inside(shift.at_ms)) continue;
        ++counters_.rendition_changes;
        ++(shift.rendition > playback_.shifts[index - 1].rendition ? counters_.up_shifts
                                                                   : counters_.down_shifts);
    }
}

void Counter::add_life() {
    if (inside(playback_.start_ms)) counters_.attempts = 1;
    if (playback_.played() && inside(playback_.first_frame_ms)) counters_.plays = 1;
    bool business = false;
    for (const Fault& fault : playback_.faults) {
        business = business || fault.business;
        // No wire but the compact one tells of warnings.
        if (!inside(fault.at_ms) || (!fault.fatal && playback_.wire != Wire::Compact)) continue;
        ++(fault.fatal ? counters_.fatal_errors : counters_.warnings);
    }
    // The end belongs to the range that holds the last millisecond.
    if (!inside(std::max(playback_.end_ms - 1, playback_.start_ms))) return;
    switch (playback_.outcome) {
        case Outcome::Completed:
        case Outcome::Stopped: counters_.ended_plays = 1; break;
        case Outcome::Dropped: counters_.dropped = 1; break;
        case Outcome::StartupFailure:
            (business ? counters_.startup_business_failures : counters_.startup_failures) = 1;
            break;
        case Outcome::StreamFailure:  // the player says that it ended, and why
            counters_.ended_plays = 1;
            counters_.instream_failures = 1;
            break;
        case Outcome::ExitBeforeStart: counters_.exits_before_start = 1; break;
    }
    if (reached_the_end()) counters_.completions = 1;
    if (playback_.wire == Wire::CmcdEvent) counters_.frames_dropped = playback_.frames_dropped;
}

/// 90 % of a VOD asset, wherever in it the session began.
bool Counter::reached_the_end() const {
    if (!playback_.played() || asset_.is_live) return false;
    std::int64_t furthest = 0;
    for (const Interval& interval : playback_.intervals) {
        const bool moves = interval.phase == Phase::Playing;
        furthest = std::max(furthest, interval.position_ms + (moves ? interval.duration_ms() : 0));
    }
    return playback_.outcome == Outcome::Completed || furthest * 10 >= asset_.duration_ms * 9;
}

void Counter::add_ads() {
    for (const AdBreak& pod : playback_.breaks) {
        if (inside(pod.start_ms)) {
            ++counters_.ad_requests;
            ++counters_.ad_breaks;
        }
        for (const AdView& ad : pod.ads) {
            counters_.ad_impressions += inside(ad.impression_ms) ? 1 : 0;
            counters_.ad_starts += ad.start_ms != 0 && inside(ad.start_ms) ? 1 : 0;
            counters_.ad_clicks +=
                ad.click_ms != 0 && ad.click_ms < ad.end_ms && inside(ad.click_ms) ? 1 : 0;
            if (!inside(ad.end_ms - 1)) continue;
            counters_.ad_completions += ad.completed ? 1 : 0;
            counters_.ad_skips += ad.skipped ? 1 : 0;
            counters_.ad_errors += ad.failed ? 1 : 0;
        }
        if (pod.left && inside(pod.end_ms - 1)) counters_.exits_during_ad = 1;
    }
}

void Counter::add_media() {
    for (const Download& download : playback_.downloads) {
        // When it was asked for: that is the time which CMCD states with a response as well.
        if (!inside(download.start_ms)) continue;
        const Rendition& rendition = ladder_[static_cast<std::size_t>(download.rendition)];
        counters_.bytes +=
            (static_cast<std::int64_t>(rendition.kbps) * download.duration_ms + 4) / 8;
        ++counters_.requests;
    }
}

std::vector<std::string_view> comparable_counters(const Playback& playback, bool preroll) {
    std::vector<std::string_view> names{"attempts", "beacons"};
    if (playback.wire == Wire::CmcdQuery) {
        names = {"bytes", "requests", "beacons"};
        return names;
    }
    names.insert(names.end(), {"plays",
                               "playing_ms",
                               "stall_ms",
                               "stall_count",
                               "seek_stall_ms",
                               "seek_stall_count",
                               "pause_ms",
                               "pause_count",
                               "seek_count",
                               "bitrate_kbit",
                               "bitrate_ms",
                               "media_kbit",
                               "media_ms",
                               "up_shifts",
                               "down_shifts",
                               "rendition_changes",
                               "fatal_errors",
                               "startup_failures",
                               "exits_before_start",
                               "dropped",
                               "buffered_plays",
                               "startup_business_failures"});
    // Before an exit nothing tells how long the viewer waited, but CMCD's `quit`.
    const bool waits = playback.played() || playback.outcome == Outcome::StartupFailure ||
                       playback.wire == Wire::CmcdEvent;
    if (waits && !preroll) names.emplace_back("startup_wait_ms");
    names.insert(names.end(), {"ended_plays", "instream_failures"});
    if (playback.wire == Wire::CmcdEvent) {
        names.insert(names.end(), {"bytes", "requests"});
        return names;
    }
    names.insert(names.end(),
                 {"ad_breaks", "ad_requests", "ad_impressions", "ad_starts", "ad_completions",
                  "ad_skips", "ad_clicks", "ad_errors", "completions"});
    // Nor how much of an ad was seen by who left in it before the first frame.
    if (playback.outcome != Outcome::ExitBeforeStart) names.emplace_back("ad_ms");
    if (playback.wire == Wire::Compact) names.emplace_back("warnings");
    return names;
}

void fill_dimensions(const World& world, const Playback& playback, model::Dimensions& out) {
    using model::Dimension;
    const auto set = [&](Dimension dimension, std::string_view value) {
        out[model::index_of(dimension)] = value;
    };
    const Asset& asset = world.assets()[playback.asset];
    const Country& country = world.countries()[playback.country];
    const Network& network = country.networks[playback.viewer.network];
    const Device& device = world.devices()[playback.viewer.device];
    set(Dimension::AssetId, asset.id);
    set(Dimension::Country, country.code);
    set(Dimension::Continent, country.continent);
    set(Dimension::Region, network.region);
    set(Dimension::City, network.city);
    set(Dimension::Isp, network.isp);
    if (playback.wire == Wire::CmcdEvent || playback.wire == Wire::CmcdQuery) return;
    std::string subscriber = playback.viewer.id;
    if (playback.wire == Wire::Long) {
        subscriber.clear();
        append_id(playback.viewer.id, 0, subscriber);
    }
    set(Dimension::SubscriberId, subscriber);
    set(Dimension::SubscriberType, playback.viewer.type);
    set(Dimension::SubscriberTag, playback.viewer.tag);
    set(Dimension::DeviceId, playback.viewer.device_id);
    set(Dimension::ExperimentName, playback.viewer.experiment);
    set(Dimension::AssetName, asset.name);
    set(Dimension::VideoId, asset.video_id);
    set(Dimension::SeriesTitle, asset.series);
    set(Dimension::Season, asset.season);
    set(Dimension::EpisodeNumber, asset.episode);
    set(Dimension::Genre, asset.genre);
    set(Dimension::ContentType, asset.content_type);
    set(Dimension::DrmProtection, asset.drm);
    set(Dimension::Player, device.player);
    set(Dimension::PlayerVersion, device.player_version);
    set(Dimension::AppName, device.app);
    set(Dimension::AppVersion, device.app_version);
    set(Dimension::Platform, device.platform);
    if (playback.wire == Wire::Compact) set(Dimension::OsVersion, device.os_version);
    set(Dimension::Device, device.category);
    set(Dimension::Brand, device.brand);
    set(Dimension::Model, device.model);
    set(Dimension::DeviceMarketingName, device.marketing_name);
    if (playback.wire == Wire::Long) set(Dimension::StreamFormat, "HLS");
    if (playback.outcome == Outcome::ExitBeforeStart ||
        playback.outcome == Outcome::StartupFailure) {
        // ONLOAD lacks these; a later record (a first rendition, an error) may carry them.
        if (playback.shifts.empty() && playback.faults.empty()) return;
    }
    set(Dimension::StreamFormat, "HLS");
    set(Dimension::Cdn, world.cdns()[playback.cdn].name);
    set(Dimension::SourceHostName, world.cdns()[playback.cdn].host);
    set(Dimension::NwType, network.network_type);
    set(Dimension::Operator, network.isp);
}

model::ViewStatus status_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::Dropped: return model::ViewStatus::Dropped;
        case Outcome::StartupFailure: return model::ViewStatus::Failed;
        case Outcome::ExitBeforeStart: return model::ViewStatus::Exited;
        default: return model::ViewStatus::Ended;
    }
}

}  // namespace

model::AdditiveCounters count_range(const World& world, const Playback& playback,
                                    std::int64_t from_ms, std::int64_t until_ms) {
    return Counter(world, playback, from_ms, until_ms).run();
}

Truth make_truth(const World& world, std::uint64_t customer_id, const Playback& playback,
                 const BeaconPlan& plan) {
    Truth truth;
    truth.customer_id = customer_id;
    truth.session_id = playback.session_id;
    truth.wire = playback.wire;
    truth.status = status_of(playback.outcome);
    truth.start_ms = playback.start_ms;
    truth.end_ms = playback.end_ms;
    truth.first_frame_ms = playback.first_frame_ms;
    truth.is_live = world.assets()[playback.asset].is_live;
    truth.asn = world.countries()[playback.country].networks[playback.viewer.network].asn;
    truth.counters = count_range(world, playback, -kAllTime, kAllTime);
    if (playback.played() && playback.wire != Wire::CmcdQuery) {
        truth.startup_ms = playback.first_frame_ms - playback.start_ms;
    }
    for (const Beacon& beacon : plan.beacons) {
        if (beacon.kind >= BeaconKind::AppSessionStart)
            ++truth.application_events;
        else
            ++truth.counters.beacons;
        if (beacon.kind == BeaconKind::Start) truth.startup_ms = beacon.wait_ms;
    }
    const bool preroll = !playback.breaks.empty() && !playback.breaks.front().ads.empty() &&
                         playback.breaks.front().ads.front().pod_index == 0;
    truth.comparable = comparable_counters(playback, preroll);
    fill_dimensions(world, playback, truth.dimensions);
    truth.playback = playback;
    return truth;
}

void TruthTotals::add(const Truth& truth) {
    std::int64_t bucket = truth.start_ms - truth.start_ms % bucket_ms_;
    Key key{truth.dimensions[model::index_of(dimension_)], bucket};
    if (groups_.size() >= kGroupsMax && !groups_.contains(key)) key = {"(rest)", 0};
    Group& group = groups_[key];
    ++group.sessions;
    group.counters += truth.counters;
    ++total_.sessions;
    total_.counters += truth.counters;
}

}  // namespace playhead::simulator
