#include "store/chdb/chdb_store.h"

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <thread>

#include "store/chdb/connection.h"
#include "store/chdb/engine_library.h"
#include "store/migrations.h"
#include "store/rows.h"

namespace playhead::store::chdb {
namespace {

// First in this file: a library that is loaded stays for the life of the process.
TEST(EngineLibrary, MissingLibraryNamesTheRemedy) {
    ChdbOptions options;
    options.directory = "/tmp";
    options.library_path = "/nonexistent/libchdb.so";
    const auto opened = open_chdb_store(options);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::NotFound);
    EXPECT_NE(opened.error().message.find("./dev setup"), std::string::npos);
}

class ChdbStoreTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (access(default_library_path().c_str(), R_OK) != 0) {
            GTEST_SKIP() << "the engine library is not at " << default_library_path()
                         << ": run scripts/fetch-engine";
        }
        ASSERT_TRUE(prepare_process());
        std::string pattern = std::filesystem::temp_directory_path() / "playhead_chdb_XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
        open();
    }
    void TearDown() override {
        store_.reset();
        if (!directory_.empty()) std::filesystem::remove_all(directory_);
    }
    void open() {
        store_.reset();
        ChdbOptions options;
        options.directory = directory_;
        options.readers = 2;
        options.wait_limit_s = 0.3;
        options.query_memory_bytes_max = 512U << 20U;
        auto opened = open_chdb_store(options);
        ASSERT_TRUE(opened) << opened.error().message;
        store_ = std::move(*opened);
    }
    void migrate() {
        const auto done = store_->migrate();
        ASSERT_TRUE(done) << done.error().message;
    }
    ResultTable ask(const std::string& sql, std::vector<Parameter> parameters = {}) {
        auto answer = store_->query({sql, std::move(parameters)}, {});
        EXPECT_TRUE(answer) << sql << ": " << answer.error().message;
        return answer ? std::move(*answer) : ResultTable{};
    }
    std::int64_t number(const std::string& sql) {
        const auto answer = ask(sql);
        EXPECT_EQ(answer.rows.size(), 1U) << sql;
        return answer.rows.size() == 1 ? std::get<std::int64_t>(answer.rows[0][0]) : -1;
    }

    std::string directory_;
    std::unique_ptr<Store> store_;
};

constexpr std::int64_t kDay_ms = 86'400'000;
constexpr std::int64_t kStart_ms = 1'780'000'000'000;

model::SessionRow session(int number, std::int64_t start_ms) {
    model::SessionRow row;
    row.key = {7, "s" + std::to_string(number)};
    row.dimensions[model::index_of(model::Dimension::Cdn)] = number % 2 == 0 ? "akamai" : "fastly";
    row.dimensions[model::index_of(model::Dimension::AssetName)] = "tab\tquote' back\\ \n\nblank";
    row.tags = {{"team", "a'b"}, {"empty", ""}};
    row.start_ms = start_ms;
    row.end_ms = start_ms + 60'000;
    row.startup_ms = 100;
    row.score = 50;
    row.counters.attempts = 1;
    row.counters.playing_ms = 1000;
    row.revision = 1;
    return row;
}

// The rows differ in their ids: equal ones would be folded by the table's merges.
ColumnBatch sessions_over_days(int days, int per_day, int first = 0) {
    auto batch = batch_of(Table::Sessions);
    for (int day = 0; day < days; ++day) {
        for (int index = 0; index < per_day; ++index) {
            append_session(batch,
                           session(first + day * per_day + index, kStart_ms + day * kDay_ms));
        }
    }
    return batch;
}

TEST_F(ChdbStoreTest, TablesHaveTheColumnsOfTheModel) {
    migrate();
    migrate();
    for (const auto table : kTables) {
        const auto& schema = schema_of(table);
        std::map<std::string, std::string> expected;
        for (const auto& column : schema.columns) expected[column.name] = column.sql_type;
        std::map<std::string, std::string> actual;
        for (const auto& row : ask("DESCRIBE TABLE " + schema.name).rows) {
            // What the engine computes itself is not written.
            const auto& kind = std::get<std::string>(row[2]);
            if (kind == "MATERIALIZED" || kind == "ALIAS") continue;
            actual[std::get<std::string>(row[0])] = std::get<std::string>(row[1]);
        }
        EXPECT_EQ(actual, expected) << schema.name;
        EXPECT_EQ(schema.columns.front().name, "customerid");
        EXPECT_EQ(schema.columns[1].name, "sessionid");
    }
}

