#include "ingest/pipeline.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "base/random.h"
#include "ingest/derived_dimensions.h"
#include "ingest/snapshot_file.h"
#include "store/memory_store.h"

namespace playhead::ingest {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kNow = 1'795'420'000'000;

/// A folder that goes when the test ends.
class Folder {
public:
    explicit Folder(const std::string& name)
        : path_(fs::temp_directory_path() / fmt::format("playhead-{}-{}", name, ::getpid())) {
        fs::remove_all(path_);
        fs::create_directories(path_);
    }
    ~Folder() { fs::remove_all(path_); }
    std::string path() const { return path_.string(); }

private:
    fs::path path_;
};

/// A compact SmartSight event of session `session`, record `number`.
std::string beacon(int session, int number, const char* name, std::int64_t at_ms) {
    return fmt::format(
        R"({{"v":"2.0.0","t":{0},"pt":{1},"pd":{1},"i":10,"qd":[{{"sd":{{"ci":7,"si":"s-{2}",)"
        R"("pi":"{2}-{1}","sst":{3},"dsr":"Player","ai":"asset"}},"pe":{{"e":"{4}","id":"{4}",)"
        R"("pt":{1}}},"pif":[{{"t":{0},"l":1000}}]}}]}})",
        at_ms, number, session, kNow, name);
}

struct Bench {
    Bench(const std::string& dir, store::Store& store, ManualClock& clock)
        : decoder(nullptr), clock_(clock) {
        PipelineOptions options;
        options.data_dir = dir;
        options.durability = journal::Durability::Os;
        options.workers = 2;
        options.cut_interval_ms = 3'600'000;  // only when a test says so
        auto opened = Pipeline::open(options, store, decoder, clock, metrics, {});
        EXPECT_TRUE(opened) << opened.error().message;
        if (opened) pipeline = std::move(*opened);
    }

    void send(const std::string& body) {
        RequestRecord record;
        record.receive_ms = clock_.now_ms();
        auto decoded = decoder.decode(record, body);
        ASSERT_TRUE(decoded) << decoded.error().message;
        const auto taken =
            pipeline->submit(record, body, std::move(*decoded), [this](const Result<void>& done) {
                if (done) ++acknowledged;
            });
        ASSERT_TRUE(taken) << taken.error().message;
    }

