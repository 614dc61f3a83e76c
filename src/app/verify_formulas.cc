#include "app/verify_formulas.h"

namespace playhead::app {

namespace {

using model::Dimension;

const std::string& text(const Portion& p, Dimension dimension) {
    return p.session.dimensions[model::index_of(dimension)];
}

/// An amount that is one counter.
template <std::int64_t model::AdditiveCounters::* Field>
double counter(const Portion& p) {
    return static_cast<double>(p.counters.*Field);
}

#define COUNTER(name) counter<&model::AdditiveCounters::name>
#define SUM(expression)                         \
    [](const Portion& p) -> double {            \
        const auto& c = p.counters;             \
        return static_cast<double>(expression); \
    }
#define OF_SESSION(expression)                  \
    [](const Portion& p) -> double {            \
        const auto& s = p.session;              \
        return static_cast<double>(expression); \
    }

constexpr Amount kWatched = SUM(c.playing_ms + c.stall_ms + c.seek_stall_ms);
constexpr Amount kBuffered = SUM(c.stall_ms + c.seek_stall_ms);
constexpr Amount kBufferings = SUM(c.stall_count + c.seek_stall_count);
constexpr Amount kOne = [](const Portion&) { return 1.0; };
constexpr Amount kScored = OF_SESSION(s.score >= 0 ? 1 : 0);
constexpr double kMinutes = 1.0 / 60'000;
constexpr double kHourMs = 3'600'000;

std::string device_of(const Portion& p, bool with_software) {
    if (!text(p, Dimension::DeviceId).empty()) return text(p, Dimension::DeviceId);
    std::string out = text(p, Dimension::Brand) + '|' + text(p, Dimension::Model) + '|';
    if (with_software) {
        out += text(p, Dimension::Browser) + '|' + text(p, Dimension::Platform) + '|';
    }
    return out + text(p, Dimension::IpAddress);
}

constexpr Distinct kViewer = [](const Portion& p) {
    return p.counters.plays > 0 ? text(p, Dimension::SubscriberId) + '|' + device_of(p, true)
                                : std::string();
};

constexpr MetricFormula kSession[] = {
    {"attempts", COUNTER(attempts), nullptr, nullptr, 1, true},
    {"viewercount", COUNTER(plays), nullptr, nullptr, 1, true},
    {"sessions", kOne},
    {"endedplays", COUNTER(ended_plays), nullptr, nullptr, 1, true},
    {"playdur", kWatched, nullptr, nullptr, kMinutes, true},
    {"playingtime", COUNTER(playing_ms), nullptr, nullptr, kMinutes, true},
    {"watchtime", kWatched, nullptr, nullptr, kMinutes, true},
    {"totalduration", OF_SESSION(s.duration_s > 0 ? s.duration_s : 0), nullptr, nullptr, 1.0 / 60},
    {"avg_playtime_by_audience", kWatched, nullptr, kViewer, kMinutes},
    {"unique_subscribers", nullptr, nullptr,
     [](const Portion& p) { return text(p, Dimension::SubscriberId); }},
    {"uniquesubscribercount", nullptr, nullptr,
     [](const Portion& p) {
         return p.counters.plays > 0 ? text(p, Dimension::SubscriberId) : std::string();
     }},
    {"unique_devices", nullptr, nullptr, [](const Portion& p) { return device_of(p, false); }},
    {"uniqueviewercount", nullptr, nullptr, kViewer},
    {"anonymous_viewers", nullptr, nullptr,
     [](const Portion& p) {
         if (!text(p, Dimension::SubscriberId).empty()) return std::string();
         return text(p, Dimension::Brand) + '|' + text(p, Dimension::Model) + '|' +
                text(p, Dimension::IpAddress);
     }},
    {"playperunique", COUNTER(plays), nullptr, kViewer},
    {"playtimeperunique", kWatched, nullptr, kViewer, kMinutes},
    {"completionrate", COUNTER(completions), COUNTER(plays), nullptr, 100},
    {"progressmark", OF_SESSION(s.progress_percent >= 0 ? s.progress_percent : 0),
     OF_SESSION(s.progress_percent >= 0 ? 1 : 0)},
    {"pausecount", COUNTER(pause_count), nullptr, nullptr, 1, true},
    {"pauseduration", COUNTER(pause_ms), nullptr, nullptr, 0.001, true},
    {"seekcount", COUNTER(seek_count), nullptr, nullptr, 1, true},
    {"videodropped", COUNTER(dropped)},
    {"videodroppedrate", COUNTER(dropped), kOne, nullptr, 100},
    {"latency", OF_SESSION(s.startup_ms >= 0 ? s.startup_ms : 0),
     OF_SESSION(s.startup_ms >= 0 ? 1 : 0), nullptr, 0.001},
    {"adstartup", OF_SESSION(s.ad_startup_ms >= 0 ? s.ad_startup_ms : 0),
     OF_SESSION(s.ad_startup_ms >= 0 ? 1 : 0), nullptr, 0.001},
    {"startupwait", COUNTER(startup_wait_ms), COUNTER(attempts), nullptr, 0.001},
    {"totalstartupfailure", COUNTER(startup_failures)},
    {"failurerate", COUNTER(startup_failures), COUNTER(attempts), nullptr, 100},
    {"exitsbeforestart", COUNTER(exits_before_start)},
    {"exitsbeforestartrate", COUNTER(exits_before_start), COUNTER(attempts), nullptr, 100},
    {"bufferingratio", kBuffered, kWatched, nullptr, 100, true},
    {"cirrbufferingratio", COUNTER(stall_ms), kWatched, nullptr, 100, true},
    {"vrtbufferingratio", COUNTER(seek_stall_ms), kWatched, nullptr, 100, true},
    {"stalltoplayratio", COUNTER(stall_ms), COUNTER(playing_ms), nullptr, 100, true},
    {"bufferduration", kBuffered, nullptr, nullptr, 0.001, true},
    {"buffercount", kBufferings, nullptr, nullptr, 1, true},
    {"bufferfrequency", kBufferings, kWatched, nullptr, 60'000, true},
    {"bufferedplays", COUNTER(buffered_plays), COUNTER(plays), nullptr, 100},
    {"interruptionrate", COUNTER(stall_count), COUNTER(plays)},
    {"seeklatency", COUNTER(seek_stall_ms), COUNTER(seek_stall_count), nullptr, 0.001, true},
    {"instreamfailurerate", COUNTER(instream_failures), COUNTER(plays), nullptr, 100},
    {"errors", COUNTER(fatal_errors), nullptr, nullptr, 1, true},
    {"fatalerrors", COUNTER(fatal_errors), nullptr, nullptr, 1, true},
    {"warnings", COUNTER(warnings), nullptr, nullptr, 1, true},
    {"errorrate", COUNTER(fatal_errors), COUNTER(attempts), nullptr, 100},
    {"businesserrors", SUM(c.startup_business_failures + c.instream_business_failures)},
    {"affectedsessions", nullptr, nullptr,
     [](const Portion& p) {
         return p.counters.fatal_errors > 0 ? p.session.session_id : std::string();
     }},
    {"affectedusers", nullptr, nullptr,
     [](const Portion& p) {
         return p.counters.fatal_errors > 0
                    ? text(p, Dimension::SubscriberId) + '|' + device_of(p, false)
                    : std::string();
     }},
    {"requestfailurerate", COUNTER(requests_failed), COUNTER(requests), nullptr, 100, true},
    {"avgbitrate", COUNTER(bitrate_kbit), COUNTER(bitrate_ms), nullptr, 1, true},
    {"avgdownloadrate", COUNTER(throughput_kbit), COUNTER(throughput_count), nullptr, 1, true},
    {"upshifts", COUNTER(up_shifts), nullptr, nullptr, 1, true},
    {"downshifts", COUNTER(down_shifts), nullptr, nullptr, 1, true},
    {"renditionchanges", COUNTER(rendition_changes), nullptr, nullptr, 1, true},
    {"framesdropped", COUNTER(frames_dropped), nullptr, nullptr, 1, true},
    {"droppedframerate", COUNTER(frames_dropped), COUNTER(frames_total), nullptr, 100, true},
    {"livelatency", COUNTER(live_latency_sum_ms), COUNTER(live_latency_count), nullptr, 0.001,
     true},
    {"qualityofexperience", OF_SESSION(s.score >= 0 ? s.score : 0), kScored},
    {"score_lost_startup", OF_SESSION(s.score >= 0 ? s.lost_startup : 0), kScored},
    {"score_lost_stalls", OF_SESSION(s.score >= 0 ? s.lost_stalls : 0), kScored},
    {"score_lost_quality", OF_SESSION(s.score >= 0 ? s.lost_quality : 0), kScored},
    {"score_lost_failure", OF_SESSION(s.score >= 0 ? s.lost_failure : 0), kScored},
    {"cbrsize", COUNTER(bytes), nullptr, nullptr, 1, true},
    {"cdn_change_rate", COUNTER(cdn_changes), COUNTER(plays), nullptr, 100},
    {"costperhour", COUNTER(bytes), COUNTER(playing_ms), nullptr, kHourMs * 0.01 / 1e9, true},
    {"energyperhour", COUNTER(bytes), COUNTER(playing_ms), nullptr, kHourMs * 0.0065 / 1e9, true},
    {"beaconlossrate", COUNTER(beacons_lost), SUM(c.beacons_numbered + c.beacons_lost), nullptr,
     100, true},
    {"beaconsnumbered", COUNTER(beacons_numbered), COUNTER(beacons), nullptr, 100, true},
    {"beaconlaterate", COUNTER(beacons_late), COUNTER(beacons), nullptr, 100, true},
    {"adrequests", COUNTER(ad_requests)},
    {"adresponses", COUNTER(ad_responses)},
    {"adimpression", COUNTER(ad_impressions)},
    {"totaladimpression", COUNTER(ad_impressions)},
    {"adfillrate", COUNTER(ad_responses), COUNTER(ad_requests), nullptr, 100},
    {"adstarts", COUNTER(ad_starts)},
    {"adcompletions", COUNTER(ad_completions)},
    {"adcompletionrate", COUNTER(ad_completions), COUNTER(ad_starts), nullptr, 100},
    {"adskips", COUNTER(ad_skips)},
    {"adskiprate", COUNTER(ad_skips), COUNTER(ad_starts), nullptr, 100},
    {"adclicks", COUNTER(ad_clicks)},
    {"adctr", COUNTER(ad_clicks), COUNTER(ad_impressions), nullptr, 100},
    {"aderrors", COUNTER(ad_errors)},
    {"aderrorrate", COUNTER(ad_errors), COUNTER(ad_impressions), nullptr, 100},
    {"adbufferingratio", COUNTER(ad_stall_ms), SUM(c.ad_ms + c.ad_stall_ms), nullptr, 100},
    {"adplaydur", COUNTER(ad_ms), nullptr, nullptr, kMinutes},
    {"adbreaks", COUNTER(ad_breaks)},
    {"exitsduringad", COUNTER(exits_during_ad)},
    {"exitsbeforead", COUNTER(exits_before_ad)},
};

constexpr Amount kFirstPicture =
    OF_SESSION(s.startup_ms < 0                                         ? 0
               : s.ad_startup_ms >= 0 && s.ad_startup_ms < s.startup_ms ? s.ad_startup_ms
                                                                        : s.startup_ms);
constexpr Amount kStartups = OF_SESSION(s.startup_ms >= 0 ? 1 : 0);
constexpr Amount kStartupMs = OF_SESSION(s.startup_ms >= 0 ? s.startup_ms : 0);
constexpr Amount kCtaWatched = SUM(c.startup_wait_ms + c.playing_ms + c.stall_ms + c.seek_stall_ms);
constexpr Amount kPlayingAndStalls = SUM(c.playing_ms + c.stall_ms);

constexpr VariantFormula kVariants[] = {
    {"cta2066", {"latency", kStartupMs, kStartups, nullptr, 0.001}},
    {"cta2066", {"failurerate", SUM(c.startup_failures + c.instream_failures), kOne, nullptr, 100}},
    {"cta2066", {"bufferingratio", COUNTER(stall_ms), kCtaWatched, nullptr, 100}},
    {"cta2066", {"bufferfrequency", COUNTER(stall_count), COUNTER(plays)}},
    {"cta2066", {"avgbitrate", COUNTER(media_kbit), COUNTER(media_ms)}},
    {"mux", {"latency", kFirstPicture, kStartups, nullptr, 0.001}},
    {"mux", {"failurerate", COUNTER(startup_failures), COUNTER(attempts), nullptr, 100}},
    {"mux", {"bufferingratio", COUNTER(stall_ms), kPlayingAndStalls, nullptr, 100}},
    {"mux", {"bufferfrequency", COUNTER(stall_count), kPlayingAndStalls, nullptr, 60'000}},
    {"mux", {"avgbitrate", COUNTER(bitrate_kbit), COUNTER(bitrate_ms)}},
    {"conviva", {"latency", kStartupMs, kStartups, nullptr, 0.001}},
    {"conviva",
     {"failurerate", SUM(c.startup_failures + c.startup_business_failures), COUNTER(attempts),
      nullptr, 100}},
    {"conviva", {"bufferingratio", kBuffered, kWatched, nullptr, 100}},
    {"conviva", {"bufferfrequency", COUNTER(stall_count), kWatched, nullptr, 60'000}},
    {"conviva", {"avgbitrate", COUNTER(bitrate_kbit), COUNTER(bitrate_ms)}},
};

#undef COUNTER
#undef SUM
#undef OF_SESSION

}  // namespace

std::span<const MetricFormula> session_formulas() {
    return kSession;
}

std::span<const VariantFormula> variant_formulas() {
    return kVariants;
}

}  // namespace playhead::app
