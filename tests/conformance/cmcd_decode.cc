/// Reads "event|query|headers TAB payload" lines, prints what the CMCD decoder makes of each as one
/// JSON object a line. The payload of `headers` is the values of CMCD-Request, -Object, -Status and
/// -Session, between tabs.
#include <array>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "wire/cmcd.h"

namespace {

using playhead::JsonWriter;
using playhead::model::Event;
using playhead::model::Measure;

constexpr std::int64_t kReceiveMs = 1'795'420'000'000;

std::string_view name_of(Measure measure) {
    switch (measure) {
        case Measure::BufferLengthMs: return "bl";
        case Measure::ThroughputKbps: return "mtp";
        case Measure::LiveLatencyMs: return "ltc";
        case Measure::MediaStartDelayMs: return "msd";
        case Measure::StarvationMs: return "bsd";
        case Measure::StarvationSumMs: return "bsda";
        case Measure::StarvationCount: return "bsa";
        case Measure::PlayRate: return "pr";
        case Measure::ObjectDurationMs: return "d";
        case Measure::FramesDropped: return "dfa";
        case Measure::BitrateKbps: return "bitrate";
        case Measure::TopBitrateKbps: return "topbitrate";
        case Measure::SegmentBytes: return "bytes";
        case Measure::ResponseCode: return "rc";
        case Measure::FirstByteMs: return "ttfb";
        case Measure::ResponseMs: return "ttlb";
        default: return "other";
    }
}

std::string describe(const Event& event) {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.member("sid", event.session_id);
    json.member("e", event.name);
    json.member("state", static_cast<std::int64_t>(event.state));
    json.member("ts", event.client_ms);
    json.member("sn", event.sequence);
    json.member("live", static_cast<std::int64_t>(event.is_live));
    json.member("flag", event.flag);
    json.member("nr", event.not_rendered);
    json.member("su", event.is_urgent);
    json.member("text", event.text);
    json.member("code", event.error.code);
    json.member("ot", event.object_type == 0 ? std::string() : std::string(1, event.object_type));
    if (!std::isnan(event.position_s)) json.member("position", event.position_s);
    for (const auto& attribute : event.attributes) {
        json.member(playhead::model::name_of(attribute.id), attribute.value);
    }
    json.key("measures");
    json.begin_object();
    for (const auto& measure : event.measures) json.member(name_of(measure.id), measure.value);
    json.end_object();
    json.key("tags");
    json.begin_object();
    for (const auto& tag : event.tags) json.member(tag.name, tag.value);
    json.end_object();
    json.end_object();
    return out;
}

std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> parts;
    for (std::size_t tab = 0; tab != std::string_view::npos;) {
        tab = text.find('\t');
        parts.push_back(text.substr(0, tab));
        if (tab != std::string_view::npos) text.remove_prefix(tab + 1);
    }
    return parts;
}

playhead::wire::CmcdBatch decode(const std::vector<std::string_view>& parts) {
    playhead::wire::CmcdSource source;
    source.customer_id = 1;
    source.path_sid = "path";
    source.receive_ms = kReceiveMs;
    if (parts[0] == "event") {
        return playhead::wire::decode_cmcd_events(std::string(parts.at(1)), source);
    }
    if (parts[0] == "query") {
        return playhead::wire::decode_cmcd_request(parts.at(1), {}, source);
    }
    return playhead::wire::decode_cmcd_request(
        {}, {parts.at(1), parts.at(2), parts.at(3), parts.at(4)}, source);
}

}  // namespace

int main() {
    std::ios::sync_with_stdio(false);
    std::string line;
    while (std::getline(std::cin, line)) {
        const auto parts = split(line);
        if (parts.size() < 2 || (parts[0] == "headers" && parts.size() != 5)) {
            std::fputs("cmcd_decode: a line is no 'event|query|headers TAB payload'\n", stderr);
            return 2;
        }
        const auto batch = decode(parts);
        if (batch.batch.events.size() != 1) {
            std::puts("null");
            continue;
        }
        std::puts(describe(batch.batch.events.front()).c_str());
    }
    return 0;
}
