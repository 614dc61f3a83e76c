#include "query/schedule/side_by_side.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "query/schedule/turn.h"

namespace playhead::query {
namespace {

TEST(SideBySide, EachStepOnceInTheTurnOfTheCaller) {
    Turn turn;
    const Turn::Scope scope(turn);
    std::mutex mutex;
    std::multiset<std::size_t> seen;
    EXPECT_TRUE(side_by_side(100, [&](std::size_t i) {
        EXPECT_EQ(Turn::current(), &turn);
        const std::lock_guard lock(mutex);
        seen.insert(i);
        return true;
    }));
    EXPECT_EQ(seen.size(), 100U);
    EXPECT_EQ(std::set<std::size_t>(seen.begin(), seen.end()).size(), 100U);
    EXPECT_TRUE(side_by_side(0, [](std::size_t) { return false; }));
}

TEST(SideBySide, TwoAtATime) {
    std::atomic<int> begun{0};
    EXPECT_TRUE(side_by_side(2, [&](std::size_t) {
        ++begun;
        while (begun < 2) std::this_thread::yield();
        return true;
    }));
}

TEST(SideBySide, StopsAfterAFailure) {
    std::atomic<int> steps{0};
    EXPECT_FALSE(side_by_side(1'000'000, [&](std::size_t i) {
        ++steps;
        return i < 5;
    }));
    EXPECT_LT(steps, 1'000'000);
    EXPECT_GE(steps, 6);
    EXPECT_THROW(side_by_side(10,
                              [](std::size_t i) -> bool {
                                  if (i == 3) throw std::runtime_error("three");
                                  return true;
                              }),
                 std::runtime_error);
}

}  // namespace
}  // namespace playhead::query
