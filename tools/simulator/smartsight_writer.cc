#include <fmt/compile.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <iterator>
#include <type_traits>

#include "base/hash.h"
#include "simulator/writers.h"

namespace playhead::simulator {
namespace {

struct Name {
    std::string_view event;
    std::string_view text;
};

/// By BeaconKind, Load to Complete.
constexpr std::array kNames{
    Name{"ONLOAD", "Player Initializing.."},
    Name{"RENDITION_CHANGE", ""},
    Name{"START", "Playback Start"},
    Name{"BUFFERING_START", "Playback Buffering Started"},
    Name{"BUFFERING_COMPLETE", "Playback Buffering Completed"},
    Name{"SEEK_START", "Playback Seek Started"},
    Name{"SEEK_COMPLETE", "Playback Seek Completed"},
    Name{"PAUSE", "Playback Paused"},
    Name{"RESUME", "Playback resumed"},
    Name{"", ""},
    Name{"", ""},
    Name{"ERROR", ""},
    Name{"AD_REQUEST", "Ad has been requested"},
    Name{"AD_BREAK_STARTED", "Ad Break Started"},
    Name{"AD_IMPRESSION", "Ad impression has been made"},
    Name{"AD_PLAY", "Ad Playback started"},
    Name{"AD_PLAYED_FIRST_QUARTILE", "Ad reached first quartile"},
    Name{"AD_PLAYED_SECOND_QUARTILE", "Ad reached midpoint"},
    Name{"AD_PLAYED_THIRD_QUARTILE", "Ad reached third quartile"},
    Name{"AD_CLICK", "Ad has been clicked"},
    Name{"AD_SKIPPED", "Ad has been skipped"},
    Name{"AD_ERROR", "VAST 303 no ads after wrapper"},
    Name{"AD_COMPLETE", "Ad completed playing"},
    Name{"AD_BREAK_ENDED", "Ad Break Ended"},
    Name{"ENDED", "Playback completion"},
    Name{"COMPLETE", "Playback completion"},
};
static_assert(kNames.size() == static_cast<std::size_t>(BeaconKind::Complete) + 1);

/// With a compiled format: the hot path.
template <typename... Args, typename Format>
    requires(!std::is_array_v<Format>)
void put(std::string& out, const Format& format, Args&&... args) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

/// With a plain format: once per session.
template <typename... Args>
void put(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

/// Milliseconds as seconds with two decimals, without trailing zeros: 4790 -> 4.79.
void put_seconds(std::string& out, std::int64_t ms) {
    const std::int64_t hundredths = ms / 10;
    put(out, FMT_COMPILE("{}"), hundredths / 100);
    const auto part = static_cast<int>(hundredths % 100);
    if (part == 0) return;
    out += '.';
    out += static_cast<char>('0' + part / 10);
    if (part % 10 != 0) out += static_cast<char>('0' + part % 10);
}

void put_text(std::string& out, std::string_view key, std::string_view value) {
    if (value.empty()) return;
    put(out, FMT_COMPILE("\"{}\":\"{}\","), key, value);
}

void close_object(std::string& out) {
    if (out.back() == ',')
        out.back() = '}';
    else
        out += '}';
}

bool is_ad(BeaconKind kind) {
    return kind >= BeaconKind::AdRequest && kind <= BeaconKind::AdBreakEnd;
}

}  // namespace

std::string_view smartsight_name(BeaconKind kind) noexcept {
    const auto at = static_cast<std::size_t>(kind);
    return at < kNames.size() ? kNames[at].event : std::string_view();
}

void append_id(std::string_view session_id, std::uint64_t number, std::string& out) {
    const std::uint64_t high = stable_hash(session_id, number);
    put(out, FMT_COMPILE("{:016x}{:016x}"), high, mix64(high ^ number));
}

void append_payload_id(std::uint64_t customer_id, std::string_view session_id, std::int64_t time_ms,
                       std::uint64_t number, std::string& out) {
    fmt::memory_buffer text;
    fmt::format_to(std::back_inserter(text), FMT_COMPILE("{}{}{}{}"), customer_id, session_id,
                   time_ms, number);
    std::array<unsigned char, 16> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr);
    for (const std::size_t quarter : {1U, 3U, 0U, 2U}) {
        for (std::size_t at = quarter * 4; at < quarter * 4 + 4; ++at) {
            put(out, FMT_COMPILE("{:02x}"), digest.at(at));
        }
    }
}

SmartSightFragments::SmartSightFragments(const World& world, const WriterOptions& options,
                                         const Playback& playback)
    : customer_id_(options.customer_id), compact_(playback.wire == Wire::Compact) {
    const bool c = compact_;
    build_identity(world, options, playback);
    build_content(world.assets()[playback.asset]);
    build_client(world, playback);
    sdk_ =
        c ? R"("sdi":{"sv":"JSSDK1.3.15","hv":"2.0.0"})"
          : R"("sdkInfo":{"sdkVersion":"JSSDKv4.4.2_ReactNative6_1.0.0","hFileVersion":"2.0.0"})";
    put(tags_, "\"{}\":{{\"plan\":\"{}\"}}", c ? "ctg" : "customTags", playback.viewer.type);
}

void SmartSightFragments::build_identity(const World& world, const WriterOptions& options,
                                         const Playback& playback) {
    const Asset& asset = world.assets()[playback.asset];
    const Cdn& cdn = world.cdns()[playback.cdn];
    const Device& device = world.devices()[playback.viewer.device];
    const Viewer& viewer = playback.viewer;
    const bool c = compact_;
    const auto key = [c](std::string_view compact, std::string_view full) {
        return c ? compact : full;
    };
    std::string subscriber = viewer.id;
    if (!c) {  // the long SDK always hashes
        subscriber.clear();
        append_id(viewer.id, 0, subscriber);
    }
    std::string& id = identity_;
    put(id, "\"{}\":{{\"{}\":{},", key("sd", "streamID"), key("ci", "custId"), options.customer_id);
    put_text(id, key("dsr", "dataSrc"), "Player");
    put_text(id, key("pn", "playerName"), device.player);
    put_text(id, key("si", "sessionId"), playback.session_id);
    put_text(id, key("dn", "domainName"), "stream.example");
    const std::string url = fmt::format("https://{}/{}/master.m3u8", cdn.host, asset.id);
    put_text(id, key("su", "streamURL"), url);
    put_text(id, key("pv", "playerVersion"), device.player_version);
    put_text(id, key("exn", "experimentName"), viewer.experiment);
    if (c) put_text(id, "spi", "sub-prop-1");
    put_text(id, key("sbi", "subscriberId"), subscriber);
    put_text(id, key("sbt", "subscriberType"), viewer.type);
    put_text(id, key("sg", "subscriberTag"), viewer.tag);
    put_text(id, key("ai", "assetId"), asset.id);
    put_text(id, key("an", "assetName"), asset.name);
    put_text(id, key("vi", "videoId"), asset.video_id);
    put_text(id, key("m", "mode"), "QBRDisabled");
    identity_late_ = id;
    if (c) {
        put(identity_late_, "\"il\":{},\"mt\":\"Video\",\"sct\":\"CDN-ORIGIN\",", asset.is_live);
    }
    put(ping_, "{{\"v\":\"2.0.0\",\"qd\":[{{\"sd\":{{\"ci\":{},\"si\":\"{}\",", options.customer_id,
        playback.session_id);
}

void SmartSightFragments::build_content(const Asset& asset) {
    const bool c = compact_;
    const auto key = [c](std::string_view compact, std::string_view full) {
        return c ? compact : full;
    };
    put(stream_info_, "\"{}\":{{\"{}\":", key("sif", "streamInfo"), key("td", "totalDuration"));
    if (asset.is_live)
        stream_info_ += "-1";
    else
        put_seconds(stream_info_, asset.duration_ms);
    stream_info_ += c ? R"(,"xr":"","nr":"","xf":0,"nf":0,"np":0,"sf":"HLS"})"
                      : R"(,"maxRes":"","minRes":"","maxFps":0,"minFps":0,"numOfProfile":0,)"
                        R"("streamFormat":"HLS"})";

    put(content_, "\"{}\":{{", key("cm", "contentMetadata"));
    put_text(content_, key("ai", "assetId"), asset.id);
    put_text(content_, key("an", "assetName"), asset.name);
    put_text(content_, key("vi", "videoId"), asset.video_id);
    put_text(content_, key("ct", "contentType"), asset.content_type);
    put_text(content_, key("dp", "drmProtection"), asset.drm);
    put_text(content_, key("en", "episodeNumber"), asset.episode);
    put_text(content_, key("g", "genre"), asset.genre);
    put_text(content_, key("se", "season"), asset.season);
    put_text(content_, key("st", "seriesTitle"), asset.series);
    close_object(content_);
}

void SmartSightFragments::build_client(const World& world, const Playback& playback) {
    const Cdn& cdn = world.cdns()[playback.cdn];
    const Network& network = world.countries()[playback.country].networks[playback.viewer.network];
    const Device& device = world.devices()[playback.viewer.device];
    const Viewer& viewer = playback.viewer;
    const bool c = compact_;
    const auto key = [c](std::string_view compact, std::string_view full) {
        return c ? compact : full;
    };
    put(client_, "\"{}\":{{", key("cif", "clientInfo"));
    put_text(client_, key("br", "brand"), device.brand);
    put_text(client_, key("ml", "model"), device.model);
    if (c) put_text(client_, "v", device.os_version);
    put_text(client_, key("p", "platform"), device.platform);
    put_text(client_, key("d", "device"), device.category);
    put_text(client_, key("apn", "appName"), device.app);
    put_text(client_, key("apv", "appVersion"), device.app_version);
    put_text(client_, key("dm", "deviceMarketingName"), device.marketing_name);
    put_text(client_, key("sr", "scrnRes"), device.screen);
    put_text(client_, key("di", "deviceId"), viewer.device_id);
    client_late_ = client_;
    close_object(client_);
    put_text(client_late_, key("c", "cdn"), cdn.name);
    put(client_late_, "\"asn\":{},", network.asn);
    put_text(client_late_, key("shn", "sourceHostName"), cdn.host);
    put_text(client_late_, key("nt", "nwType"), network.network_type);
    put_text(client_late_, key("op", "operator"), network.isp);
    close_object(client_late_);
}

std::string SmartSightFragments::description(const World& world, const Playback& playback,
                                             const Beacon& beacon) const {
    if (beacon.kind == BeaconKind::Error) {
        const Fault& fault = playback.faults[static_cast<std::size_t>(beacon.index)];
        if (!compact_) {
            return fmt::format(R"({{\"errorCode\":\"{}\",\"errorString\":\"{}\"}})", fault.code,
                               fault.message);
        }
        return fmt::format("{}_{}@@{}@@NA", fault.code, fault.message,
                           fault.fatal ? "FATAL" : "WARNING");
    }
    if (beacon.kind != BeaconKind::Rendition) {
        return std::string(kNames[static_cast<std::size_t>(beacon.kind)].text);
    }
    const auto& ladder = world.ladder(world.assets()[playback.asset].has_fps50);
    const auto shift_at = static_cast<std::size_t>(beacon.index);
    const Rendition& now = ladder[static_cast<std::size_t>(playback.shifts[shift_at].rendition)];
    if (shift_at == 0) {
        return fmt::format(
            R"({{\"Bitrate\":\"Prev: 0, New: {}\",\"Res\":\"Prev: 0x0, New: {}\",)"
            R"(\"VCodec\":\"Prev: NA, New: avc1.64001f\",)"
            R"(\"ACodec\":\"Prev: NA, New: mp4a.40.2\",\"FPS\":\"Prev: 0.0, New: {}\"}})",
            now.kbps * 1000, now.resolution, now.fps);
    }
    const Rendition& was =
        ladder[static_cast<std::size_t>(playback.shifts[shift_at - 1].rendition)];
    if (was.resolution == now.resolution) {
        return fmt::format(R"({{\"Bitrate\":\"Prev: {}, New: {}\"}})", was.kbps * 1000,
                           now.kbps * 1000);
    }
    return fmt::format(R"({{\"Bitrate\":\"Prev: {}, New: {}\",\"Res\":\"Prev: {}, New: {}\"}})",
                       was.kbps * 1000, now.kbps * 1000, was.resolution, now.resolution);
}

void SmartSightFragments::append_event(const World& world, const Playback& playback,
                                       const Beacon& beacon, std::string& body) const {
    const std::string_view name = smartsight_name(beacon.kind);
    if (compact_) {
        put(body, FMT_COMPILE(R"("pe":{{"e":"{0}","dsc":"{1}","id":"{0}","pt":)"), name,
            description(world, playback, beacon));
    } else {
        put(body, FMT_COMPILE(R"("pbEventInfo":{{"event":"{0}","desc":"{1}","id":"{0}","pbTime":)"),
            name, description(world, playback, beacon));
    }
    put_seconds(body, beacon.position_ms);
    body += "},";
}

void SmartSightFragments::append_segments(const World& world, const Playback& playback,
                                          const Beacon& beacon, std::string& body) const {
    if (beacon.rendition < 0) return;
    const auto& ladder = world.ladder(world.assets()[playback.asset].has_fps50);
    body += compact_ ? "\"sgi\":[" : "\"segInfo\":[";
    const auto entry = [&](const Rendition& rendition, std::int64_t at_ms, bool is_new) {
        if (compact_) {
            put(body,
                FMT_COMPILE(
                    R"({{"cb":{},"r":"{}","f":{},"ac":"mp4a.40.2","vc":"avc1.64001f","t":{})"),
                rendition.kbps * 1000, rendition.resolution, rendition.fps, at_ms);
            body += is_new ? "}" : R"(,"du":-1,"qz":0,"cz":0})";
        } else {
            put(body, FMT_COMPILE(R"({{"cbrBitrate":{},"timestamp":{})"), rendition.kbps * 1000,
                at_ms);
            if (is_new) {
                put(body, FMT_COMPILE(R"(,"downloadRate":{}}})"), beacon.kbps * 1000);
            } else {
                body += R"(,"dur":-1,"qbrSize":0,"cbrSize":0})";
            }
        }
    };
    for (std::int32_t at = beacon.shift_begin; at < beacon.shift_end; ++at) {
        const Shift& shift = playback.shifts[static_cast<std::size_t>(at)];
        if (at > beacon.shift_begin) body += ',';
        entry(ladder[static_cast<std::size_t>(shift.rendition)], shift.at_ms, true);
    }
    if (beacon.shift_begin == beacon.shift_end) {
        entry(ladder[static_cast<std::size_t>(beacon.rendition)], beacon.client_ms, false);
    }
    body += "],";
}

void SmartSightFragments::append_info(const World& world, const Playback& playback,
                                      const BeaconPlan& plan, const Beacon& beacon,
                                      std::string& body) const {
    const bool c = compact_;
    const auto key = [c](std::string_view compact, std::string_view full) {
        return c ? compact : full;
    };
    put(body, FMT_COMPILE("\"{}\":["), key("pif", "pbInfo"));
    const bool stats = beacon.kind == BeaconKind::Stats;
    const Asset& asset = world.assets()[playback.asset];
    for (std::int32_t at = beacon.stall_begin; at < beacon.stall_end; ++at) {
        const Interval& stall =
            playback.intervals[static_cast<std::size_t>(plan.stalls[static_cast<std::size_t>(at)])];
        const bool seek = stall.phase == Phase::SeekStalled;
        put(body, FMT_COMPILE("{{\"{}\":{},\"{}\":{},\"{}\":\"{}\",\"{}\":"), key("t", "timestamp"),
            stall.end_ms, key("bw", "buffWait"), stall.duration_ms() - (seek ? 1 : 0),
            key("bwt", "buffWaitType"), seek && !c ? "VRT" : "CIRR", key("pt", "pbTime"));
        put_seconds(body, playback.position_at(stall.end_ms));
        body += "},";
    }
    put(body, FMT_COMPILE("{{\"{}\":{},"), key("t", "timestamp"), beacon.client_ms);
    if (!asset.is_live) {
        put(body, FMT_COMPILE("\"{}\":"), key("gm", "progressMark"));
        put_seconds(body, beacon.position_ms * 100'000 / asset.duration_ms);  // percent
        body += ',';
    }
    if (stats) {
        if (beacon.kbps > 0) {
            put(body, FMT_COMPILE("\"{}\":{:.2f},"), key("bu", "bwInUse"), beacon.kbps / 1.024);
        }
        put(body, FMT_COMPILE("\"{}\":"), key("pt", "pbTime"));
        put_seconds(body, beacon.position_ms);
        body += ',';
    }
    std::int64_t sum = beacon.stall_ms + beacon.seek_stall_ms;
    const bool last = beacon.kind == BeaconKind::Ended || beacon.kind == BeaconKind::Complete;
    if (last && !c && playback.played()) {  // observed: 4.4.2 adds the startup to the last sum
        sum += playback.first_frame_ms - playback.start_ms;
    }
    if (!stats && sum > 0) put(body, FMT_COMPILE("\"{}\":{},"), key("sb", "sumBuffWait"), sum);
    if (!stats && beacon.stall_ms > 0) {
        put(body, FMT_COMPILE("\"{}\":{},"), key("sbc", "sumBuffWaitCIRR"), beacon.stall_ms);
    }
    if (!stats && beacon.seek_stall_ms > 0) {
        put(body, FMT_COMPILE("\"{}\":{},"), key("sbv", "sumBuffWaitVRT"), beacon.seek_stall_ms);
    }
    if (beacon.kind == BeaconKind::Start || beacon.kind == BeaconKind::AdPlay) {
        put(body, FMT_COMPILE("\"{}\":{},"), key("l", "latency"), beacon.wait_ms);
    }
    if (beacon.kind == BeaconKind::Resume) {
        put(body, FMT_COMPILE("\"{}\":{},"), key("ud", "pauseDuration"), beacon.wait_ms);
    }
    close_object(body);
    const auto shifts = [&](std::string_view name, std::int32_t value) {
        if (!stats || value == 0) return;
        put(body, FMT_COMPILE(",{{\"t\":{},\"{}\":{}}}"), beacon.client_ms, name, value);
    };
    shifts("us", beacon.up);
    shifts("ds", beacon.down);
    body += "],";
}

void SmartSightFragments::append_ad(const Playback& playback, const Beacon& beacon,
                                    std::string& body) const {
    const bool c = compact_;
    const AdBreak& pod = playback.breaks[static_cast<std::size_t>(beacon.pod)];
    if (beacon.kind == BeaconKind::AdBreakStart || beacon.kind == BeaconKind::AdBreakEnd) return;
    const AdView& ad = pod.ads[static_cast<std::size_t>(beacon.index)];
    const std::string_view place = ad.pod_index == 0 ? "pre" : "mid";
    if (beacon.kind == BeaconKind::AdRequest) {  // observed: nothing but this
        if (c) {
            put(body, FMT_COMPILE(R"(,"aif":{{"p":"{}","ib":false,"i":0}})"), place);
        } else {
            put(body,
                FMT_COMPILE(R"(,"adInfo":{{"adPosition":"{}","isBumper":false,"adInterval":0}})"),
                place);
        }
        return;
    }
    if (c) {
        put(body,
            FMT_COMPILE(R"(,"aif":{{"cl":"AdClient","id":"ad-{0}","d":{1},"p":"{2}","al":"linear",)"
                        R"("ct":"video/mp4","s":"AdServer","t":"Ad {0}","cid":"cr-{0}","pl":{3},)"
                        R"("pi":{4},"pp":{5},"ib":false}})"),
            ad.creative, ad.duration_ms / 1000, place, ad.pod_length, ad.pod_index,
            ad.pod_position);
        return;
    }
    put(body,
        FMT_COMPILE(R"(,"adInfo":{{"adClient":"AdClient","adId":"ad-{0}","adDuration":{1},)"
                    R"("adPosition":"{2}","adLinear":"linear","adCreativeType":"video/mp4",)"
                    R"("adSystem":"AdServer","adTitle":"Ad {0}","adCreativeId":"cr-{0}",)"
                    R"("adPodLength":{3},"adPodIndex":{4},"adPodPosition":{5},"isBumper":false}})"),
        ad.creative, ad.duration_ms / 1000, place, ad.pod_length, ad.pod_index, ad.pod_position);
}

void SmartSightFragments::append(const World& world, const Playback& playback,
                                 const BeaconPlan& plan, const Beacon& beacon,
                                 std::string& body) const {
    const bool c = compact_;
    const auto number = static_cast<std::uint64_t>(beacon.counter);
    if (beacon.kind == BeaconKind::Ping) {
        body += ping_;
        body += "\"pi\":\"";
        append_payload_id(customer_id_, playback.session_id, beacon.client_ms, number, body);
        put(body, FMT_COMPILE(R"(","sst":{},"sbi":"{}","dsr":"Player-ping"}}}}],"t":{},"pt":)"),
            playback.start_ms, playback.viewer.id, beacon.client_ms);
        put_seconds(body, beacon.position_ms);
        put(body, FMT_COMPILE(",\"pd\":{},\"i\":{}}}"), beacon.play_s, beacon.interval_s);
        return;
    }
    const bool load = beacon.kind == BeaconKind::Load;
    body += c ? R"({"v":"2.0.0","qd":[{)" : R"({"version":"2.0.0","qubitData":[{)";
    body += load ? identity_ : identity_late_;
    if (!c && beacon.kind == BeaconKind::Start) {
        put(body, FMT_COMPILE("\"isLive\":{},"), world.assets()[playback.asset].is_live);
    }
    body += c ? "\"pi\":\"" : "\"pId\":\"";
    if (c)
        append_payload_id(customer_id_, playback.session_id, beacon.client_ms, number, body);
    else
        append_id(playback.session_id, number, body);
    if (c)
        put(body, FMT_COMPILE("\",\"sst\":{}}},"), playback.start_ms);
    else
        body += "\"},";
    const bool stats = beacon.kind == BeaconKind::Stats;
    if (!stats) append_event(world, playback, beacon, body);
    if (load && c)
        body += "\"sif\":{}";
    else
        body += stream_info_;
    body += ',';
    body += content_;
    body += ',';
    if (stats)
        append_segments(world, playback, beacon, body);
    else {
        body += sdk_;
        body += ',';
    }
    append_info(world, playback, plan, beacon, body);
    if (stats) {
        body += sdk_;
        body += ',';
    }
    body += load ? client_ : client_late_;
    if (is_ad(beacon.kind)) append_ad(playback, beacon, body);
    body += ',';
    body += tags_;
    if (c) {
        put(body, FMT_COMPILE(R"(}}],"pd":{},"t":{},"i":{},"pt":)"), beacon.play_s,
            beacon.client_ms, beacon.interval_s);
    } else {
        put(body, FMT_COMPILE(R"(}}],"playDur":{},"timestamp":{},"interval":{},"pbTime":)"),
            beacon.play_s, beacon.client_ms, beacon.interval_s);
    }
    put_seconds(body, beacon.position_ms);
    body += '}';
}

}  // namespace playhead::simulator
