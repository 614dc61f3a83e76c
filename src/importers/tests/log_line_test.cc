#include "importers/log_line.h"

#include <gtest/gtest.h>

#include "importers/cmcd_report.h"
#include "importers/log_time.h"
#include "wire/cmcd.h"

namespace playhead::importers {
namespace {

// 2026-10-24T13:55:36Z
constexpr std::int64_t kTimeMs = 1'792'850'136'000;
constexpr std::uint64_t kCustomer = 7;

LogRecord parse_one(LogFormat format, const std::string& line, const std::string& fields = {}) {
    auto parser = LogLineParser::create(format, fields);
    EXPECT_TRUE(parser) << (parser ? "" : parser.error().message);
    auto record = parser->parse(line);
    EXPECT_TRUE(record) << (record ? "" : record.error().message);
    return record && *record ? **record : LogRecord{};
}

/// The event that the collector makes of what the line becomes.
struct Decoded {
    wire::CmcdBatch batch;
    std::string body;
    const model::Event& event() const { return batch.batch.events.at(0); }
    double measure(model::Measure id) const {
        for (const auto& value : event().measures) {
            if (value.id == id) return value.value;
        }
        return -1;
    }
};

Decoded decode(const LogRecord& record, std::uint64_t id = 1) {
    auto made = translate_cmcd(record, kCustomer, id);
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    EXPECT_TRUE(made && made->report) << (made ? made->left_out : "");
    Decoded decoded;
    if (!made || !made->report) return decoded;
    decoded.body = made->report->body;
    wire::CmcdSource source;
    source.customer_id = kCustomer;
    source.receive_ms = kTimeMs + 3'600'000;  // as a server would receive it later
    decoded.batch = wire::decode_cmcd_request(decoded.body, {}, source);
    return decoded;
}

void expect_usual(const Decoded& decoded) {
    ASSERT_EQ(decoded.batch.batch.events.size(), 1U) << decoded.body;
    const model::Event& event = decoded.event();
    EXPECT_EQ(event.session_id, "s-1");
    EXPECT_EQ(event.client_ms, kTimeMs);
    EXPECT_EQ(event.kind, model::EventKind::Request);
    EXPECT_EQ(event.object_type, 'v');
    EXPECT_TRUE(event.flag);
    EXPECT_EQ(decoded.measure(model::Measure::BitrateKbps), 3200);
    EXPECT_EQ(decoded.measure(model::Measure::ThroughputKbps), 25400);
    EXPECT_EQ(decoded.measure(model::Measure::ObjectDurationMs), 4000);
    EXPECT_EQ(decoded.batch.batch.dropped_keys, 0U);
}

constexpr const char* kQuery =
    "CMCD=br%3D3200%2Cbs%2Cd%3D4000%2Cmtp%3D25400%2Cot%3Dv%2Csid%3D%22s-1%22";

TEST(LogLine, CloudFrontStandardByItsOwnFields) {
    auto parser = *LogLineParser::create(LogFormat::CloudFront, {});
    auto comment = parser.parse("#Version: 1.0");
    ASSERT_TRUE(comment);
    EXPECT_FALSE(*comment);
    auto fields = parser.parse(
        "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status "
        "cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id "
        "x-host-header");
    ASSERT_TRUE(fields);
    EXPECT_FALSE(*fields);
    const auto record = parser.parse(
        "2026-10-24\t13:55:36\tFRA56-P4\t1500\t203.0.113.9\tGET\td111.cloudfront.net\t/v/seg-1.ts\t"
        "200\t-\tMozilla/5.0%20(X11;%20Linux)\tfoo=1&" +
        std::string(kQuery) + "\t-\tHit\tabc==\tvideo.example.test");
    ASSERT_TRUE(record && *record);
    EXPECT_EQ((*record)->time_ms, kTimeMs);
    EXPECT_EQ((*record)->address, "203.0.113.9");
    EXPECT_EQ((*record)->user_agent, "Mozilla/5.0 (X11; Linux)");
    EXPECT_EQ((*record)->host, "video.example.test");
    EXPECT_EQ((*record)->path, "/v/seg-1.ts");
    expect_usual(decode(**record));
    // The whole order of the standard log, without its header.
    std::string line = "2026-10-24\t13:55:36";
    for (int column = 3; column <= 33; ++column) {
        line += column == 12 ? "\t" + std::string(kQuery) : std::string("\t-");
    }
    expect_usual(decode(parse_one(LogFormat::CloudFront, line)));
    expect_usual(decode(parse_one(LogFormat::Auto, line)));
}

TEST(LogLine, CloudFrontEncodesTwice) {
    const std::string line =
        "2026-10-24\t13:55:36\t/v/1.ts\tMozilla/5.0%2520(X)\t"
        "CMCD=br%253D3200%252Cbs%252Cd%253D4000%252Cmtp%253D25400%252Cot%253Dv%252Csid%253D%2522s-"
        "1%2522";
    const auto record =
        parse_one(LogFormat::CloudFront, line, "date,time,cs-uri-stem,cs(User-Agent),cs-uri-query");
    EXPECT_EQ(record.user_agent, "Mozilla/5.0 (X)");
    expect_usual(decode(record));
}

TEST(LogLine, CloudFrontRealTimeFieldsAndHeaders) {
    expect_usual(decode(parse_one(
        LogFormat::CloudFrontRealTime,
        "1792850136.000\t203.0.113.9\tvideo.example.test\t/v/1.ts\t3200\ttrue\t4000\t25400\tv\ts-1",
        "timestamp,c-ip,cs-host,cs-uri-stem,cmcd-encoded-bitrate,cmcd-buffer-starvation,"
        "cmcd-object-duration,cmcd-measured-throughput,cmcd-object-type,cmcd-session-id")));
    expect_usual(decode(parse_one(
        LogFormat::CloudFrontRealTime,
        "1792850136.000\tHost:video.example.test%0ACMCD-Request:mtp=25400%0ACMCD-Object:br=3200,d="
        "4000,ot=v%0ACMCD-Status:bs%0ACMCD-Session:sid=%22s-1%22%0A",
        "timestamp,cs-headers")));
    std::string all = "1792850136.000";
    for (int column = 2; column <= 64; ++column) {
        all += column == 21 ? "\t" + std::string(kQuery) : std::string("\t-");
    }
    expect_usual(decode(parse_one(LogFormat::CloudFrontRealTime, all)));
    expect_usual(decode(parse_one(LogFormat::Auto, all)));
}

TEST(LogLine, AkamaiDataStream2) {
    const std::string head =
        R"({"version":"1","reqTimeSec":"1792850136.000","cliIP":"203.0.113.9","reqHost":"video.)"
        R"j(example.test","reqPath":"v/seg-1.ts","UA":"Mozilla%2F5.0%20(X)",)j";
    for (const std::string& rest :
         {R"("queryStr":")" + std::string(kQuery) + "\"}",
          std::string(R"j("cmcd":"//1.0@V/br=3200,bs,d=4000,mtp=25400,ot=v,sid=%22s-1%22"})j")}) {
        for (const LogFormat format : {LogFormat::Akamai, LogFormat::Auto}) {
            const auto record = parse_one(format, head + rest);
            EXPECT_EQ(record.time_ms, kTimeMs);
            EXPECT_EQ(record.user_agent, "Mozilla/5.0 (X)");
            expect_usual(decode(record));
        }
    }
    expect_usual(
        decode(parse_one(LogFormat::Akamai, "1 1792850136 203.0.113.9 ^ " + std::string(kQuery),
                         "version,reqTimeSec,cliIP,referer,queryStr")));
}

TEST(LogLine, FastlyJsonAndSyslog) {
    const std::string json =
        R"({"timestamp":"2026-10-24T15:55:36+0200","client_ip":"203.0.113.9","host":"video.example.)"
        R"(test","url":"/v/seg-1.ts?)" +
        std::string(kQuery) +
        R"j(","request_user_agent":"Mozilla/5.0 (X)","request":"GET","n":1})j";
    const auto record = parse_one(LogFormat::Fastly, json);
    EXPECT_EQ(record.path, "/v/seg-1.ts");
    EXPECT_EQ(record.user_agent, "Mozilla/5.0 (X)");
    expect_usual(decode(record));
    const std::string syslog = "<134>2026-10-24T13:55:36Z cache-fra1 cdn[62959]: ";
    expect_usual(decode(parse_one(LogFormat::Fastly, syslog + json)));
    expect_usual(decode(
        parse_one(LogFormat::Fastly,
                  syslog + "203.0.113.9 \"-\" \"-\" [24/Oct/2026:13:55:36 +0000] \"GET /v/1.ts?" +
                      std::string(kQuery) + " HTTP/1.1\" 200 15",
                  R"($remote_addr "$x" "$y" [$time_local] "$request" $status $bytes)")));
}

