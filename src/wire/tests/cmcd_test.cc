#include "wire/cmcd.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "wire/tests/shared_data.h"

namespace playhead::wire {
namespace {

using model::Dimension;
using model::Event;
using model::EventKind;
using model::Measure;
using model::PlayerState;

constexpr std::int64_t kNowMs = 1'795'419'382'300;
const CmcdSource kSource{900100200, "path-sid", kNowMs, {}};

double measure(const Event& event, Measure id) {
    for (const auto& value : event.measures) {
        if (value.id == id) return value.value;
    }
    return std::nan("");
}

std::string_view attribute(const Event& event, Dimension id) {
    for (const auto& value : event.attributes) {
        if (value.id == id) return value.value;
    }
    return {};
}

Event only(CmcdBatch& result) {
    EXPECT_EQ(result.batch.events.size(), 1U);
    if (result.batch.events.empty()) return {};
    return std::move(result.batch.events[0]);
}

TEST(CmcdEvents, AreReadFromTheirBody) {
    auto result = decode_cmcd_events(
        "bl=(4800),br=(1830;v 128;a),cid=\"film\",com.example-tenant=\"acme\",e=rr,mtp=(5400),"
        "rc=200,sf=h,sid=\"s1\",sn=11,st=v,sta=p,ts=1795419384939,ttfb=25,ttlb=683,d=4000,ot=av,"
        "url=\"http://user@cdn.test:8080/a/seg.ts?x=1\",v=2,bs,nr,su\n",
        kSource);
    const Event event = only(result);
    EXPECT_EQ(event.kind, EventKind::Response);
    EXPECT_EQ(event.protocol, model::Protocol::CmcdEvent);
    EXPECT_EQ(event.session_id, "s1");
    EXPECT_EQ(event.customer_id, 900100200U);
    EXPECT_EQ(event.client_ms, 1795419384939);
    EXPECT_EQ(event.receive_ms, kNowMs);
    EXPECT_EQ(event.sequence, 11);
    EXPECT_EQ(event.target, "event");
    EXPECT_EQ(event.state, PlayerState::Playing);
    EXPECT_EQ(event.object_type, 'b');
    EXPECT_EQ(event.is_live, 0);
    EXPECT_TRUE(event.flag);
    EXPECT_TRUE(event.not_rendered);
    EXPECT_TRUE(event.is_urgent);
    EXPECT_EQ(measure(event, Measure::BufferLengthMs), 4800);
    EXPECT_EQ(measure(event, Measure::BitrateKbps), 1958);
    EXPECT_EQ(measure(event, Measure::SegmentBytes), 1958.0 * 4000 / 8);
    EXPECT_EQ(measure(event, Measure::ThroughputKbps), 5400);
    EXPECT_EQ(measure(event, Measure::ResponseCode), 200);
    EXPECT_EQ(measure(event, Measure::FirstByteMs), 25);
    EXPECT_EQ(measure(event, Measure::ResponseMs), 683);
    EXPECT_EQ(attribute(event, Dimension::StreamFormat), "HLS");
    EXPECT_EQ(attribute(event, Dimension::AssetId), "film");
    EXPECT_EQ(attribute(event, Dimension::SourceHostName), "cdn.test");
    ASSERT_EQ(event.tags.size(), 1U);
    EXPECT_EQ(event.tags[0].name, "com.example-tenant");
    EXPECT_EQ(event.tags[0].value, "acme");
}

TEST(CmcdEvents, KeepTheirNeighboursWhenOneIsBad) {
    const auto result = decode_cmcd_events(
        "e=t,ts=1795419384939,v=2\r\n"
        "garbage\n"
        "\n"
        "   e=ps,sta=r,ts=1795419384940,v=2  \n"
        "e=ps,sta=p,ts=1795419384940,v=3\n"
        "\xff\xfe,e=t,v=2\n",
        kSource);
    ASSERT_EQ(result.batch.events.size(), 2U);
    EXPECT_EQ(result.records_bad, 2U);
    EXPECT_EQ(result.records_unknown_version, 1U);
    EXPECT_EQ(result.batch.events[0].kind, EventKind::Heartbeat);
    EXPECT_EQ(result.batch.events[0].session_id, "path-sid");
    EXPECT_EQ(result.batch.events[1].state, PlayerState::Rebuffering);
}

TEST(CmcdEvents, AreResynchronisedAtTheNextComma) {
    auto result = decode_cmcd_events(
        "br=(1 2,cid=\"open,e=ps,mtp=(1;v 2x),sid=abc-123,sn=x,sta=\"p\",ts=1795419384939,v=2",
        kSource);
    const Event event = only(result);
    EXPECT_EQ(event.kind, EventKind::State);
    EXPECT_EQ(event.state, PlayerState::Playing);
    EXPECT_EQ(event.session_id, "abc-123");
    EXPECT_EQ(event.sequence, -1);
    EXPECT_GE(result.batch.dropped_keys, 3U);
}

TEST(CmcdEvents, TakeScalarsForListsAndTheReverse) {
    auto result = decode_cmcd_events(
        "e=\"ps\",sta=\"w\",bl=4000,br=1600,tb=3000,rtp=(5),pr=(1.5),ts=1795419384939,v=2",
        kSource);
    const Event event = only(result);
    EXPECT_EQ(event.state, PlayerState::Waiting);
    EXPECT_EQ(measure(event, Measure::BufferLengthMs), 4000);
    EXPECT_EQ(measure(event, Measure::BitrateKbps), 1600);
    EXPECT_EQ(measure(event, Measure::TopBitrateKbps), 3000);
    EXPECT_EQ(measure(event, Measure::PlayRate), 1.5);
}

TEST(CmcdEvents, CountAnErrorOnlyWhenItIsOne) {
    auto result = decode_cmcd_events(
        "e=t,ec=27,ts=1795419384939,v=2\ne=e,ec=27,sta=f,ts=1795419384940,v=2\n"
        "e=e,ec=(\"a\" \"b\"),ts=1795419384941,v=2\ne=e,ts=1795419384942,v=2",
        kSource);
    ASSERT_EQ(result.batch.events.size(), 4U);
    EXPECT_TRUE(result.batch.events[0].error.code.empty());
    EXPECT_EQ(result.batch.events[1].error.code, "27");
    EXPECT_EQ(result.batch.events[1].error.severity, model::Severity::Fatal);
    EXPECT_EQ(result.batch.events[2].error.code, "a");
    EXPECT_EQ(result.batch.events[2].text, "a b");
    EXPECT_EQ(result.batch.events[3].kind, EventKind::Error);
}

TEST(CmcdEvents, MapEveryEventOfTheStandard) {
    const std::map<std::string, EventKind> kinds{
        {"ps", EventKind::State},       {"t", EventKind::Heartbeat},
        {"rr", EventKind::Response},    {"bc", EventKind::Rendition},
        {"e", EventKind::Error},        {"c", EventKind::ContentChange},
        {"h", EventKind::CdnChange},    {"b", EventKind::Background},
        {"pr", EventKind::Rate},        {"m", EventKind::Volume},
        {"um", EventKind::Volume},      {"pe", EventKind::Resize},
        {"pc", EventKind::Resize},      {"abs", EventKind::AdBreakStart},
        {"abe", EventKind::AdBreakEnd}, {"as", EventKind::AdPlay},
        {"ae", EventKind::AdEnded},     {"sk", EventKind::AdSkip},
        {"ce", EventKind::Custom},      {"new", EventKind::Custom}};
    for (const auto& [token, kind] : kinds) {
        auto result = decode_cmcd_events("e=" + token + ",ts=1795419384939,v=2,bg", kSource);
        const Event event = only(result);
        EXPECT_EQ(event.kind, kind) << token;
        EXPECT_EQ(event.name, token);
        EXPECT_EQ(event.flag, token == "b") << token;
    }
}

TEST(CmcdEvents, TakeSecondsForMillisecondsOnlyWhenThatIsPlausible) {
    auto seconds = decode_cmcd_events("e=t,ts=1795419384,v=2", kSource);
    EXPECT_EQ(only(seconds).client_ms, 1795419384000);
    auto nonsense = decode_cmcd_events("e=t,ts=12345,v=2", kSource);
    EXPECT_EQ(only(nonsense).client_ms, 0);
    EXPECT_EQ(nonsense.batch.dropped_keys, 1U);
}

TEST(CmcdEvents, DropTextOverItsLimit) {
    const std::string sid(65, 's');
    const std::string cid(129, 'c');
    auto result = decode_cmcd_events(
        "e=t,ts=1795419384939,v=2,sid=\"" + sid + "\",cid=\"" + cid + "\"", kSource);
    const Event event = only(result);
    EXPECT_EQ(event.session_id, "path-sid");
    EXPECT_EQ(attribute(event, Dimension::AssetId), "");
    EXPECT_EQ(result.batch.dropped_keys, 2U);
}

TEST(CmcdEvents, FailedResponsesCarryNoBytes) {
    auto result = decode_cmcd_events("e=rr,rc=404,br=(800;v),d=4000,ts=1795419384939,v=2", kSource);
    EXPECT_TRUE(std::isnan(measure(only(result), Measure::SegmentBytes)));
}

TEST(CmcdRequest, IsReadFromTheQuery) {
    auto result = decode_cmcd_request(
        "?a=1&CMCD=br%3D3200%2Cbs%2Cbl%3D25681.14700000001%2C+cid%3D%22a+b%22%2Cd%3D4004%2Cot%3Dv"
        "%2Csid%3D%22s9%22%2Cst%3Dl%2Ce%3Dps",
        {}, kSource);
    const Event event = only(result);
    EXPECT_EQ(event.kind, EventKind::Request);
    EXPECT_EQ(event.protocol, model::Protocol::CmcdRequest);
    EXPECT_EQ(event.session_id, "s9");
    EXPECT_EQ(event.is_live, 1);
    EXPECT_EQ(event.object_type, 'v');
    EXPECT_EQ(attribute(event, Dimension::AssetId), "a b");
    EXPECT_NEAR(measure(event, Measure::BufferLengthMs), 25681.147, 0.001);
    EXPECT_EQ(measure(event, Measure::SegmentBytes), 3200.0 * 4004 / 8);
}

TEST(CmcdRequest, HeadersWinOverTheQuery) {
    CmcdHeaders headers;
    headers.object = "br=3200,ot=v";
    headers.session = "sid=\"header\",sf=d";
    headers.status = "bs";
    headers.request = "bl=100";
    auto result = decode_cmcd_request("CMCD=sid%3D%22query%22", headers, kSource);
    const Event event = only(result);
    EXPECT_EQ(event.session_id, "header");
    EXPECT_EQ(attribute(event, Dimension::StreamFormat), "DASH");
    EXPECT_EQ(measure(event, Measure::BufferLengthMs), 100);
    EXPECT_TRUE(event.flag);
}

TEST(CmcdRequest, WithoutCmcdIsNothing) {
    const auto result = decode_cmcd_request("a=1", {}, kSource);
    EXPECT_TRUE(result.batch.events.empty());
    EXPECT_EQ(result.records_bad, 0U);
}

TEST(CmcdRequest, DraftEventsByGetAreEvents) {
    auto result = decode_cmcd_request(
        "CMCD=e%3D%22ps%22%2Csta%3D%22r%22%2Csn%3D1%2Cts%3D1795419384939%2Cv%3D2", {}, kSource);
    const Event event = only(result);
    EXPECT_EQ(event.kind, EventKind::State);
    EXPECT_EQ(event.state, PlayerState::Rebuffering);
    EXPECT_EQ(event.protocol, model::Protocol::CmcdEvent);
}

TEST(CmcdCaptures, AllDecode) {
    const auto folder = shared_data() / "captures/hlsjs";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no captures in " << folder;
    std::map<EventKind, int> kinds;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".ndjson") continue;
        for (const std::string& line : lines_of(entry.path())) {
            const auto record = nlohmann::json::parse(line);
            const std::string url = record.value("url", "");
            CmcdHeaders headers;
            std::vector<std::string> raw = record.value("rawHeaders", std::vector<std::string>());
            for (std::size_t at = 0; at + 1 < raw.size(); at += 2) {
                if (raw[at] == "CMCD-Object") headers.object = raw[at + 1];
                if (raw[at] == "CMCD-Request") headers.request = raw[at + 1];
                if (raw[at] == "CMCD-Session") headers.session = raw[at + 1];
                if (raw[at] == "CMCD-Status") headers.status = raw[at + 1];
            }
            const std::size_t mark = url.find('?');
            const std::string query = mark == std::string::npos ? "" : url.substr(mark + 1);
            const bool is_event = record.contains("body") && record["body"].is_string() &&
                                  !record["body"].get<std::string>().empty();
            const auto result = is_event ? decode_cmcd_events(record["body"], kSource)
                                         : decode_cmcd_request(query, headers, kSource);
            EXPECT_EQ(result.records_bad, 0U) << line;
            EXPECT_EQ(result.batch.dropped_keys, 0U) << line;
            for (const Event& event : result.batch.events) {
                ++kinds[event.kind];
                EXPECT_NE(event.session_id, "path-sid") << line;
            }
        }
    }
    EXPECT_GT(kinds[EventKind::Request], 100);
    EXPECT_GT(kinds[EventKind::State], 20);
    EXPECT_GT(kinds[EventKind::Response], 40);
    EXPECT_EQ(kinds[EventKind::Custom], 0);
}

