#include <fmt/compile.h>
#include <fmt/format.h>

#include <iterator>

#include "simulator/writers.h"

namespace playhead::simulator {
namespace {

template <typename... Args, typename Format>
void put(std::string& out, const Format& format, Args&&... args) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

std::int32_t round_100(std::int32_t value) {
    return (value + 50) / 100 * 100;
}

std::string_view event_of(BeaconKind kind) {
    switch (kind) {
        case BeaconKind::State: return "ps";
        case BeaconKind::BitrateChange: return "bc";
        case BeaconKind::Response: return "rr";
        case BeaconKind::ErrorReport: return "e";
        default: return "t";
    }
}

/// Text as x-www-form-urlencoded.
void put_encoded(std::string& out, std::string_view text) {
    for (const char letter : text) {
        const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                           (letter >= '0' && letter <= '9') || letter == '-' || letter == '.' ||
                           letter == '_';
        if (plain)
            out += letter;
        else
            put(out, FMT_COMPILE("%{:02X}"), static_cast<unsigned char>(letter));
    }
}

}  // namespace

void append_cmcd_event(const World& world, const Playback& playback, const Beacon& beacon,
                       std::string& body) {
    const Asset& asset = world.assets()[playback.asset];
    const auto& ladder = world.ladder(asset.has_fps50);
    const bool response = beacon.kind == BeaconKind::Response;
    const Download* download =
        response ? &playback.downloads[static_cast<std::size_t>(beacon.index)] : nullptr;
    std::int32_t rendition = beacon.rendition;
    if (download != nullptr) rendition = download->rendition;
    if (download != nullptr) put(body, FMT_COMPILE("bl=({}),"), round_100(download->buffer_ms));
    if (rendition >= 0) {
        put(body, FMT_COMPILE("br=({}),"), ladder[static_cast<std::size_t>(rendition)].kbps);
    }
    put(body, FMT_COMPILE("cid=\"{}\","), asset.id);
    if (download != nullptr) put(body, FMT_COMPILE("d={},"), download->duration_ms);
    const bool beat = beacon.kind == BeaconKind::Heartbeat;
    const std::int64_t length = playback.end_ms - playback.start_ms;
    if (beat && playback.frames_dropped > 0 && length > 0) {
        put(body, FMT_COMPILE("dfa={},"),
            playback.frames_dropped * (beacon.client_ms - playback.start_ms) / length);
    }
    put(body, FMT_COMPILE("e={},"), event_of(beacon.kind));
    if (beacon.kind == BeaconKind::ErrorReport) {
        const Fault& fault = playback.faults[static_cast<std::size_t>(beacon.index)];
        put(body, FMT_COMPILE("ec=(\"{}\"),"), fault.code);
    }
    if (beat && asset.is_live) {
        put(body, FMT_COMPILE("ltc={},"), playback.live_latency_ms);
    }
    const bool first_frame = beacon.kind == BeaconKind::State && beacon.state == 'p' &&
                             beacon.client_ms == playback.first_frame_ms;
    if (first_frame) {
        put(body, FMT_COMPILE("msd={},"), playback.first_frame_ms - playback.start_ms);
    }
    if (download != nullptr) {
        put(body, FMT_COMPILE("mtp=({}),ot=av,"), round_100(download->throughput_kbps));
    }
    if (!asset.is_live && !response) put(body, FMT_COMPILE("pt={},"), beacon.position_ms);
    if (download != nullptr) body += "rc=200,";
    put(body, FMT_COMPILE("sf=h,sid=\"{}\",sn={},st={},sta={},ts={},"), playback.session_id,
        beacon.counter, asset.is_live ? 'l' : 'v', beacon.state,
        download != nullptr ? download->start_ms : beacon.client_ms);
    if (download != nullptr) {
        put(body, FMT_COMPILE("ttfb={},ttlb={},url=\"https://{}/{}/v{}/seg-{:03}.ts\","),
            download->first_byte_ms, download->total_ms, world.cdns()[playback.cdn].host, asset.id,
            download->rendition, download->ordinal);
    }
    body += "v=2";
}

void append_cmcd_query(const World& world, const Playback& playback, const Beacon& beacon,
                       std::string& path) {
    const Asset& asset = world.assets()[playback.asset];
    const auto& ladder = world.ladder(asset.has_fps50);
    const Download& download = playback.downloads[static_cast<std::size_t>(beacon.index)];
    std::string keys;
    keys.reserve(256);
    put(keys, FMT_COMPILE("bl={},br={},"), round_100(download.buffer_ms),
        ladder[static_cast<std::size_t>(download.rendition)].kbps);
    if (download.starved) keys += "bs,";
    put(keys, FMT_COMPILE("cid=\"{}\",d={},mtp={},ot=av,sf=h,sid=\"{}\",st={},"), asset.id,
        download.duration_ms, round_100(download.throughput_kbps), playback.session_id,
        asset.is_live ? 'l' : 'v');
    if (download.urgent) keys += "su,";
    put(keys, FMT_COMPILE("tb={}"), ladder.back().kbps);
    put_encoded(path, keys);
}

void append_application(const World& world, const WriterOptions& options, const Playback& playback,
                        const Beacon& beacon, std::string& body) {
    const Device& device = world.devices()[playback.viewer.device];
    const Asset& asset = world.assets()[playback.asset];
    std::string_view name, type, data;
    switch (beacon.kind) {
        case BeaconKind::AppSessionStart:
            name = "SESSION_START";
            type = "SESSION";
            break;
        case BeaconKind::AppScreen:
            name = "SCREEN_VIEW";
            type = "NAVIGATION";
            break;
        case BeaconKind::AppVideoStart:
            name = "VIDEO_START";
            type = "VIDEO";
            break;
        default:
            name = "SESSION_END";
            type = "SESSION";
            break;
    }
    put(body,
        FMT_COMPILE(R"({{"timestamp":{},"qubitData":[{{"streamID":{{"custId":"{}",)"
                    R"("sessionId":"app-{}","pId":")"),
        beacon.client_ms, options.customer_id, playback.session_id);
    append_id(playback.session_id, 0x4150500000ULL + static_cast<std::uint64_t>(beacon.counter),
              body);
    body += R"(","dataSrc":"Application")";
    const bool session = type == "SESSION";
    if (session) {
        put(body, FMT_COMPILE(R"(,"subscriberId":"{}","subscriberType":"{}")"), playback.viewer.id,
            playback.viewer.type);
    }
    put(body,
        FMT_COMPILE(R"(}},"sdkInfo":{{"sdkVersion":"JSSDK1.0.0"}},"appEventInfo":{{"eventName":)"
                    R"("{}","eventType":"{}","currentScreen":"player","isGraceful":{},)"
                    R"("eventData":{{)"),
        name, type, beacon.kind == BeaconKind::AppSessionEnd);
    if (beacon.kind == BeaconKind::AppVideoStart) {
        put(body, FMT_COMPILE(R"("assetId":"{}","assetName":"{}","duration":"{}","position":"0")"),
            asset.id, asset.name, asset.duration_ms / 1000);
    }
    put(body, FMT_COMPILE(R"(}}}},"clientInfo":{{"appName":"{}","appVersion":"{}"}}}}]}})"),
        device.app, device.app_version);
}

}  // namespace playhead::simulator