    MetricsRegistry metrics;
    RequestDecoder decoder;
    ManualClock& clock_;
    std::atomic<int> acknowledged{0};
    std::unique_ptr<Pipeline> pipeline;
};

/// Events per session and name, as a multiset in text.
std::map<std::string, int> events_of(const store::MemoryStore& store) {
    std::map<std::string, int> events;
    for (const auto& row : store.rows("events")) {
        ++events[std::get<std::string>(row.at("sessionid")) + "/" +
                 std::get<std::string>(row.at("name"))];
    }
    return events;
}

std::int64_t sum_of(const store::MemoryStore& store, const char* table, const char* column) {
    std::int64_t sum = 0;
    for (const auto& row : store.rows(table)) {
        const auto sign = row.find("sign");
        const std::int64_t factor = sign == row.end() ? 1 : std::get<std::int64_t>(sign->second);
        sum += factor * std::get<std::int64_t>(row.at(column));
    }
    return sum;
}

void play(Bench& bench, ManualClock& clock, int session, bool end) {
    bench.send(beacon(session, 0, "ONLOAD", clock.now_ms()));
    bench.send(beacon(session, 1, "START", clock.now_ms() + 1000));
    if (end) bench.send(beacon(session, 60, "ENDED", clock.now_ms() + 60'000));
}

TEST(Pipeline, StoresWhatItAcknowledged) {
    Folder folder("pipeline-store");
    store::MemoryStore store;
    ManualClock clock(kNow);
    Bench bench(folder.path(), store, clock);
    for (int session = 0; session < 50; ++session) play(bench, clock, session, true);
    ASSERT_TRUE(bench.pipeline->flush(10'000));
    EXPECT_EQ(bench.acknowledged, 150);
    EXPECT_EQ(store.row_count("events"), 150U);
    clock.advance_ms(120'000);
    ASSERT_TRUE(bench.pipeline->flush(10'000));
    EXPECT_EQ(sum_of(store, "sessions", "attempts"), 50);
    EXPECT_EQ(sum_of(store, "slices", "attempts"), 50);
    bench.pipeline->stop(5000);
}

/// The same traffic with a crash (no stop, no snapshot) after any prefix gives the same store.
TEST(Pipeline, ReplaysAfterACrashWithoutLosingOrDoubling) {
    for (const bool flush_before_crash : {false, true}) {
        Folder folder("pipeline-crash");
        store::MemoryStore store;
        ManualClock clock(kNow);
        Folder copy("pipeline-crash-copy");
        {
            Bench bench(folder.path(), store, clock);
            for (int session = 0; session < 20; ++session) play(bench, clock, session, false);
            if (flush_before_crash) {
                ASSERT_TRUE(bench.pipeline->flush(10'000));
            } else {
                while (bench.acknowledged < 40) std::this_thread::yield();
            }
            // What a crash leaves: the files as they are now.
            fs::copy(folder.path(), copy.path(),
                     fs::copy_options::recursive | fs::copy_options::overwrite_existing);
            bench.pipeline->stop(0);
        }
        Bench again(copy.path(), store, clock);
        EXPECT_GT(again.pipeline->recovery().records, 0U);
        clock.advance_ms(600'000);
        ASSERT_TRUE(again.pipeline->flush(10'000));
        const auto events = events_of(store);
        EXPECT_EQ(events.size(), 40U);
        for (const auto& [name, count] : events) EXPECT_EQ(count, 1) << name;
        EXPECT_EQ(sum_of(store, "sessions", "attempts"), 20);
        EXPECT_EQ(sum_of(store, "slices", "attempts"), 20);
        again.pipeline->stop(5000);
    }
}

TEST(Pipeline, GoesOnFromASnapshot) {
    Folder folder("pipeline-snapshot");
    store::MemoryStore store;
    ManualClock clock(kNow);
    {
        Bench bench(folder.path(), store, clock);
        for (int session = 0; session < 10; ++session) play(bench, clock, session, false);
        bench.pipeline->stop(5000);  // a clean stop takes one
    }
    EXPECT_FALSE(list_snapshots(folder.path() + "/snapshots").empty());
    Bench again(folder.path(), store, clock);
    EXPECT_TRUE(again.pipeline->recovery().from_snapshot);
    for (int session = 0; session < 10; ++session) {
        again.send(beacon(session, 30, "ENDED", clock.now_ms() + 30'000));
    }
    clock.advance_ms(600'000);
    ASSERT_TRUE(again.pipeline->flush(10'000));
    EXPECT_EQ(sum_of(store, "sessions", "attempts"), 10);
    EXPECT_EQ(sum_of(store, "sessions", "plays"), 10);
    again.pipeline->stop(5000);
}

TEST(Pipeline, UsesTheOlderSnapshotWhenTheNewestIsDamaged) {
    Folder folder("pipeline-damage");
    store::MemoryStore store;
    ManualClock clock(kNow);
    {
        Bench bench(folder.path(), store, clock);
        for (int session = 0; session < 10; ++session) play(bench, clock, session, true);
        bench.pipeline->stop(5000);
    }
    const auto snapshots = list_snapshots(folder.path() + "/snapshots");
    ASSERT_FALSE(snapshots.empty());
    fs::resize_file(snapshots.front(), fs::file_size(snapshots.front()) / 2);
    Bench again(folder.path(), store, clock);
    clock.advance_ms(600'000);
    ASSERT_TRUE(again.pipeline->flush(10'000));
    EXPECT_EQ(sum_of(store, "sessions", "attempts"), 10);
    EXPECT_EQ(store.row_count("events"), 30U);
    again.pipeline->stop(5000);
}

TEST(Pipeline, TriesARefusedBlockAgain) {
    Folder folder("pipeline-retry");
    store::MemoryStore store;
    ManualClock clock(kNow);
    Bench bench(folder.path(), store, clock);
    play(bench, clock, 1, true);
    store.fail_inserts(2);
    ASSERT_TRUE(bench.pipeline->flush(20'000));
    EXPECT_EQ(store.row_count("events"), 3U);
    EXPECT_EQ(bench.pipeline->status().trouble, "");
    bench.pipeline->stop(5000);
}

TEST(DerivedDimensions, NameTheCdnOnlyWhereThePlayerDidNot) {
    model::RowBlock rows;
    rows.sessions.resize(3);
    const auto cdn = model::index_of(model::Dimension::Cdn);
    const auto url = model::index_of(model::Dimension::StreamUrl);
    rows.sessions[0].dimensions[url] = "https://d111111abcdef8.cloudfront.net/a.m3u8";
    rows.sessions[1].dimensions[url] = "https://d111111abcdef8.cloudfront.net/a.m3u8";
    rows.sessions[1].dimensions[cdn] = "own";
    rows.sessions[2].dimensions[url] = "https://video.example.test/a.m3u8";
    derive_dimensions(rows);
    EXPECT_NE(rows.sessions[0].dimensions[cdn].find("CloudFront"), std::string::npos);
    EXPECT_EQ(rows.sessions[1].dimensions[cdn], "own");
    EXPECT_EQ(rows.sessions[2].dimensions[cdn], "");
}

TEST(RequestRecord, ReadsBackWhatItWrote) {
    RequestRecord record;
    record.kind = RequestKind::CmcdQuery;
    record.customer_id = 900100200;
    record.session_id = "sid";
    record.receive_ms = -5;
    record.context.country = "DE";
    record.context.city = "Köln";
    record.context.has_location = true;
    record.context.latitude = -50.9;
    record.context.longitude = 6.9;
    record.context.asn = 64500;
    record.context.user_agent = "Agent/1.0";
    const std::string bytes = encode_head(record) + "body\0rest";
    const auto decoded = decode_record(bytes);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->record.customer_id, record.customer_id);
    EXPECT_EQ(decoded->record.receive_ms, -5);
    EXPECT_EQ(decoded->record.context.city, "Köln");
    EXPECT_DOUBLE_EQ(decoded->record.context.latitude, -50.9);
    EXPECT_EQ(decoded->record.context.user_agent, "Agent/1.0");
    EXPECT_EQ(decoded->body, "body");
}

TEST(CutRecord, TellsItsKindAndReadsTheVersionBefore) {
    for (const auto kind :
         {timeline::CutKind::Quick, timeline::CutKind::Rows, timeline::CutKind::Whole}) {
        const auto decoded = decode_cut(encode_cut({300, 1'780'000'000'123, kind}));
        ASSERT_TRUE(decoded);
        EXPECT_EQ(decoded->number, 300U);
        EXPECT_EQ(decoded->now_ms, 1'780'000'000'123);
        EXPECT_EQ(decoded->kind, kind);
    }
    // Version 1, number 5, time 3 (zigzag 6).
    const auto before = decode_cut(std::string_view("\x01\x05\x06", 3));
    ASSERT_TRUE(before);
    EXPECT_EQ(before->number, 5U);
    EXPECT_EQ(before->now_ms, 3);
    EXPECT_EQ(before->kind, timeline::CutKind::Whole);
    EXPECT_FALSE(decode_cut(std::string_view("\x02\x05\x06", 3)));
    EXPECT_FALSE(decode_cut(std::string_view("\x03\x05\x06\x01", 4)));
    EXPECT_FALSE(decode_cut(std::string_view("\x02\x05\x06\x07", 4)));
}

/// Takes its time with sessions, as a busy engine does.
class SlowStore final : public store::MemoryStore {
public:
    Result<void> insert(const store::ColumnBatch& batch, std::string_view token) override {
        if (batch.table == "live_sessions") {
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
        }
        return MemoryStore::insert(batch, token);
    }
};

// Stopping gives up on a slow block and on its snapshot; the next start stores it.
TEST(Pipeline, StopsBeforeTheStoreIsDoneWithABlock) {
    Folder folder("pipeline-stop-slow");
    SlowStore store;
    ManualClock clock(kNow);
    Bench bench(folder.path(), store, clock);
    play(bench, clock, 1, false);
    bench.pipeline->stop(100);
    EXPECT_TRUE(list_snapshots(folder.path() + "/snapshots").empty());
    Bench next(folder.path(), store, clock);
    EXPECT_EQ(next.pipeline->recovery().records, 3U);
    EXPECT_EQ(store.row_count("events"), 2U);
    EXPECT_EQ(store.row_count("live_sessions"), 1U);
}

TEST(RequestRecord, RefusesEveryTruncation) {
    RequestRecord record;
    record.session_id = "sid";
    record.context.country = "DE";
    record.context.user_agent = "Agent/1.0";
    const std::string head = encode_head(record);
    for (std::size_t size = 0; size < head.size(); ++size) {
        EXPECT_FALSE(decode_record(std::string_view(head).substr(0, size))) << size;
    }
}

TEST(SnapshotFile, DetectsEveryFlippedByte) {
    Folder folder("snapshot-flip");
    Snapshot snapshot{7, {1, 48}, {"alpha", "beta", ""}};
    ASSERT_TRUE(write_snapshot(folder.path(), snapshot));
    const auto names = list_snapshots(folder.path());
    ASSERT_EQ(names.size(), 1U);
    const auto good = read_snapshot(names.front());
    ASSERT_TRUE(good);
    EXPECT_EQ(good->partitions, snapshot.partitions);
    const auto size = fs::file_size(names.front());
    for (std::uintmax_t at = 0; at < size; ++at) {
        std::fstream file(names.front(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(static_cast<std::streamoff>(at));
        const char before = static_cast<char>(file.get());
        file.seekp(static_cast<std::streamoff>(at));
        file.put(static_cast<char>(before ^ 0x10));
        file.close();
        EXPECT_FALSE(read_snapshot(names.front())) << at;
        std::fstream restore(names.front(), std::ios::in | std::ios::out | std::ios::binary);
        restore.seekp(static_cast<std::streamoff>(at));
        restore.put(before);
    }
}

TEST(SnapshotFile, KeepsTheNewestTwo) {
    Folder folder("snapshot-keep");
    for (std::uint64_t cut = 1; cut <= 5; ++cut) {
        const auto needed = write_snapshot(folder.path(), {cut, {cut, 0}, {"x"}});
        ASSERT_TRUE(needed);
        EXPECT_EQ(needed->segment, cut == 1 ? 1 : cut - 1);
    }
    EXPECT_EQ(list_snapshots(folder.path()).size(), kSnapshotsKept);
}

}  // namespace
}  // namespace playhead::ingest