TEST(LogLine, NginxCombinedJsonAndOwnFormats) {
    const std::string combined = "203.0.113.9 - - [24/Oct/2026:13:55:36 +0000] \"GET /v/seg-1.ts?" +
                                 std::string(kQuery) +
                                 " HTTP/1.1\" 206 1500 \"-\" \"Agent \\x22quoted\\x22\"";
    for (const LogFormat format : {LogFormat::Nginx, LogFormat::Auto}) {
        const auto record = parse_one(format, combined);
        EXPECT_EQ(record.user_agent, "Agent \"quoted\"");
        EXPECT_EQ(record.path, "/v/seg-1.ts");
        expect_usual(decode(record));
    }
    expect_usual(decode(parse_one(
        LogFormat::Nginx,
        "1792850136.000|GET /v/1.ts HTTP/1.1|mtp=25400|br=3200,d=4000,ot=v|bs|sid=\\x22s-1\\x22",
        "$msec|$request|$http_cmcd_request|$http_cmcd_object|$http_cmcd_status|"
        "${http_cmcd_session}")));
    expect_usual(decode(
        parse_one(LogFormat::Nginx, R"({"msec":"1792850136.000","request_uri":"/v/1.ts?)" +
                                        std::string(kQuery) + R"(","http_user_agent":"A"})")));
}

