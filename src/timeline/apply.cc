// Turns one record into marks, sums and attributes of its session. Every change here must be
// commutative and idempotent: sums only after the repeat check, else maxima, newest or sorted sets.
#include <algorithm>
#include <cmath>

#include "timeline/repeats.h"
#include "timeline/session.h"

namespace playhead::timeline {
namespace {

using model::Event;
using model::EventKind;
using model::Measure;
using model::Protocol;

constexpr std::int64_t kClockAheadMs = 2'000;
constexpr std::int64_t kOffsetMaxMs = 86'400'000;
constexpr double kMeasureMax = 1e12;
/// s, of a position or of time played: three years.
constexpr double kPositionMax_s = 1e8;
constexpr double kKbpsMax = 1e7;
constexpr double kWaitMaxMs =
    86'400'000;  ///< a stall, pause or startup longer than this is not one

bool is_ad(EventKind kind) noexcept {
    return kind >= EventKind::AdRequest && kind <= EventKind::AdComplete;
}

/// The record's time by the client's clock, made acceptable (docs/decisions/0004-clock.md).
std::int64_t accept_time(Session& session, const Event& event, const Options& options) {
    const std::int64_t client = event.client_ms > 0 ? event.client_ms : 0;
    if (session.first_receive_ms == 0 || event.receive_ms < session.first_receive_ms ||
        (event.receive_ms == session.first_receive_ms && event.protocol < session.protocol)) {
        session.first_receive_ms = event.receive_ms;
        session.protocol = event.protocol;
    }
    if (client > 0 &&
        (session.first_timed_receive_ms == 0 || event.receive_ms < session.first_timed_receive_ms ||
         (event.receive_ms == session.first_timed_receive_ms &&
          client < session.first_client_ms))) {
        session.first_timed_receive_ms = event.receive_ms;
        session.first_client_ms = client;
        const std::int64_t ahead = client - event.receive_ms;
        const bool shift = ahead > kClockAheadMs && ahead <= kOffsetMaxMs;
        session.offset_ms = shift ? -ahead : 0;
    }
    session.last_receive_ms = std::max(session.last_receive_ms, event.receive_ms);
    std::int64_t at = client > 0 ? client + session.offset_ms : event.receive_ms;
    if (at > event.receive_ms + options.future_tolerance_ms ||
        at < event.receive_ms - options.retention_ms) {
        at = event.receive_ms;
        session.clock_rejected = true;
    }
    at -= session.offset_ms;
    // A mirrored request says nothing about where the player's clock is.
    if (event.protocol == Protocol::CmcdRequest && client == 0) return at;
    if (session.anchor_ms == 0) session.anchor_ms = at;
    const std::int64_t low = session.anchor_ms - Session::kSpanBeforeMaxMs;
    const std::int64_t high = session.anchor_ms + Session::kSpanAfterMaxMs;
    if (at < low || at > high) {
        session.clock_rejected = true;
        at = std::clamp(at, low, high);
    }
    return at;
}

std::int64_t own_time(const model::MeasureValue& measure, std::int64_t at) noexcept {
    const bool plausible = measure.client_ms > at - Session::kMeasureDriftMs &&
                           measure.client_ms < at + Session::kMeasureDriftMs;
    return plausible ? measure.client_ms : at;
}

bool is_wait(Measure id) noexcept {
    return id == Measure::StartupMs || id == Measure::StallMs || id == Measure::SeekStallMs ||
           id == Measure::PauseMs || id == Measure::StarvationMs ||
           id == Measure::MediaStartDelayMs;
}

double measure_of(const Event& event, Measure id, double otherwise) noexcept {
    for (const auto& measure : event.measures) {
        const double most = is_wait(id) ? kWaitMaxMs : kMeasureMax;
        if (measure.id == id && measure.value >= 0 && measure.value <= most) {
            return measure.value;
        }
    }
    return otherwise;
}

/// `dated`: the statement has a time of its own, which is `at`.
void apply_bitrate(Session& session, const Event& event, bool dated, std::int64_t at, double kbps) {
    if (kbps <= 0 || kbps > kKbpsMax) return;
    if (event.kind == EventKind::Rendition) {
        session.add_mark({at, kbps, 0, MarkKind::Rendition, 0});
        return;
    }
    // Playlists, audio and text have a bitrate too, which is not the picture's.
    const bool picture =
        event.object_type == 0 || event.object_type == 'v' || event.object_type == 'b';
    const bool mirrored = event.protocol == Protocol::CmcdRequest;
    if (!picture) return;
    if (dated && session.smartsight && session.marks.size() < Session::kDatedMarksMax) {
        session.add_mark({at, kbps, 0, MarkKind::RenditionRestated, kDatedPicture});
    } else {
        session.add_thin_mark(MarkKind::RenditionRestated, at, kbps,
                              mirrored ? kMirroredPicture : kOwnPicture);
    }
}

/// Measures that are added up.
void apply_sum(Session& session, const Event& event, Measure id, std::int64_t whole,
               std::int64_t at) {
    const bool response = event.kind == EventKind::Response;
    const bool request = event.kind == EventKind::Request;
    switch (id) {
        case Measure::BandwidthKbps:
            if (event.kind != EventKind::Stats) break;
            session.add(Column::throughput_kbit, at, whole);
            session.add(Column::throughput_count, at, 1);
            break;
        case Measure::ThroughputKbps:
            if (!response && !request) break;
            session.add(Column::throughput_kbit, at, whole);
            session.add(Column::throughput_count, at, 1);
            break;
        case Measure::SegmentBytes:
            session.add(request ? Column::RequestBytes : Column::bytes, at, whole);
            break;
        case Measure::ResponseCode:
            if (response && (whole == 0 || whole >= 400)) {
                session.add(Column::requests_failed, at, 1);
            }
            break;
        case Measure::LiveLatencyMs:
            session.add(Column::live_latency_sum_ms, at, whole);
            session.add(Column::live_latency_count, at, 1);
            break;
        default: break;
    }
}

void apply_measure(Session& session, const Event& event, const model::MeasureValue& measure,
                   std::int64_t at) {
    if (measure.id == Measure::TotalDurationS && std::isfinite(measure.value)) {
        session.duration.update(at, std::clamp(measure.value, -1.0, 1e9));
        return;
    }
    const double value = measure.value;
    if (!(value >= 0) || value > kMeasureMax) return;
    if (is_wait(measure.id) && value > kWaitMaxMs) return;
    const auto whole = static_cast<std::int64_t>(std::llround(value));
    const std::int64_t own = own_time(measure, at);
    switch (measure.id) {
        case Measure::StallMs:
        case Measure::StarvationMs:
            session.add_mark({own, value, 0, MarkKind::StallStated, 0});
            break;
        case Measure::SeekStallMs:
            session.add_mark({own, value, 0, MarkKind::SeekStallStated, 0});
            break;
        case Measure::PauseMs:
            if (event.kind == EventKind::Stats) {
                session.add_mark({own, value, 0, MarkKind::PauseStated, 0});
            }
            break;
        case Measure::StallSumCirrMs: session.raise(Column::StallSumCirr, at, whole); break;
        case Measure::StallSumVrtMs: session.raise(Column::StallSumVrt, at, whole); break;
        case Measure::UpShifts: session.raise(Column::UpShiftsMax, own, whole); break;
        case Measure::DownShifts: session.raise(Column::DownShiftsMax, own, whole); break;
        case Measure::FramesDropped: session.raise(Column::DroppedFramesMax, own, whole); break;
        case Measure::ProgressPercent:
            if (!is_ad(event.kind) && event.kind != EventKind::Start &&
                event.kind != EventKind::Rendition) {
                session.add_peak_mark(MarkKind::Progress, at, std::min(value, 100.0));
            }
            break;
        case Measure::BitrateKbps:
            apply_bitrate(session, event, measure.client_ms != 0, own, value);
            break;
        case Measure::Fps:
            session.add_thin_mark(MarkKind::Fps, own, std::min(value, 1000.0));
            break;
        case Measure::TopBitrateKbps: session.top_kbps = std::max(session.top_kbps, value); break;
        case Measure::MediaStartDelayMs:
            session.startup_delay_ms = std::max(session.startup_delay_ms, value);
            break;
        case Measure::PlayRate:
            if (event.kind == EventKind::Rate && value > 0) {
                session.add_mark({at, std::min(value, 16.0), 0, MarkKind::Rate, 0});
            }
            break;
        default: apply_sum(session, event, measure.id, whole, at); break;
    }
}

std::uint32_t ad_text_of(Session& session, const Event& event) {
    AdText text;
    if (event.ad) {
        const auto cut = [](std::string_view value) {
            return std::string(cut_text(value, model::kDimensionValueBytesMax));
        };
        const model::AdFacts& ad = *event.ad;
        text.id = cut(ad.id);
        text.title = cut(ad.title);
        text.client = cut(ad.client);
        text.system = cut(ad.system);
        text.position = cut(ad.position);
        text.creative_id = cut(ad.creative_id);
        text.creative_type = cut(ad.creative_type);
        text.resolution = cut(ad.resolution);
        text.linear = cut(ad.linear);
        text.duration_s = ad.duration_s >= 0 && ad.duration_s < 1e6 ? ad.duration_s : 0;
        text.pod_index = ad.pod_index;
        text.pod_position = ad.pod_position;
        text.is_bumper = ad.is_bumper;
    }
    if (event.kind == EventKind::AdError) {
        text.error_code = cut_text(event.error.code, model::kDimensionValueBytesMax);
        text.error_message = cut_text(event.error.message, model::kDimensionValueBytesMax);
    }
    const auto found = std::find(session.ad_texts.begin(), session.ad_texts.end(), text);
    if (found != session.ad_texts.end()) {
        return static_cast<std::uint32_t>(found - session.ad_texts.begin());
    }
    if (session.ad_texts.size() >= Session::kAdTextsMax) {
        ++session.refused;
        return static_cast<std::uint32_t>(session.ad_texts.size() - 1);
    }
    session.ad_texts.push_back(std::move(text));
    return static_cast<std::uint32_t>(session.ad_texts.size() - 1);
}

void apply_ad(Session& session, const Event& event, std::int64_t at) {
    static constexpr struct {
        EventKind from;
        MarkKind to;
        Column counter;
    } kTable[] = {
        {EventKind::AdRequest, MarkKind::AdRequest, Column::ad_requests},
        {EventKind::AdBreakStart, MarkKind::AdBreakStart, Column::ad_breaks},
        {EventKind::AdBreakEnd, MarkKind::AdBreakEnd, Column::End},
        {EventKind::AdImpression, MarkKind::AdImpression, Column::ad_impressions},
        {EventKind::AdPlay, MarkKind::AdPlay, Column::End},
        {EventKind::AdPlaying, MarkKind::AdProgress, Column::End},
        {EventKind::AdFirstQuartile, MarkKind::AdFirstQuartile, Column::End},
        {EventKind::AdMidpoint, MarkKind::AdMidpoint, Column::End},
        {EventKind::AdThirdQuartile, MarkKind::AdThirdQuartile, Column::End},
        {EventKind::AdPause, MarkKind::AdPause, Column::End},
        {EventKind::AdResume, MarkKind::AdResume, Column::End},
        {EventKind::AdBufferStart, MarkKind::AdBufferStart, Column::End},
        {EventKind::AdBufferEnd, MarkKind::AdBufferEnd, Column::End},
        {EventKind::AdClick, MarkKind::AdClick, Column::ad_clicks},
        {EventKind::AdSkip, MarkKind::AdSkip, Column::ad_skips},
        {EventKind::AdError, MarkKind::AdError, Column::ad_errors},
        {EventKind::AdEnded, MarkKind::AdEnded, Column::End},
        {EventKind::AdComplete, MarkKind::AdComplete, Column::End},
    };
    if (event.kind == EventKind::AdResponse) session.add(Column::ad_responses, at, 1);
    for (const auto& row : kTable) {
        if (row.from != event.kind) continue;
        if (row.counter != Column::End) session.add(row.counter, at, 1);
        double value = -1;
        if (event.kind == EventKind::AdPlay) value = measure_of(event, Measure::StartupMs, -1);
        if (event.kind == EventKind::AdResume) value = measure_of(event, Measure::PauseMs, -1);
        if (event.kind == EventKind::AdPlaying) {
            // A keep-alive only says that the ad was on screen: one per minute is enough.
            session.add_thin_mark(MarkKind::AdProgress, at, -1);
            return;
        }
        session.add_mark({at, value, ad_text_of(session, event), row.to, 0});
        return;
    }
}

void apply_error(Session& session, const Event& event, std::int64_t at, const Options& options) {
    if (event.error.severity == model::Severity::Warning) {
        session.add(Column::warnings, at, 1);
        return;
    }
    const bool fatal = event.error.severity == model::Severity::Fatal;
    const bool business = options.business_errors.contains(event.error.code);
    session.add_mark({at, 0, static_cast<std::uint32_t>(record_identity(event)),
                      fatal ? MarkKind::Fatal : MarkKind::UnknownError,
                      static_cast<std::uint8_t>(business)});
    session.attributes.set(model::Dimension::ErrorCode, Source::Player, at, event.error.code);
    session.attributes.set(model::Dimension::ErrorMessage, Source::Player, at, event.error.message);
}

void apply_traffic(Session& session, const Event& event, std::int64_t at) {
    const double duration = std::min(measure_of(event, Measure::ObjectDurationMs, 0), 600'000.0);
    const bool sized = measure_of(event, Measure::SegmentBytes, -1) >= 0;
    const double kbps = std::min(measure_of(event, Measure::BitrateKbps, 0), kKbpsMax);
    const auto estimate = static_cast<std::int64_t>(sized ? 0 : duration * kbps / 8);
    const char type = event.object_type;
    const bool media = type == 'v' || type == 'b' || type == 'a' || type == 'i' || type == 'c';
    if (event.kind == EventKind::Response) {
        session.add(Column::requests, at, 1);
        if (media || type == 0) session.add(Column::bytes, at, estimate);
        return;
    }
    if (!media) return;
    session.add(Column::RequestCount, at, 1);
    session.add(Column::RequestBytes, at, estimate);
    if (event.flag) session.add(Column::RequestStarved, at, 1);
    if (type != 'v' && type != 'b') return;
    session.add(Column::RequestMediaMs, at, std::llround(duration));
    if (session.first_media_ms == 0 || at < session.first_media_ms) session.first_media_ms = at;
}

void apply_report(Session& session, const Event& event, std::int64_t at) {
    if (at > session.last_stats_ms) {
        session.previous_stats_ms = session.last_stats_ms;
        session.last_stats_ms = at;
    } else if (at < session.last_stats_ms && at > session.previous_stats_ms) {
        session.previous_stats_ms = at;
    }
    if (!(event.play_duration_s > 0) || event.play_duration_s > kPositionMax_s) return;
    session.played_max_s = std::max(session.played_max_s, event.play_duration_s);
    const std::int64_t began = at - static_cast<std::int64_t>(event.play_duration_s * 1000);
    if (session.play_anchor_ms == 0 || began < session.play_anchor_ms) {
        session.play_anchor_ms = began;
    }
}

void apply_kind(Session& session, const Event& event, std::int64_t at, const Options& options) {
    const auto mark = [&](MarkKind kind, double value = -1) {
        session.add_mark({at, value, 0, kind, 0});
    };
    const double played = event.play_duration_s >= 0 && event.play_duration_s < kPositionMax_s
                              ? event.play_duration_s
                              : -1;
    switch (event.kind) {
        case EventKind::Load: mark(MarkKind::Load); break;
        case EventKind::Start:
            mark(MarkKind::Start, measure_of(event, Measure::StartupMs, -1));
            break;
        case EventKind::Pause: mark(MarkKind::Pause, played); break;
        case EventKind::Resume:
            mark(MarkKind::Resume, measure_of(event, Measure::PauseMs, -1));
            break;
        case EventKind::BufferStart: mark(MarkKind::BufferStart); break;
        case EventKind::BufferEnd: mark(MarkKind::BufferEnd); break;
        case EventKind::SeekStart: mark(MarkKind::SeekStart); break;
        case EventKind::SeekEnd: mark(MarkKind::SeekEnd); break;
        case EventKind::Ended: mark(MarkKind::End); break;
        case EventKind::Complete: mark(MarkKind::Complete); break;
        case EventKind::State:
            session.add_mark({at, 0,
                              static_cast<std::uint32_t>(std::max<std::int64_t>(0, event.sequence)),
                              MarkKind::State, static_cast<std::uint8_t>(event.state)});
            break;
        case EventKind::Stats: apply_report(session, event, at); break;
        case EventKind::Response:
        case EventKind::Request: apply_traffic(session, event, at); break;
        case EventKind::CdnChange: session.add(Column::cdn_changes, at, 1); break;
        case EventKind::RequestFailed:
        case EventKind::RequestCancelled: session.add(Column::requests_failed, at, 1); break;
        case EventKind::Error: apply_error(session, event, at, options); break;
        default:
            if (is_ad(event.kind)) apply_ad(session, event, at);
            break;
    }
}

void apply_attributes(Session& session, const Event& event, const model::ClientContext& client,
                      std::int64_t at) {
    using model::Dimension;
    Attributes& attributes = session.attributes;
    for (const auto& attribute : event.attributes) {
        // Ad records describe the ad's picture, not the session's.
        if (is_ad(event.kind) &&
            (attribute.id == Dimension::Resolution || attribute.id == Dimension::ScreenResolution ||
             attribute.id == Dimension::Mode)) {
            continue;
        }
        attributes.set(attribute.id, Source::Player, at, attribute.value);
    }
    for (const auto& tag : event.tags) attributes.set_tag(tag.name, at, tag.value);
    attributes.set(Dimension::IpAddress, Source::Server, at, client.ip_address);
    attributes.set(Dimension::Continent, Source::Server, at, client.continent);
    attributes.set(Dimension::Country, Source::Server, at, client.country);
    attributes.set(Dimension::Region, Source::Server, at, client.region);
    attributes.set(Dimension::City, Source::Server, at, client.city);
    attributes.set(Dimension::Isp, Source::Server, at, client.isp);
    attributes.set(Dimension::Browser, Source::Server, at, client.browser);
    attributes.set(Dimension::BrowserVersion, Source::Server, at, client.browser_version);
    attributes.set(Dimension::Platform, Source::Server, at, client.os);
    attributes.set(Dimension::OsVersion, Source::Server, at, client.os_version);
    attributes.set(Dimension::Device, Source::Server, at, client.device);
    attributes.set(Dimension::Brand, Source::Server, at, client.brand);
    attributes.set(Dimension::Model, Source::Server, at, client.model);
    const bool newest = at >= session.last_ms();
    if (client.asn != 0 && (newest || session.asn == 0)) session.asn = client.asn;
    if (client.has_location && (newest || (session.latitude == 0 && session.longitude == 0))) {
        session.latitude = static_cast<float>(client.latitude);
        session.longitude = static_cast<float>(client.longitude);
    }
}

bool is_urgent(EventKind kind) noexcept {
    return kind <= EventKind::State || kind == EventKind::Error;
}

}  // namespace

bool apply_record(Session& session, const Event& event, const model::ClientContext& client,
                  const Options& options) {
    if (!note_record(session, event)) return false;
    const std::int64_t at = accept_time(session, event, options);
    session.smartsight |= event.protocol == Protocol::SmartSight;
    session.cmcd_events |= event.protocol == Protocol::CmcdEvent;
    session.cmcd_requests |= event.protocol == Protocol::CmcdRequest;
    apply_attributes(session, event, client, at);
    const bool mirrored = event.protocol == Protocol::CmcdRequest;
    std::int64_t& first = mirrored ? session.request_first_ms : session.own_first_ms;
    std::int64_t& last = mirrored ? session.request_last_ms : session.own_last_ms;
    first = first == 0 ? at : std::min(first, at);
    last = std::max(last, at);
    session.add(Column::beacons, at, 1);
    if (event.receive_ms - (at + session.offset_ms) > options.late_ms) {
        session.add(Column::beacons_late, at, 1);
    }
    if (event.kind != EventKind::Stats && event.interval_s >= 1 && event.interval_s <= 300) {
        session.interval_ms =
            std::max(session.interval_ms, static_cast<std::int64_t>(event.interval_s * 1000));
    }
    session.is_live |= event.is_live == 1;
    const bool positioned = event.position_s >= 0 && event.position_s < kPositionMax_s;
    if (!is_ad(event.kind) && positioned) session.position.update(at, event.position_s);
    if (event.kind == EventKind::Start) {
        session.entry.update(at, positioned ? event.position_s : 0);
    }
    for (const auto& measure : event.measures) apply_measure(session, event, measure, at);
    apply_kind(session, event, at, options);
    session.dirty = true;
    session.urgent |= is_urgent(event.kind);
    return true;
}

}  // namespace playhead::timeline
