#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "importers/epas.h"
#include "importers/ledger.h"
#include "importers/line_source.h"
#include "importers/spool.h"
#include "importers/tally.h"
#include "wire/produce.h"

namespace playhead::importers {
namespace {

class Folder {
public:
    Folder() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "import-test-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    std::string file(const std::string& name, std::string_view bytes) const {
        std::ofstream(path_ + "/" + name, std::ios::binary) << bytes;
        return path_ + "/" + name;
    }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

std::string gzip(std::string_view text) {
    z_stream stream{};
    deflateInit2(&stream, 5, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string zstd(std::string_view text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
    return out;
}

std::vector<std::string> lines_of(const std::string& path) {
    std::vector<std::string> out;
    auto source = LineSource::open(path);
    EXPECT_TRUE(source);
    std::string_view line;
    while (true) {
        auto more = source->next(line);
        EXPECT_TRUE(more) << (more ? "" : more.error().message);
        if (!more || !*more) break;
        out.push_back(source->too_long() ? "(too long)" : std::string(line));
        EXPECT_EQ(source->number(), out.size());
    }
    return out;
}

TEST(LineSource, PlainGzipAndZstdGiveTheSameLines) {
    const Folder folder;
    std::string text = "first\r\n\nthird\n";
    std::vector<std::string> expected{"first", "", "third"};
    for (int number = 0; number < 50'000; ++number) {
        expected.push_back("line " + std::to_string(number * 7919));
        text += expected.back() + "\n";
    }
    text += "no end";
    expected.emplace_back("no end");
    EXPECT_EQ(lines_of(folder.file("plain", text)), expected);
    EXPECT_EQ(lines_of(folder.file("zstd", zstd(text))), expected);
    // Two members in one file, as log shippers write them.
    const std::size_t half = text.find('\n', text.size() / 2) + 1;
    EXPECT_EQ(lines_of(folder.file("gzip", gzip(text.substr(0, half)) + gzip(text.substr(half)))),
              expected);
    EXPECT_TRUE(lines_of(folder.file("empty", "")).empty());
    EXPECT_FALSE(LineSource::open(folder.path() + "/none"));
}

TEST(LineSource, ADamagedFileIsAnErrorAndALongLineIsLeftOut) {
    const Folder folder;
    for (const std::string& bytes : {gzip("some text\n"), zstd("some text\n")}) {
        auto source = LineSource::open(folder.file("cut", bytes.substr(0, bytes.size() - 4)));
        ASSERT_TRUE(source);
        std::string_view line;
        Result<bool> more = true;
        while (more && *more) more = source->next(line);
        EXPECT_FALSE(more);
    }
    const std::string text = "a\n" + std::string(3 * kLineBytesMax, 'x') + "\nb\n";
    EXPECT_EQ(lines_of(folder.file("long", text)),
              (std::vector<std::string>{"a", "(too long)", "b"}));
}

TEST(Spool, SortsMoreThanItHoldsAndKeepsTheOrderOfEqualTimes) {
    const Folder folder;
    std::mt19937 random(5);
    std::vector<std::pair<std::int64_t, std::uint64_t>> expected;
    Spool spool(folder.path(), 20'000);
    for (std::uint64_t id = 0; id < 5'000; ++id) {
        Report report;
        report.time_ms = static_cast<std::int64_t>(random() % 700);
        report.id = id;
        report.body = std::string(random() % 60, 'b');
        report.address = "203.0.113.1";
        expected.emplace_back(report.time_ms, id);
        ASSERT_TRUE(spool.add(std::move(report)));
    }
    std::sort(expected.begin(), expected.end());
    ASSERT_TRUE(spool.sort());
    EXPECT_EQ(spool.size(), 5'000U);
    Report report;
    for (const auto& [time, id] : expected) {
        auto more = spool.next(report);
        ASSERT_TRUE(more && *more);
        ASSERT_EQ(report.time_ms, time);
        ASSERT_EQ(report.id, id);
        EXPECT_EQ(report.address, "203.0.113.1");
    }
    auto more = spool.next(report);
    ASSERT_TRUE(more);
    EXPECT_FALSE(*more);
}

TEST(Ledger, RemembersWhatWasCommittedAndNoMore) {
    const Folder folder;
    constexpr std::int64_t kDay = 86'400'000;
    {
        Ledger ledger(folder.path(), 7);
        EXPECT_TRUE(*ledger.note(kDay, 1));
        EXPECT_FALSE(*ledger.note(kDay, 1));
        EXPECT_TRUE(*ledger.note(kDay, 2));
        EXPECT_TRUE(*ledger.note(2 * kDay, 1));
        EXPECT_FALSE(*ledger.note(kDay, 2));  // also before it is written
        ASSERT_TRUE(ledger.commit(1));
    }
    Ledger again(folder.path(), 7);
    EXPECT_FALSE(*again.note(kDay, 1));
    EXPECT_FALSE(*again.note(kDay, 2));
    EXPECT_TRUE(*again.note(2 * kDay, 1)) << "was kept back";
    ASSERT_TRUE(again.commit());
    EXPECT_TRUE(*Ledger(folder.path(), 8).note(kDay, 1)) << "another customer";
    // A write that was cut short.
    std::ofstream(folder.path() + "/7/2.seen", std::ios::app) << "abc";
    Ledger torn(folder.path(), 7);
    EXPECT_FALSE(*torn.note(2 * kDay, 1));
    EXPECT_TRUE(*torn.note(2 * kDay, 9));
    ASSERT_TRUE(torn.commit());
    EXPECT_FALSE(*Ledger(folder.path(), 7).note(2 * kDay, 9));
}

TEST(Tally, EndsWhenThereAreTooManyErrorsAndShowsTheFirst) {
    Tally tally(4);
    for (int line = 1; line <= 4; ++line) {
        tally.read();
        EXPECT_TRUE(tally.error("f.log", static_cast<std::uint64_t>(line), "bad", "te\x01xt"));
    }
    tally.skip("requests without CMCD");
    tally.take(1);
    tally.take(1);
    tally.repeat();
    const std::string text = tally.summary("lines", "requests imported");
    EXPECT_NE(text.find("4 lines read, 2 requests imported, 1 session, 1 there already"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("1 left out: requests without CMCD"), std::string::npos);
    EXPECT_NE(text.find("4 not readable: bad\n    f.log:1: te xt\n    f.log:2"), std::string::npos);
    EXPECT_EQ(text.find("f.log:4"), std::string::npos);
    EXPECT_FALSE(tally.error("f.log", 5, "bad", "x"));
}

/// Events of one session through the translator, as the collector decodes them.
std::vector<std::string> names_of(const std::vector<std::string>& events) {
    EpasTranslator translator(7);
    std::vector<std::string> out;
    for (const std::string& text : events) {
        auto split = split_epas(text, 7);
        EXPECT_TRUE(split) << text;
        for (const Report& event : *split) {
            const auto report = translator.translate(event);
            if (!report) continue;
            auto batch = wire::decode_produce(report->body, report->time_ms);
            EXPECT_TRUE(batch) << report->body << (batch ? "" : batch.error().message);
            for (const auto& each : batch->events) {
                EXPECT_EQ(each.client_ms, report->time_ms);
                EXPECT_EQ(each.customer_id, 7U);
                EXPECT_FALSE(each.payload_id.empty());
                std::string name(each.name);
                for (const auto& measure : each.measures) {
                    if (measure.id == model::Measure::StartupMs) {
                        name += " " + std::to_string(static_cast<int>(measure.value));
                    }
                    if (measure.id == model::Measure::BitrateKbps) {
                        name += " " + std::to_string(static_cast<int>(measure.value));
                    }
                }
                if (each.error.severity == model::Severity::Fatal) name += " fatal ";
                if (each.error.severity == model::Severity::Warning) name += " warning ";
                name += std::string(each.error.code);
                out.push_back(name);
            }
        }
    }
    return out;
}

std::string event(const std::string& name, int second, const std::string& payload = {}) {
    return R"({"event":")" + name + R"(","sessionId":"e-1","timestamp":)" +
           std::to_string(1'792'850'136'000 + second * 1000LL) +
           R"(,"playhead":1000,"duration":60000)" +
           (payload.empty() ? "" : ",\"payload\":" + payload) + "}";
}

TEST(Epas, BecomesWhatSmartSightWouldHaveSaid) {
    EXPECT_EQ(
        names_of({event("init", 0, R"({"live":false,"contentId":"a","userId":"u"})"),
                  event("loading", 1), event("loaded", 2),
                  event("bitrate_changed", 2, R"({"bitrate":"300","width":640,"height":360})"),
                  event("playing", 3), event("buffering", 5), event("buffered", 6),
                  event("paused", 7), event("playing", 9), event("seeking", 10),
                  event("seeked", 11), event("playing", 11), event("heartbeat", 12),
                  event("warning", 13, R"({"code":404,"message":"gone"})"),
                  event("stopped", 14, R"({"reason":"ended"})")}),
        (std::vector<std::string>{"ONLOAD", "RENDITION_CHANGE 300", "START 3000", "BUFFERING",
                                  "BUFFERING_COMPLETE", "PAUSE", "RESUME", "SEEK_START",
                                  "SEEK_COMPLETE", "STATS", "STATS", "ERROR warning 404",
                                  "COMPLETE"}));
    // A seek ends the buffering that it interrupts; after a fatal error no report says otherwise.
    EXPECT_EQ(names_of({event("init", 0), event("playing", 1), event("buffering", 2),
                        event("seeking", 3), event("error", 4, R"({"code":"NET_1","message":"m"})"),
                        event("heartbeat", 20), event("stopped", 21, R"({"reason":"error"})")}),
              (std::vector<std::string>{"ONLOAD", "START 1000", "BUFFERING", "BUFFERING_COMPLETE",
                                        "SEEK_START", "ERROR fatal NET-1", "ENDED"}));
    // Without its beginning.
    EXPECT_EQ(names_of({event("playing", 1), event("paused", 2), event("playing", 3)}),
              (std::vector<std::string>{"STATS", "PAUSE", "RESUME"}));
    // Inside a heartbeat, as an array, and with the payload as text.
    EXPECT_EQ(names_of({R"([)" + event("init", 0) + "," +
                        event("heartbeat", 4, "{\"events\":[" + event("playing", 2) + "]}") + "]"}),
              (std::vector<std::string>{"ONLOAD", "START 2000", "STATS"}));
    EXPECT_EQ(names_of({event("init", 0), event("playing", 1),
                        event("stopped", 2, R"("{\"reason\":\"ended\"}")")}),
              (std::vector<std::string>{"ONLOAD", "START 1000", "COMPLETE"}));
}

TEST(Epas, RefusesWhatTheSpecificationDoes) {
    for (const char* line : {"", "{", "7", R"({"event":"pause","sessionId":"a","timestamp":1})",
                             R"({"event":"playing","timestamp":1})", R"({"sessionId":"a"})",
                             R"({"event":"playing","sessionId":"a"})",
                             R"({"event":"playing","sessionId":"a","timestamp":-1})",
                             R"({"event":"playing","sessionId":"a","timestamp":""})"}) {
        EXPECT_FALSE(split_epas(line, 7)) << line;
    }
}

}  // namespace
}  // namespace playhead::importers