TEST(LogLine, SaysWhatIsWrong) {
    auto nginx = *LogLineParser::create(LogFormat::Nginx, {});
    EXPECT_FALSE(nginx.parse("not a line of a log"));
    EXPECT_FALSE(nginx.parse("{\"broken\":"));
    EXPECT_FALSE(nginx.parse(
        "1.2.3.4 - - [24/Foo/2026:13:55:36 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\""));
    auto standard = *LogLineParser::create(LogFormat::CloudFront, {});
    const auto cut = standard.parse("2026-10-24\t13:55:36\tFRA");
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().message, "3 columns where 33 are named");
    EXPECT_FALSE((*LogLineParser::create(LogFormat::Auto, {})).parse("something else"));
    const auto format = parse_log_format("cloudfrnt");
    ASSERT_FALSE(format);
    EXPECT_NE(format.error().message.find("did you mean cloudfront?"), std::string::npos);
    EXPECT_FALSE(LogLineParser::create(LogFormat::Nginx, "$a$b"));
    EXPECT_FALSE(LogLineParser::create(LogFormat::Akamai, "nothing,known"));
}

TEST(CmcdReport, LeavesOutWhatHasNoSession) {
    LogRecord record;
    record.time_ms = kTimeMs;
    record.query = "a=1";
    auto none = translate_cmcd(record, kCustomer, 1);
    ASSERT_TRUE(none);
    EXPECT_FALSE(none->report);
    EXPECT_EQ(none->left_out, "requests without CMCD");
    record.query = "CMCD=br%3D100";
    none = translate_cmcd(record, kCustomer, 1);
    ASSERT_TRUE(none);
    EXPECT_EQ(none->left_out, "CMCD without a session id (sid)");
    record.query = "CMCD=sid%3D%22x%22%2Cv%3D3";
    none = translate_cmcd(record, kCustomer, 1);
    ASSERT_TRUE(none);
    EXPECT_EQ(none->left_out, "CMCD of a version after 2");
    record.query = "CMCD=sid%3D%2";
    EXPECT_FALSE(translate_cmcd(record, kCustomer, 1));
}

TEST(CmcdReport, AVersion2TimeIsThePlayersAndTheLineTellsRequestsApart) {
    LogRecord record;
    record.time_ms = kTimeMs;
    record.host = "video.example.test";
    record.path = "/v/\"odd\" seg.ts";
    record.query = "CMCD=sid%3D%22x%22%2Cts%3D1792850130123%2Cv%3D2%2Cbr%3D%28500%3Bv%29%2Cot%3Dv";
    const auto first = decode(record, 1);
    EXPECT_EQ(first.event().client_ms, 1'792'850'130'123);
    EXPECT_EQ(first.measure(model::Measure::BitrateKbps), 500);
    EXPECT_EQ(first.event().text,
              "https://video.example.test/v/%22odd%22%20seg.ts#0000000000000001");
    bool host = false;
    for (const auto& attribute : first.event().attributes) {
        host |= attribute.id == model::Dimension::SourceHostName &&
                attribute.value == "video.example.test";
    }
    EXPECT_TRUE(host);
    EXPECT_NE(decode(record, 2).event().text, first.event().text);
}

TEST(LogTime, ReadsWhatLogsWrite) {
    EXPECT_EQ(parse_epoch_ms("1792850136"), kTimeMs);
    EXPECT_EQ(parse_epoch_ms("1792850136.25"), kTimeMs + 250);
    EXPECT_EQ(parse_epoch_ms("1792850136250"), kTimeMs + 250);
    EXPECT_EQ(parse_epoch_ms("1792850136250999"), kTimeMs + 250);
    EXPECT_FALSE(parse_epoch_ms("17928x"));
    EXPECT_FALSE(parse_epoch_ms("-5"));
    EXPECT_EQ(parse_iso_ms("2026-10-24T13:55:36Z"), kTimeMs);
    EXPECT_EQ(parse_iso_ms("2026-10-24 15:55:36.250+02:00"), kTimeMs + 250);
    EXPECT_EQ(parse_iso_ms("2026-10-24T15:55:36", 7'200'000), kTimeMs);
    EXPECT_FALSE(parse_iso_ms("2026-13-24T15:55:36"));
    EXPECT_EQ(parse_clf_ms("24/Oct/2026:08:55:36 -0500"), kTimeMs);
    EXPECT_FALSE(parse_clf_ms("24/Oct/2026:08:55:36"));
    EXPECT_EQ(days_of(2000, 2, 29) + 1, days_of(2000, 3, 1));
    EXPECT_EQ(iso_text(kTimeMs), "2026-10-24T13:55:36Z");
}

}  // namespace
}  // namespace playhead::importers
