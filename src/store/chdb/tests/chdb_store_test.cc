#include "store/chdb/chdb_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "store/chdb/engine_library.h"
#include "store/migrations.h"
#include "store/rows.h"

namespace playhead::store::chdb {
namespace {

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

ColumnBatch sessions_over_days(int days, int per_day) {
    auto batch = batch_of(Table::Sessions);
    for (int day = 0; day < days; ++day) {
        for (int index = 0; index < per_day; ++index) {
            append_session(batch, session(day * per_day + index, kStart_ms + day * kDay_ms));
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
            actual[std::get<std::string>(row[0])] = std::get<std::string>(row[1]);
        }
        EXPECT_EQ(actual, expected) << schema.name;
        EXPECT_EQ(schema.columns.front().name, "customerid");
        EXPECT_EQ(schema.columns[1].name, "sessionid");
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
    ASSERT_TRUE(store_->insert(batch, "1:2"));
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

}  // namespace
}  // namespace playhead::store::chdb
