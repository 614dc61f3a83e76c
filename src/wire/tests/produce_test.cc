#include "wire/produce.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "wire/tests/shared_data.h"

namespace playhead::wire {
namespace {

using model::Dimension;
using model::EventKind;
using model::Measure;

constexpr std::int64_t kReceiveMs = 1'795'419'946'600;

std::vector<std::string> bodies_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::vector<std::string> bodies;
    for (std::string line; std::getline(file, line);) {
        const auto record = nlohmann::json::parse(line);
        if (!record.contains("body") || record["body"].is_null()) continue;
        const auto& body = record["body"];
        const std::string text = body.is_string() ? body.get<std::string>() : body.dump();
        if (!text.empty()) bodies.push_back(text);
    }
    return bodies;
}

std::map<EventKind, int> kinds_of(const std::vector<std::string>& bodies) {
    std::map<EventKind, int> kinds;
    for (const std::string& body : bodies) {
        const auto batch = decode_produce(body, kReceiveMs);
        EXPECT_TRUE(batch.has_value()) << (batch ? "" : batch.error().message) << body;
        if (!batch) continue;
        for (const model::Event& event : batch->events) ++kinds[event.kind];
    }
    return kinds;
}

TEST(Produce, DecodesEveryCapturedBody) {
    const std::filesystem::path folder = shared_data() / "captures/smartsight";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no captures in " << folder;
    auto vod = kinds_of(bodies_of(folder / "01-vod-complete.ndjson"));
    EXPECT_EQ(vod, (std::map<EventKind, int>{{EventKind::Load, 1},
                                             {EventKind::Rendition, 1},
                                             {EventKind::Start, 1},
                                             {EventKind::Stats, 5},
                                             {EventKind::Complete, 1}}));
    auto ads = kinds_of(bodies_of(folder / "05-ads-public-api.ndjson"));
    EXPECT_EQ(ads[EventKind::AdImpression], 3);
    EXPECT_EQ(ads[EventKind::AdPlay], 3);
    EXPECT_EQ(ads[EventKind::AdEnded], 3);
    EXPECT_EQ(ads[EventKind::AdBreakStart], 2);
    EXPECT_EQ(ads[EventKind::Custom], 0);
    auto old = kinds_of(bodies_of(folder / "09b-rn44-longkeys.ndjson"));
    EXPECT_EQ(old[EventKind::Stats], 6);
    EXPECT_EQ(old[EventKind::BufferStart], 2);
    EXPECT_EQ(old[EventKind::Error], 1);
    EXPECT_EQ(old[EventKind::Custom], 0);
    auto abandoned = kinds_of(bodies_of(folder / "13-abandon.ndjson"));
    EXPECT_EQ(abandoned[EventKind::Stats], 2);
}

model::EventBatch decoded(const std::string& body) {
    auto batch = decode_produce(body, kReceiveMs);
    EXPECT_TRUE(batch.has_value()) << (batch ? "" : batch.error().message);
    return batch ? std::move(*batch) : model::EventBatch{};
}

std::string refusal(const std::string& body, const ProduceLimits& limits = {}) {
    const auto batch = decode_produce(body, kReceiveMs, limits);
    EXPECT_FALSE(batch.has_value()) << body.substr(0, 200);
    if (batch) return {};
    EXPECT_EQ(batch.error().code, ErrorCode::InvalidArgument);
    return batch.error().message;
}

/// A compact record around the members of one `qd` entry.
std::string compact(const std::string& members) {
    return R"({"v":"2.0.0","qd":[{"sd":{"ci":900100200,"si":"s1"})" + members +
           R"(}],"t":1795419946572,"pt":4.5,"pd":5,"i":5})";
}

std::string with_event(const std::string& name, const std::string& description) {
    const nlohmann::json event{{"e", name}, {"dsc", description}, {"pt", 1.25}};
    return compact(",\"pe\":" + event.dump());
}

std::vector<model::MeasureValue> measures(const model::Event& event, Measure id) {
    std::vector<model::MeasureValue> found;
    for (const auto& value : event.measures) {
        if (value.id == id) found.push_back(value);
    }
    return found;
}

double measure(const model::Event& event, Measure id) {
    const auto found = measures(event, id);
    return found.empty() ? std::nan("") : found.back().value;
}

std::string_view attribute(const model::Event& event, Dimension id) {
    std::string_view found;
    for (const auto& value : event.attributes) {
        if (value.id != id) continue;
        EXPECT_TRUE(found.empty()) << "given twice";
        found = value.value;
    }
    return found;
}

TEST(Produce, ReadsRecordFieldsThatStandBehindTheEntries) {
    const auto batch = decoded(compact(R"(,"pe":{"e":"START","pt":0},"pif":[{"l":1211,"t":7}])"));
    const model::Event& event = batch.events.at(0);
    EXPECT_EQ(event.kind, EventKind::Start);
    EXPECT_EQ(event.name, "START");
    EXPECT_EQ(event.customer_id, 900100200U);
    EXPECT_EQ(event.session_id, "s1");
    EXPECT_EQ(event.client_ms, 1795419946572);
    EXPECT_EQ(event.receive_ms, kReceiveMs);
    EXPECT_EQ(event.position_s, 4.5);
    EXPECT_EQ(event.play_duration_s, 5);
    EXPECT_EQ(event.interval_s, 5);
    EXPECT_EQ(measure(event, Measure::StartupMs), 1211);
    EXPECT_EQ(measures(event, Measure::StartupMs)[0].client_ms, 7);
}

TEST(Produce, ReadsTheSameFromLongCompactAndMixedKeys) {
    const std::string bodies[] = {
        R"({"qd":[{"sd":{"ci":1,"si":"s","pn":"P","il":true,"pi":"x","sst":9},"cif":{"v":"12","p":"OS",
            "d":"TV"},"aif":{"p":"pre","pi":1,"d":6},"pe":{"e":"AD_PLAY"}}],"t":5})",
        R"({"qubitData":[{"streamID":{"custId":"1","sessionId":"s","playerName":"P","isLive":"true",
            "pId":"x","sst":"9"},"clientInfo":{"version":"12","platform":"OS","device":"TV"},"adInfo":
            {"adPosition":"pre","adPodIndex":"1","adDuration":"6"},"pbEventInfo":{"event":"AD_PLAY"}}],
            "timestamp":"5"})",
        R"({"t":5,"qubitData":[{"sd":{"custId":1,"si":"s","playerName":"P","il":1,"pId":"x","sst":9},
            "clientInfo":{"v":12,"platform":"OS","d":"TV"},"adInfo":{"p":"pre","pi":1,"adDuration":6},
            "pe":{"event":"AD_PLAY"}}]})",
    };
    for (const std::string& body : bodies) {
        const auto batch = decoded(body);
        const model::Event& event = batch.events.at(0);
        EXPECT_EQ(event.kind, EventKind::AdPlay);
        EXPECT_EQ(event.client_ms, 5);
        EXPECT_EQ(event.session_start_ms, 9);
        EXPECT_EQ(event.is_live, 1);
        EXPECT_EQ(event.payload_id, "x");
        EXPECT_EQ(attribute(event, Dimension::Player), "P");
        EXPECT_EQ(attribute(event, Dimension::OsVersion), "12");
        EXPECT_EQ(attribute(event, Dimension::Platform), "OS");
        EXPECT_EQ(attribute(event, Dimension::Device), "TV");
        ASSERT_NE(event.ad, nullptr);
        EXPECT_EQ(event.ad->position, "pre");
        EXPECT_EQ(event.ad->pod_index, 1);
        EXPECT_EQ(event.ad->duration_s, 6);
    }
}