TEST_F(ChdbStoreTest, FailedMinutesHaveTheColumnsOfSlices) {
    migrate();
    const auto described = [&](const std::string& table) {
        std::string out;
        for (const auto& row : ask("DESCRIBE TABLE " + table).rows) {
            for (std::size_t i = 0; i < 3; ++i) out += std::get<std::string>(row[i]) + ' ';
            out += '\n';
        }
        return out;
    };
    EXPECT_EQ(described("slices_failed"), described("slices"));
    const auto view = described("slices_failed_mv");
    for (const auto& column : schema_of(Table::Slices).columns) {
        EXPECT_NE(view.find(column.name + ' '), std::string::npos) << column.name;
    }
}

TEST_F(ChdbStoreTest, InsertsOncePerTokenAcrossPartitionsAndReopening) {
    migrate();
    const auto batch = sessions_over_days(3, 4);
    const auto check = [&](const char* when) {
        EXPECT_EQ(number("SELECT count() FROM sessions"), 12) << when;
        EXPECT_EQ(number("SELECT sum(sessions) FROM sessions_hour"), 12) << when;
        EXPECT_EQ(number("SELECT sum(sessions) FROM sessions_hour_end"), 12) << when;
        EXPECT_EQ(number("SELECT sum(playing_ms) FROM sessions_hour"), 12'000) << when;
    };
    const auto insert = [&](const char* when) {
        const auto done = store_->insert(batch, "1:1");
        ASSERT_TRUE(done) << done.error().message;
        check(when);
    };
    insert("first");
    insert("again");
    open();
    insert("after reopening");
    const auto retained = apply_retention(*store_, {{Table::Sessions, 5000}}, 0);
    ASSERT_TRUE(retained) << retained.error().message;
    insert("after a change of retention");
    ASSERT_TRUE(store_->insert(sessions_over_days(3, 4, 100), "1:2"));
    EXPECT_EQ(number("SELECT count() FROM sessions"), 24);
}

TEST_F(ChdbStoreTest, ValuesComeBackAsTheyWere) {
    migrate();
    ASSERT_TRUE(store_->insert(sessions_over_days(1, 1), "1:1"));
    const auto answer = ask(
        "SELECT customerid, sessionid, cdn, assetname, tags, start_time, startup_ms, score, "
        "sign, toDate(start_time) AS day, [1, 2] AS list, NULL AS none, toNullable(cdn) AS maybe, "
        "18446744073709551615 AS big, toDateTime(start_time, 'Europe/Berlin') AS local, "
        "tags['team'] AS team, (1, 'a') AS pair, tags AS tags_again FROM sessions");
    ASSERT_EQ(answer.rows.size(), 1U);
    const std::vector<Cell> expected{std::int64_t{7},
                                     "s0",
                                     "akamai",
                                     "tab\tquote' back\\ \n\nblank",
                                     "{'team':'a\\'b','empty':''}",
                                     "2026-05-28 20:26:40.000",
                                     std::int64_t{100},
                                     50.0,
                                     std::int64_t{1},
                                     "2026-05-28",
                                     "[1,2]",
                                     Cell(),
                                     "akamai",
                                     UINT64_MAX,
                                     "2026-05-28 20:26:40",
                                     "a'b",
                                     "(1,'a')",
                                     "{'team':'a\\'b','empty':''}"};
    EXPECT_EQ(answer.rows[0], expected);
    EXPECT_EQ(answer.columns[0].name, "customerid");
    EXPECT_EQ(answer.columns[0].type, "UInt64");
}

TEST_F(ChdbStoreTest, ParametersAreBoundNotPasted) {
    const std::string hostile = "a\\b\t'\n\n\r;DROP TABLE x; {y:String} \"`";
    auto answer = ask("SELECT {x:String} AS x, length({x:String}) AS n", {{"x", hostile}});
    ASSERT_EQ(answer.rows.size(), 1U);
    EXPECT_EQ(std::get<std::string>(answer.rows[0][0]), hostile);
    answer = ask("SELECT {list:Array(String)}[2] AS x",
                 {{"list", array_literal({"first", hostile}), true}});
    ASSERT_EQ(answer.rows.size(), 1U);
    EXPECT_EQ(std::get<std::string>(answer.rows[0][0]), hostile);
}

constexpr const char* kEndless =
    "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))";

TEST_F(ChdbStoreTest, CancelStopsARunningQueryAndTheConnectionStaysUsable) {
    EXPECT_FALSE(store_->cancel("q1"));
    EXPECT_FALSE(store_->cancel(""));
    for (int round = 0; round < 3; ++round) {
        Result<ResultTable> outcome;
        std::thread runner([&] {
            QueryOptions options;
            options.query_id = "q1";
            outcome = store_->query({kEndless, {}}, options);
        });
        // The first round is cancelled at once, maybe before the engine has begun.
        if (round > 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
        while (!store_->cancel("q1")) std::this_thread::yield();
        runner.join();
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().code, ErrorCode::Cancelled) << outcome.error().message;
        EXPECT_EQ(number("SELECT 41 + 1"), 42);
        EXPECT_EQ(number("SELECT 42 + 1"), 43);
    }
    EXPECT_EQ(number("SELECT count() FROM system.processes WHERE query LIKE '%sipHash64(number)%' "
                     "AND query NOT LIKE '%processes%'"),
              0);
}

TEST_F(ChdbStoreTest, QueryPastItsTimeEndsWithTimeout) {
    QueryOptions options;
    options.time_limit_s = 0.2;
    const auto began = std::chrono::steady_clock::now();
    const auto outcome = store_->query({kEndless, {}}, options);
    const auto took = std::chrono::steady_clock::now() - began;
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::Timeout) << outcome.error().message;
    EXPECT_LT(took, std::chrono::seconds(5));
    EXPECT_EQ(number("SELECT 42"), 42);
}

