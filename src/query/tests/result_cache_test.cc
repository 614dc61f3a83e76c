#include "query/result_cache.h"

#include <gtest/gtest.h>

namespace playhead::query {
namespace {

using store::ChangeState;

SharedTable table_of(std::size_t bytes) {
    auto table = std::make_shared<store::ResultTable>();
    table->rows.push_back({std::string(bytes, 'x')});
    return table;
}

TEST(PlanKey, TellsEveryPartApart) {
    const store::Statement one{"SELECT 1", {{"a", "1", false}, {"b", "2", false}}};
    auto other = one;
    EXPECT_EQ(plan_key(one), plan_key(other));
    other.parameters[1].value = "3";
    EXPECT_NE(plan_key(one), plan_key(other));
    other = one;
    other.parameters[1].is_literal = true;
    EXPECT_NE(plan_key(one), plan_key(other));
    other = one;
    other.sql += " ";
    EXPECT_NE(plan_key(one), plan_key(other));
    // A value that looks like the next parameter.
    const store::Statement two{"SELECT 1", {{"a", "1\n1:b=1:2", false}}};
    EXPECT_NE(plan_key(one), plan_key(two));
}

TEST(ResultCache, IsValidInOneStateOnly) {
    ResultCache cache(1 << 20);
    cache.put(1, "key", ChangeState{5, false}, table_of(10), 77);
    const auto kept = cache.find("key", ChangeState{5, false});
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->made_ms, 77);
    EXPECT_FALSE(cache.find("other", ChangeState{5, false}));
    EXPECT_FALSE(cache.find("key", ChangeState{6, false}));
    EXPECT_FALSE(cache.find("key", ChangeState{5, false})) << "the stale one is gone";
    EXPECT_EQ(cache.bytes(), 0U);
}

TEST(ResultCache, KeepsNothingReadWhileRowsMoved) {
    ResultCache cache(1 << 20);
    cache.put(1, "key", ChangeState{5, true}, table_of(10), 0);
    EXPECT_FALSE(cache.find("key", ChangeState{5, false}));
    EXPECT_FALSE(cache.find("key", ChangeState{5, true}));
}

TEST(ResultCache, StaysWithinItsBytesAndForgetsTheLeastUsed) {
    ResultCache cache(100'000);
    for (int i = 0; i < 30; ++i) {
        cache.put(1, "k" + std::to_string(i), ChangeState{1, false}, table_of(5000), 0);
        EXPECT_LE(cache.bytes(), 100'000U);
        if (i > 0) {
            EXPECT_TRUE(cache.find("k0", ChangeState{1, false})) << i;
        }
    }
    EXPECT_TRUE(cache.find("k29", ChangeState{1, false}));
    EXPECT_FALSE(cache.find("k1", ChangeState{1, false}));
}

TEST(ResultCache, OneCustomerDoesNotPushOutAnother) {
    ResultCache cache(100'000);
    for (int i = 0; i < 5; ++i) {
        cache.put(2, "small" + std::to_string(i), ChangeState{1, false}, table_of(5000), 0);
    }
    for (int i = 0; i < 200; ++i) {
        cache.put(1, "flood" + std::to_string(i), ChangeState{1, false}, table_of(5000), 0);
    }
    for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(cache.find("small" + std::to_string(i), ChangeState{1, false})) << i;
    }
}

TEST(ResultCache, TooLargeIsNotKept) {
    ResultCache cache(100'000);
    cache.put(1, "small", ChangeState{1, false}, table_of(1000), 0);
    cache.put(1, "large", ChangeState{1, false}, table_of(20'000), 0);
    EXPECT_TRUE(cache.find("small", ChangeState{1, false}));
    EXPECT_FALSE(cache.find("large", ChangeState{1, false}));
    ResultCache none(0);
    none.put(1, "small", ChangeState{1, false}, table_of(1), 0);
    EXPECT_EQ(none.bytes(), 0U);
}

TEST(ResultCache, CountsWhatTextsTake) {
    EXPECT_GE(bytes_of(*table_of(5000)), 5000U);
    EXPECT_LT(bytes_of(*table_of(5000)), 6000U);
}

}  // namespace
}  // namespace playhead::query