TEST(Produce, RefusesRecordsWithoutIdentityAndNamesThem) {
    EXPECT_NE(refusal(R"({"qd":[{"sd":{"ci":null,"si":"s"}}]})").find("custId"), std::string::npos);
    EXPECT_NE(refusal(R"({"qd":[{"sd":{"ci":"acme-tv","si":"s"}}]})").find("acme-tv"),
              std::string::npos);
    EXPECT_NE(refusal(R"({"qd":[{"sd":{"ci":-5,"si":"s"}}]})").find("custId"), std::string::npos);
    EXPECT_NE(refusal(R"({"qd":[{"sd":{"ci":5}}]})").find("sessionId"), std::string::npos);
    const std::string good = R"({"qd":[{"sd":{"ci":5,"si":"s"}}]})";
    EXPECT_NE(refusal("[" + good + R"(,{"qd":[{"sd":{}}]}])").find("record 1"), std::string::npos);
    EXPECT_NE(refusal(R"({"t":5})").find("qubitData"), std::string::npos);
    EXPECT_NE(refusal(R"({"qd":[]})").find("qubitData"), std::string::npos);
    EXPECT_NE(refusal(R"({"qd":{}})").find("array"), std::string::npos);
}

TEST(Produce, TakesArraysOfRecordsAndSeveralEntries) {
    const std::string two = R"({"qd":[{"sd":{"ci":5,"si":"a"}},{"sd":{"ci":6,"si":"b"}}],"t":7})";
    const auto batch = decoded("[" + two + "," + two + "]");
    ASSERT_EQ(batch.events.size(), 4U);
    for (const auto& event : batch.events) EXPECT_EQ(event.client_ms, 7);
    EXPECT_EQ(batch.events[3].session_id, "b");
    EXPECT_TRUE(decoded("[]").events.empty());
}