TEST_F(ChdbStoreTest, WaitingForAConnectionIsBounded) {
    std::vector<std::thread> runners;
    runners.reserve(2);
    for (int index = 0; index < 2; ++index) {
        runners.emplace_back([&] {
            QueryOptions options;
            options.query_id = "long";
            options.time_limit_s = 20;
            EXPECT_FALSE(store_->query({kEndless, {}}, options));
        });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const auto refused = store_->query({"SELECT 1", {}}, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
    EXPECT_TRUE(store_->cancel("long"));
    for (auto& runner : runners) runner.join();
    EXPECT_EQ(number("SELECT 42"), 42);
}

TEST_F(ChdbStoreTest, QueriesCannotWriteNorReadFilesNorChangeLimits) {
    migrate();
    for (const char* sql :
         {"INSERT INTO schema_migrations SELECT 9, 'x', now()", "DROP TABLE sessions",
          "SELECT * FROM file('/etc/passwd', 'LineAsString')", "SET max_execution_time = 0",
          "SELECT 1 SETTINGS max_memory_usage = 0"}) {
        const auto outcome = store_->query({sql, {}}, {});
        ASSERT_FALSE(outcome) << sql;
        EXPECT_EQ(outcome.error().code, ErrorCode::PermissionDenied) << outcome.error().message;
    }
    EXPECT_EQ(number("SELECT max(version) FROM schema_migrations"), migrations().back().version);
}

TEST_F(ChdbStoreTest, MemoryLimitIsReported) {
    const auto outcome =
        store_->query({"SELECT length(groupArray(toString(number) || repeat('x', 1000))) FROM "
                       "numbers(100000000)",
                       {}},
                      {});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::Unavailable) << outcome.error().message;
    EXPECT_NE(outcome.error().message.find("memory"), std::string::npos);
    EXPECT_EQ(number("SELECT 42"), 42);
}

TEST_F(ChdbStoreTest, AStreamIsOneBodyInEveryFormat) {
    // More rows than the engine puts into one piece.
    const auto body = [&](std::string_view format) {
        std::string all;
        const auto done = store_->stream({"SELECT number FROM numbers(300000)", {}}, format, {},
                                         [&](std::string_view chunk) {
                                             all += chunk;
                                             return true;
                                         });
        EXPECT_TRUE(done) << done.error().message;
        return all;
    };
    const auto times = [](const std::string& text, std::string_view word) {
        std::size_t count = 0;
        for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
            ++count;
        }
        return count;
    };
    const auto csv = body("CSVWithNames");
    EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 300001);
    EXPECT_EQ(times(csv, "number"), 1U);
    EXPECT_EQ(times(body("JSON"), "\"meta\""), 1U);
    const auto parquet = body("Parquet");
    EXPECT_TRUE(parquet.starts_with("PAR1") && parquet.ends_with("PAR1"));
    EXPECT_EQ(times(parquet, "PAR1"), 2U);
    // A stream of Arrow ends with this mark, once.
    EXPECT_EQ(times(body("ArrowStream"), std::string_view("\xff\xff\xff\xff\0\0\0\0", 8)), 1U);
}

