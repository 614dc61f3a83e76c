#include "store/memory_store.h"

#include <gtest/gtest.h>

#include <thread>

#include "store/rows.h"

namespace playhead::store {
namespace {

ColumnBatch one_session(const std::string& id) {
    auto batch = batch_of(Table::Sessions);
    model::SessionRow row;
    row.key = {UINT64_MAX, id};
    row.start_ms = -5;
    row.startup_ms = -1;
    row.score = 12.5F;
    row.position_s = 1.25;
    row.sign = -1;
    row.tags = {{"k", "v"}, {"", "\n"}};
    row.dimensions[model::index_of(model::Dimension::Cdn)] = "akamai";
    row.counters.beacons_lost = 9;
    append_session(batch, row);
    return batch;
}

TEST(MemoryStoreTest, GivesBackWhatWasInserted) {
    MemoryStore store;
    ASSERT_TRUE(store.insert(one_session("a"), "t1"));
    const auto rows = store.rows("sessions");
    ASSERT_EQ(rows.size(), 1U);
    const auto& row = rows[0];
    EXPECT_EQ(row.size(), schema_of(Table::Sessions).columns.size());
    EXPECT_EQ(std::get<std::int64_t>(row.at("customerid")), -1);
    EXPECT_EQ(std::get<std::string>(row.at("sessionid")), "a");
    EXPECT_EQ(std::get<std::string>(row.at("cdn")), "akamai");
    EXPECT_EQ(std::get<std::string>(row.at("viewstatus")), "LOADED");
    EXPECT_EQ(std::get<std::int64_t>(row.at("start_time")), -5);
    EXPECT_EQ(std::get<std::int64_t>(row.at("startup_ms")), -1);
    EXPECT_EQ(std::get<std::int64_t>(row.at("sign")), -1);
    EXPECT_EQ(std::get<std::int64_t>(row.at("beacons_lost")), 9);
    EXPECT_EQ(std::get<double>(row.at("score")), 12.5);
    EXPECT_EQ(std::get<double>(row.at("position_s")), 1.25);
    EXPECT_EQ((std::get<model::Tags>(row.at("tags"))), (model::Tags{{"k", "v"}, {"", "\n"}}));
}

TEST(MemoryStoreTest, RepeatedTokenAddsNothingPerTable) {
    MemoryStore store;
    ASSERT_TRUE(store.insert(one_session("a"), "t1"));
    ASSERT_TRUE(store.insert(one_session("b"), "t1"));
    EXPECT_EQ(store.row_count("sessions"), 1U);
    auto slices = batch_of(Table::Slices);
    append(slices, model::SliceRow{});
    ASSERT_TRUE(store.insert(slices, "t1"));
    EXPECT_EQ(store.row_count("slices"), 1U);
    for (std::size_t index = 0; index < MemoryStore::kTokensMax; ++index) {
        ASSERT_TRUE(store.insert(one_session("c"), "more" + std::to_string(index)));
    }
    ASSERT_TRUE(store.insert(one_session("a"), "t1"));
    EXPECT_EQ(store.row_count("sessions"), MemoryStore::kTokensMax + 2) << "forgotten by then";
}

TEST(MemoryStoreTest, FailsOnRequestAndKeepsNothing) {
    MemoryStore store;
    store.fail_inserts(1);
    const auto failed = store.insert(one_session("a"), "t1");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::Unavailable);
    EXPECT_EQ(store.row_count("sessions"), 0U);
    ASSERT_TRUE(store.insert(one_session("a"), "t1"));
    EXPECT_EQ(store.row_count("sessions"), 1U);
}

TEST(MemoryStoreTest, RefusesColumnsOfUnequalLength) {
    MemoryStore store;
    auto batch = one_session("a");
    batch.columns.back().append_signed(1);
    const auto failed = store.insert(batch, "t1");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::InvalidArgument);
}

TEST(MemoryStoreTest, AnswersNoSql) {
    MemoryStore store;
    EXPECT_TRUE(store.query({"SELECT 1", {}}, {}));
    const auto failed = store.query({"SELECT count() FROM sessions", {}}, {});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::Unprocessable);
}

TEST(MemoryStoreTest, TakesInsertsFromManyThreads) {
    MemoryStore store;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&store, thread] {
            for (int index = 0; index < 50; ++index) {
                const auto token = std::to_string(thread) + ":" + std::to_string(index);
                EXPECT_TRUE(store.insert(one_session(token), token));
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(store.row_count("sessions"), 200U);
}

}  // namespace
}  // namespace playhead::store