TEST(Produce, RefusesWhatIsNotJsonOrTooMuch) {
    for (const char* body : {"",
                             " ",
                             "5",
                             "\"x\"",
                             "null",
                             "{",
                             "[",
                             "[1]",
                             "{}x",
                             "[] []",
                             "{\"a\":NaN}",
                             "{\"a\":1e999}",
                             "{\"a\":\"\xff\"}",
                             "{\"a\":tru}",
                             "{\"a\":nul}",
                             "{\"a\":[1 2]}",
                             "{\"a\" 1}",
                             "{\"a\":01}",
                             "{'a':1}",
                             "{\"a\":\"\n\"}",
                             "{\"a\":\"\\x\"}",
                             "{\"a\":1,}"}) {
        EXPECT_FALSE(refusal(body).empty()) << body;
    }
    std::string deep = R"({"qd":[{"sd":{"ci":5,"si":"s"},"x":)";
    for (int depth = 0; depth < 20; ++depth) deep += "[";
    for (int depth = 0; depth < 20; ++depth) deep += "]";
    EXPECT_NE(refusal(deep + "}]}").find("deep"), std::string::npos);
    ProduceLimits limits;
    limits.records_max = 2;
    EXPECT_NE(refusal(R"({"qd":[{"sd":{"ci":5,"si":"s"}},{"sd":{"ci":5,"si":"s"}},{}]})", limits)
                  .find("too many records"),
              std::string::npos);
    limits.keys_max = 3;
    EXPECT_NE(refusal(compact(""), limits).find("too many keys"), std::string::npos);
    EXPECT_NE(refusal(R"({"qd":[{"sd":{"ci":5,"si":"s"},"x":[1 2]}]})").find("byte"),
              std::string::npos);
}

TEST(Produce, DropsSingleValuesThatMakeNoSense) {
    const auto batch = decoded(
        R"({"qd":[{"sd":{"ci":5,"si":"s","pn":["x"],"sst":-4},"pif":[{"sb":-5,"us":"3","ds":"x",
        "gm":null,"fl":true}],"sif":{"td":-1},"cif":{"asn":"64500"}}],"t":-7,"pt":null,"pd":"12"})");
    const model::Event& event = batch.events.at(0);
    EXPECT_EQ(event.client_ms, 0);
    EXPECT_EQ(event.session_start_ms, 0);
    EXPECT_TRUE(std::isnan(event.position_s));
    EXPECT_EQ(event.play_duration_s, 12);
    EXPECT_EQ(measure(event, Measure::UpShifts), 3);
    EXPECT_EQ(measure(event, Measure::TotalDurationS), -1);
    EXPECT_TRUE(std::isnan(measure(event, Measure::StallSumMs)));
    EXPECT_EQ(event.asn, 64500U);
    EXPECT_GE(batch.dropped_keys, 4U);
}