TEST_F(ChdbStoreTest, StreamsInChunksAndStopsWhenAsked) {
    std::string all;
    std::size_t chunks = 0;
    const auto whole = store_->stream({"SELECT number FROM numbers({n:UInt64})", {{"n", "300000"}}},
                                      "CSV", {}, [&](std::string_view chunk) {
                                          all += chunk;
                                          ++chunks;
                                          return true;
                                      });
    ASSERT_TRUE(whole) << whole.error().message;
    EXPECT_GT(chunks, 1U);
    EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 300000);
    EXPECT_TRUE(all.ends_with("299999\r\n"));
    // More rounds than connections: each must be usable after a stream that was stopped.
    for (int round = 0; round < 4; ++round) {
        chunks = 0;
        ASSERT_TRUE(store_->stream({"SELECT number FROM numbers(1000000000)", {}}, "CSV", {},
                                   [&](std::string_view) { return ++chunks < 2; }));
        EXPECT_EQ(chunks, 2U);
    }
    EXPECT_EQ(number("SELECT 42"), 42);
    EXPECT_EQ(number("SELECT 43"), 43);
    QueryOptions short_time;
    short_time.time_limit_s = 0.3;
    const auto late = store_->stream({"SELECT number FROM numbers(100000000000)", {}}, "CSV",
                                     short_time, [](std::string_view) { return true; });
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::Timeout) << late.error().message;
    EXPECT_EQ(number("SELECT 42"), 42);
}

