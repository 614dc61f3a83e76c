#include "query/schedule/schedule.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>

namespace playhead::query {
namespace {

std::shared_ptr<Turn> turn_of(std::uint64_t customer, const std::string& name) {
    auto turn = std::make_shared<Turn>();
    turn->customer_id = customer;
    turn->query_id = name;
    return turn;
}

class ScheduleTest : public ::testing::Test {
protected:
    /// A job that tells how it was called and, when admitted, waits for `open`.
    std::future<Result<void>> submit(Schedule& schedule, const std::shared_ptr<Turn>& turn) {
        auto called = std::make_shared<std::promise<Result<void>>>();
        auto future = called->get_future();
        EXPECT_TRUE(schedule.submit(turn, [this, called](const Result<void>& admitted) {
            if (admitted) {
                ++begun_;
                while (!open_) std::this_thread::yield();
            }
            called->set_value(admitted);
        }));
        return future;
    }
    void await_begun(int count) {
        while (begun_ < count) std::this_thread::yield();
    }

    SystemClock clock_;
    MetricsRegistry metrics_;
    std::atomic<bool> open_{false};
    std::atomic<int> begun_{0};
};

TEST_F(ScheduleTest, AJobKnowsItsTurn) {
    Schedule schedule({2, 2, 0, 10, 10}, 60, clock_, metrics_);
    const auto turn = turn_of(1, "a");
    std::promise<Turn*> seen;
    EXPECT_EQ(Turn::current(), nullptr);
    ASSERT_TRUE(
        schedule.submit(turn, [&](const Result<void>&) { seen.set_value(Turn::current()); }));
    EXPECT_EQ(seen.get_future().get(), turn.get());
}

TEST_F(ScheduleTest, ACancelledJobLeavesTheQueueAtOnce) {
    Schedule schedule({1, 1, 0, 10, 10}, 60, clock_, metrics_);
    const auto running = turn_of(1, "runs");
    auto first = submit(schedule, running);
    await_begun(1);
    auto second = submit(schedule, turn_of(1, "waits"));
    EXPECT_FALSE(schedule.cancel(2, "waits")) << "another customer's";
    EXPECT_FALSE(schedule.cancel(1, "unknown"));
    EXPECT_TRUE(schedule.cancel(1, "waits"));
    EXPECT_EQ(second.get().error().code, ErrorCode::Cancelled);
    // One that runs is told only.
    EXPECT_TRUE(schedule.cancel(1, "runs"));
    EXPECT_TRUE(running->cancelled);
    open_ = true;
    EXPECT_TRUE(first.get());
    const auto gone = turn_of(1, "gone");
    gone->cancelled = true;
    const auto refused = schedule.submit(gone, [](const Result<void>&) {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Cancelled);
}

TEST_F(ScheduleTest, WaitingHasALimit) {
    ManualClock clock(0);
    Schedule schedule({1, 1, 0, 10, 10}, 60, clock, metrics_);
    auto first = submit(schedule, turn_of(1, "a"));
    await_begun(1);
    auto second = submit(schedule, turn_of(2, "b"));
    clock.advance_ms(61'000);
    EXPECT_EQ(second.get().error().code, ErrorCode::Unavailable);
    open_ = true;
    EXPECT_TRUE(first.get());
}

TEST_F(ScheduleTest, QueuesAreBounded) {
    Schedule schedule({1, 1, 0, 10, 1}, 60, clock_, metrics_);
    auto first = submit(schedule, turn_of(1, "a"));
    await_begun(1);
    auto second = submit(schedule, turn_of(1, "b"));
    const auto refused = schedule.submit(turn_of(1, "c"), [](const Result<void>&) {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::TooManyRequests);
    auto other = submit(schedule, turn_of(2, "d"));
    open_ = true;
    for (auto* each : {&first, &second, &other}) EXPECT_TRUE(each->get());
    EXPECT_NE(metrics_.render().find("playhead_query_refused_total{reason=\"customer_queue\"} 1"),
              std::string::npos);
}

TEST_F(ScheduleTest, StoppingRefusesWhatWaits) {
    Schedule schedule({1, 1, 0, 10, 10}, 60, clock_, metrics_);
    auto first = submit(schedule, turn_of(1, "a"));
    await_begun(1);
    auto second = submit(schedule, turn_of(1, "b"));
    auto stopping = std::async(std::launch::async, [&] { schedule.stop(); });
    EXPECT_EQ(second.get().error().code, ErrorCode::Unavailable);
    open_ = true;
    stopping.get();
    EXPECT_TRUE(first.get());
    EXPECT_FALSE(schedule.submit(turn_of(1, "c"), [](const Result<void>&) {}));
}

TEST_F(ScheduleTest, AThrowingJobIsNotTheLast) {
    Schedule schedule({1, 1, 0, 10, 10}, 60, clock_, metrics_);
    ASSERT_TRUE(schedule.submit(
        turn_of(1, "a"), [](const Result<void>&) { throw std::runtime_error("no memory"); }));
    open_ = true;
    EXPECT_TRUE(submit(schedule, turn_of(1, "b")).get());
}

}  // namespace
}  // namespace playhead::query