TEST(CmcdCaptures, BitmovinLogsDecode) {
    const auto folder = shared_data() / "cmcd-validator";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no logs in " << folder;
    int urls = 0;
    for (const std::string& line : lines_of(folder / "cmcd-bitmovin-url.log")) {
        if (!line.starts_with("CMCD=")) continue;
        auto result = decode_cmcd_request(line, {}, kSource);
        EXPECT_EQ(only(result).session_id, "6e2fb550-c457-11e9-bb97-0800200c9a66") << line;
        ++urls;
    }
    EXPECT_GT(urls, 300);
    int records = 0;
    for (const std::string& line : lines_of(folder / "cmcd-bitmovin-headers.log")) {
        if (!line.starts_with("{CMCD")) continue;
        const auto header = [&](const std::string& name) {
            const std::size_t at = line.find(name + ": '");
            if (at == std::string::npos) return std::string();
            const std::size_t start = at + name.size() + 3;
            return line.substr(start, line.find('\'', start) - start);
        };
        const std::string request = header("CMCD-Request");
        const std::string object = header("CMCD-Object");
        const std::string status = header("CMCD-Status");
        const std::string session = header("CMCD-Session");
        auto result = decode_cmcd_request("", {request, object, status, session}, kSource);
        const Event event = only(result);
        EXPECT_EQ(event.session_id, "6e2fb550-c457-11e9-bb97-0800200c9a66") << line;
        EXPECT_EQ(result.batch.dropped_keys, 0U) << line;
        ++records;
    }
    EXPECT_GT(records, 300);
}

}  // namespace
}  // namespace playhead::wire