TEST_F(ChdbStoreTest, LargeBatchStaysOneBlock) {
    migrate();
    auto batch = batch_of(Table::Events);
    model::EventRow row;
    row.key = {7, "s"};
    row.event_ms = kStart_ms;
    row.name = "START";
    for (int index = 0; index < 200'000; ++index) append(batch, row);
    ASSERT_TRUE(store_->insert(batch, "1:1"));
    ASSERT_TRUE(store_->insert(batch, "1:1"));
    EXPECT_EQ(number("SELECT count() FROM events"), 200'000);
    EXPECT_EQ(number("SELECT count() FROM system.parts WHERE table = 'events' AND active"), 1);
}

TEST_F(ChdbStoreTest, AllTablesTakeRowsAndARevisionLeavesTheSumsRight) {
    migrate();
    model::RowBlock block;
    block.sessions = {session(1, kStart_ms)};
    block.live_sessions = {session(2, kStart_ms)};
    block.slices.resize(1);
    block.slices[0].counters.playing_ms = 5;
    block.events.resize(1);
    block.ad_views.resize(1);
    block.app_events.resize(2);
    block.app_events[0].data = {{"a", "b"}};
    for (const auto& batch : batches_of(block)) {
        const auto done = store_->insert(batch, "1:1");
        ASSERT_TRUE(done) << batch.table << ": " << done.error().message;
        EXPECT_EQ(number("SELECT count() FROM " + batch.table),
                  static_cast<std::int64_t>(batch.rows()));
    }
    EXPECT_EQ(number("SELECT sum(playing_ms) FROM slices_minute"), 5);
    const auto maps = ask("SELECT data FROM app_events ORDER BY length(data)");
    ASSERT_EQ(maps.rows.size(), 2U);
    EXPECT_EQ(std::get<std::string>(maps.rows[0][0]), "{}");
    EXPECT_EQ(std::get<std::string>(maps.rows[1][0]), "{'a':'b'}");

    model::RowBlock revision;
    revision.sessions = {session(1, kStart_ms), session(1, kStart_ms)};
    revision.sessions[0].sign = -1;
    revision.sessions[1].revision = 2;
    revision.sessions[1].counters.playing_ms = 1500;
    revision.sessions[1].startup_ms = -1;
    ASSERT_TRUE(store_->insert(batches_of(revision)[0], "1:2"));
    const auto sums =
        ask("SELECT sum(sessions), sum(playing_ms), sum(startup_count), sum(startup_sum_ms), "
            "sum(score_sum), sum(score_count) FROM sessions_hour");
    const std::vector<Cell> expected{
        std::int64_t{1}, std::int64_t{1500}, std::int64_t{0}, std::int64_t{0}, 50.0,
        std::int64_t{1}};
    EXPECT_EQ(sums.rows.at(0), expected);
    EXPECT_EQ(number("SELECT count() FROM sessions FINAL"), 1);
}

TEST_F(ChdbStoreTest, NewerDataAreRefused) {
    migrate();
    ASSERT_TRUE(store_->execute({"INSERT INTO schema_migrations SELECT 999, 'later', now()", {}}));
    const auto refused = store_->migrate();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
    EXPECT_NE(refused.error().message.find("999"), std::string::npos);
}

TEST_F(ChdbStoreTest, ManyThreadsAskAndWriteAtOnce) {
    migrate();
    std::vector<std::thread> threads;
    threads.reserve(3);
    for (int thread = 0; thread < 3; ++thread) {
        threads.emplace_back([&, thread] {
            for (int index = 0; index < 60; ++index) {
                const auto text = std::to_string(thread * 1000 + index);
                const auto answer = store_->query({"SELECT {x:String}", {{"x", text}}}, {});
                ASSERT_TRUE(answer) << answer.error().message;
                EXPECT_EQ(std::get<std::string>(answer->rows[0][0]), text);
            }
        });
    }
    for (int index = 0; index < 10; ++index) {
        EXPECT_TRUE(store_->insert(sessions_over_days(1, 10, index * 10), std::to_string(index)));
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(number("SELECT count() FROM sessions"), 100);
    EXPECT_GT(store_->free_bytes(), 0U);
}

TEST_F(ChdbStoreTest, AnotherProcessIsToldThatTheStoreIsOpen) {
    char program[] = "/proc/self/exe";
    char filter[] = "--gtest_filter=ChdbStoreChild.*";
    char disabled[] = "--gtest_also_run_disabled_tests";
    char* arguments[] = {program, filter, disabled, nullptr};
    ASSERT_EQ(setenv("PLAYHEAD_TEST_STORE", directory_.c_str(), 1), 0);
    pid_t child = 0;
    ASSERT_EQ(posix_spawn(&child, program, nullptr, nullptr, arguments, environ), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ASSERT_EQ(unsetenv("PLAYHEAD_TEST_STORE"), 0);
}

// Run by the test above in a process of its own.
TEST(ChdbStoreChild, DISABLED_OpenIsRefused) {
    const char* directory = std::getenv("PLAYHEAD_TEST_STORE");
    ASSERT_NE(directory, nullptr);
    ASSERT_TRUE(prepare_process());
    ChdbOptions options;
    options.directory = directory;
    const auto opened = open_chdb_store(options);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::Unavailable);
    EXPECT_NE(opened.error().message.find("another process"), std::string::npos);
}

TEST_F(ChdbStoreTest, OpeningSaysWhatIsWrong) {
    ChdbOptions options;
    options.directory = "relative";
    auto opened = open_chdb_store(options);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::InvalidArgument);
    options.directory = "/dev/null/store";
    opened = open_chdb_store(options);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::Unavailable);
}

TEST(EngineErrors, HaveOurCodesAndOneLine) {
    const auto full =
        error_of("Code: 243. DB::Exception: Cannot reserve 41 MiB,\nnot enough space");
    EXPECT_EQ(full.code, ErrorCode::Unavailable);
    EXPECT_TRUE(full.message.starts_with("disk full"));
    EXPECT_EQ(full.message.find('\n'), std::string::npos);
    EXPECT_EQ(error_of("Code: 394. x").code, ErrorCode::Cancelled);
    EXPECT_EQ(error_of("Code: 159. x").code, ErrorCode::Timeout);
    EXPECT_EQ(error_of("no code at all").code, ErrorCode::Internal);
}

}  // namespace
}  // namespace playhead::store::chdb