TEST(Produce, TellsStatsPingAndEventsApart) {
    EXPECT_EQ(decoded(compact("")).events.at(0).kind, EventKind::Stats);
    EXPECT_EQ(
        decoded(R"({"qd":[{"sd":{"ci":5,"si":"s","dsr":"Player-ping"}}],"t":1})").events[0].kind,
        EventKind::Ping);
    EXPECT_EQ(decoded(with_event("RF_VIDEO", "{\"code\":404}")).events[0].kind,
              EventKind::RequestFailed);
    EXPECT_EQ(decoded(with_event("RC_AUDIO", "{}")).events[0].kind, EventKind::RequestCancelled);
    EXPECT_EQ(decoded(with_event("AD_PLAYED_SECOND_QUARTILE", "")).events[0].kind,
              EventKind::AdMidpoint);
    EXPECT_EQ(decoded(with_event("MY_EVENT", "x")).events[0].kind, EventKind::Custom);
}

TEST(Produce, GivesEachMeasureItsOwnTime) {
    const auto batch = decoded(compact(
        R"(,"pif":[{"t":1000,"bw":1528,"bwt":"CIRR","gm":1},{"bw":883,"bwt":"VRT","t":2000},
        {"bu":4000,"t":3000}],"sgi":[{"cb":1500000,"r":"1280x720","t":4000,"cz":400000,"dr":3000000},
        {"cb":3000000,"r":"1920x1080","t":5000,"du":-1,"cz":0,"qz":0,"dr":9}])"));
    const model::Event& event = batch.events.at(0);
    EXPECT_EQ(measures(event, Measure::StallMs).at(0).client_ms, 1000);
    EXPECT_EQ(measures(event, Measure::StallMs).at(0).value, 1528);
    EXPECT_EQ(measures(event, Measure::SeekStallMs).at(0).client_ms, 2000);
    EXPECT_EQ(measures(event, Measure::SeekStallMs).at(0).value, 883);
    EXPECT_DOUBLE_EQ(measure(event, Measure::BandwidthKbps), 4096);
    const auto rates = measures(event, Measure::BitrateKbps);
    ASSERT_EQ(rates.size(), 2U);
    EXPECT_EQ(rates[0].value, 1500);
    EXPECT_EQ(rates[0].client_ms, 4000);
    EXPECT_EQ(rates[1].value, 3000);
    EXPECT_EQ(attribute(event, Dimension::Resolution), "1920x1080");
    ASSERT_EQ(measures(event, Measure::SegmentBytes).size(), 1U);
    EXPECT_EQ(measure(event, Measure::SegmentBytes), 400000);
    ASSERT_EQ(measures(event, Measure::DownloadRateKbps).size(), 1U);
    EXPECT_EQ(measure(event, Measure::DownloadRateKbps), 3000);
}

TEST(Produce, ReadsEveryFormOfError) {
    struct Case {
        const char* text;
        model::Severity severity;
        const char *code, *message, *details;
    };
    const Case cases[] = {
        {"4001_Decode failed@@FATAL@@stack", model::Severity::Fatal, "4001", "Decode failed",
         "stack"},
        {"NA_slow@@WARNING@@NA", model::Severity::Warning, "", "slow", ""},
        {R"(22001_IO_{"a":1})", model::Severity::Unknown, "22001", "IO", R"({"a":1})"},
        {R"({"errorCode":"22001","errorString":"IO"})", model::Severity::Unknown, "22001", "IO",
         R"({"errorCode":"22001","errorString":"IO"})"},
        {R"({"error":{"code":-11800,"message":"The \"x\""}})", model::Severity::Unknown, "-11800",
         "The \"x\"", R"({"error":{"code":-11800,"message":"The \"x\""}})"},
        {"{broken", model::Severity::Unknown, "", "{broken", ""},
        {"plain text", model::Severity::Unknown, "", "plain text", ""},
    };
    for (const Case& expected : cases) {
        const auto batch = decoded(with_event("ERROR", expected.text));
        const model::ErrorFacts& error = batch.events.at(0).error;
        EXPECT_EQ(error.severity, expected.severity) << expected.text;
        EXPECT_EQ(error.code, expected.code);
        EXPECT_EQ(error.message, expected.message);
        EXPECT_EQ(error.details, expected.details);
        EXPECT_EQ(batch.events[0].text, expected.text);
    }
}

TEST(Produce, ReadsWhatARenditionOrTrackChangedTo) {
    const auto batch = decoded(with_event(
        "RENDITION_CHANGE",
        R"({"Bitrate":"Prev: 0, New: 1500000","Res":"Prev: 0x0, New: 1280x720","VCodec":"Prev: NA, )"
        R"(New: avc1.64001f","ACodec":"Prev: NA, New: mp4a.40.2","FPS":"Prev: 0.0, New: 29.97"})"));
    const model::Event& event = batch.events.at(0);
    EXPECT_EQ(measure(event, Measure::BitrateKbps), 1500);
    EXPECT_EQ(measure(event, Measure::Fps), 29.97);
    EXPECT_EQ(attribute(event, Dimension::Resolution), "1280x720");
    EXPECT_EQ(attribute(event, Dimension::VideoCodec), "avc1.64001f");
    EXPECT_EQ(attribute(event, Dimension::AudioCodec), "mp4a.40.2");
    const auto audio = decoded(with_event("AUDIO_CHANGE", "Prev: NA, New: English"));
    EXPECT_EQ(attribute(audio.events.at(0), Dimension::AudioTrack), "English");
    const auto text =
        decoded(with_event("SUBTITLE_CHANGE", R"({"Subtitle":"Prev: OFF, New: en-CC"})"));
    EXPECT_EQ(attribute(text.events.at(0), Dimension::SubtitleTrack), "en-CC");
}

TEST(Produce, RestoresTagNamesThatTheSdkShortened) {
    const auto batch =
        decoded(compact(R"(,"ctg":{"g":"TagGenre","n":42,"b":true,"z":null,"s":""})"));
    const auto& tags = batch.events.at(0).tags;
    ASSERT_EQ(tags.size(), 4U);
    EXPECT_EQ(tags[0].name, "genre");
    EXPECT_EQ(tags[1].value, "42");
    EXPECT_EQ(tags[2].value, "true");
    const auto plain = decoded(compact(R"(,"customTags":{"g":"own"})"));
    EXPECT_EQ(plain.events.at(0).tags.at(0).name, "g");
}

TEST(Produce, KeepsTheScreenApartFromTheAd) {
    const auto batch = decoded(compact(
        R"(,"pe":{"e":"AD_PLAY"},"aif":{"r":"640x360","b":1800},"cif":{"sr":"640x360"},"pif":[{"l":9}])"));
    EXPECT_EQ(attribute(batch.events.at(0), Dimension::ScreenResolution), "");
    EXPECT_EQ(batch.events[0].ad->resolution, "640x360");
    EXPECT_EQ(batch.events[0].ad->bitrate_kbps, 1800);
    EXPECT_EQ(measure(batch.events[0], Measure::StartupMs), 9);
}

TEST(Produce, ReadsAStreamFormatThatIsAnObject) {
    const auto batch = decoded(compact(
        R"(,"sif":{"sf":{"sf":"HLS","mt":"Video","sct":"CDN","il":false,"duration":60000}})"));
    const model::Event& event = batch.events.at(0);
    EXPECT_EQ(attribute(event, Dimension::StreamFormat), "HLS");
    EXPECT_EQ(attribute(event, Dimension::MediaType), "Video");
    EXPECT_EQ(measure(event, Measure::TotalDurationS), 60);
    EXPECT_EQ(event.is_live, 0);
}

TEST(Produce, CutsLongTextAtACharacter) {
    std::string name(511, 'x');
    name += "\u00fc\u00fc";
    const auto batch = decoded(compact(R"(,"cm":{"an":")" + name + R"("})"));
    EXPECT_EQ(attribute(batch.events.at(0), Dimension::AssetName), std::string(511, 'x'));
}

TEST(Produce, ReadsApplicationEvents) {
    const auto batch = decoded(
        R"({"timestamp":1795420294042,"qubitData":[{"streamID":{"custId":"900100200","sessionId":"a",
        "pId":"p","dataSrc":"Application","subscriberId":"sub"},"sdkInfo":{"sdkVersion":"JSSDK1.0.0"},
        "appEventInfo":{"eventName":"SCREEN_VIEW","eventType":"SCREEN","currentScreen":"Home",
        "isGraceful":true,"eventData":{"duration":"3600","fields":"[\"name\"]"}},
        "userInfo":{"profileId":"prof-9","referralId":"ref-1"},
        "clientInfo":{"appName":"CapApp","deviceType":"desktop","osVersion":"11"}}]})");
    const model::Event& event = batch.events.at(0);
    EXPECT_EQ(event.kind, EventKind::Application);
    EXPECT_EQ(event.protocol, model::Protocol::AppAnalytics);
    EXPECT_EQ(event.name, "SCREEN_VIEW");
    ASSERT_NE(event.app, nullptr);
    EXPECT_EQ(event.app->event_type, "SCREEN");
    EXPECT_EQ(event.app->screen, "Home");
    EXPECT_TRUE(event.app->is_graceful);
    EXPECT_EQ(event.app->profile_id, "prof-9");
    EXPECT_EQ(event.app->referral_id, "ref-1");
    EXPECT_EQ(event.app->device_type, "desktop");
    ASSERT_EQ(event.app->data.size(), 2U);
    EXPECT_EQ(event.app->data[1].second, "[\"name\"]");
    EXPECT_EQ(attribute(event, Dimension::OsVersion), "11");
}

TEST(Produce, SurvivesBeingMovedWithAShortBody) {
    auto batch = decoded(R"([{"qd":[{"sd":{"ci":5,"si":"s"}}]}])");
    const model::EventBatch moved = std::move(batch);
    EXPECT_EQ(moved.events.at(0).session_id, "s");
}

TEST(Produce, RefusesEveryTruncationOfABody) {
    const std::string body = compact(
        R"(,"pe":{"e":"ERROR","dsc":"{\"errorCode\":\"22001\"}"},"sgi":[{"cb":1500000,"du":-1.5}])");
    ASSERT_TRUE(decode_produce(body, kReceiveMs).has_value());
    for (std::size_t size = 0; size < body.size(); ++size) {
        EXPECT_FALSE(decode_produce(body.substr(0, size), kReceiveMs).has_value()) << size;
    }
}

TEST(Produce, NeverFailsOnARepeatedKeyOrAStrayByte) {
    const std::string body = compact(R"(,"pe":{"e":"START","e":"PAUSE"},"sd":{"si":"other"})");
    const auto twice = decoded(body);
    EXPECT_EQ(twice.events.at(0).kind, EventKind::Pause);
    EXPECT_EQ(twice.events[0].session_id, "other");
    rc::check("one changed byte either decodes to bounded events or is refused", [&] {
        std::string changed = body;
        changed[*rc::gen::inRange<std::size_t>(0, changed.size())] = *rc::gen::arbitrary<char>();
        const auto batch = decode_produce(changed, kReceiveMs);
        if (!batch) {
            RC_ASSERT(!batch.error().message.empty());
            return;
        }
        for (const auto& event : batch->events) {
            RC_ASSERT(event.customer_id != 0U);
            RC_ASSERT(!event.session_id.empty());
        }
    });
}

}  // namespace
}  // namespace playhead::wire
