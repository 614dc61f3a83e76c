#include "query/schedule/fair_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace playhead::query {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kHeavy = 1;
constexpr std::uint64_t kLight = 2;

/// Steps through time: who waits, who runs, how long each query takes.
class World {
public:
    explicit World(FairLimits limits) : queue_(limits) {}

    std::uint64_t ask(std::uint64_t customer, std::int64_t length_ns) {
        const auto number = queue_.push(customer, now_);
        EXPECT_TRUE(number);
        asked_[*number] = {customer, length_ns, now_};
        start();
        return *number;
    }
    void advance(std::int64_t by_ns) {
        const std::int64_t until = now_ + by_ns;
        while (true) {
            auto next = asked_.end();
            for (auto at = asked_.begin(); at != asked_.end(); ++at) {
                if (at->second.begun < 0 || at->second.done) continue;
                if (next == asked_.end() || end_of(at->second) < end_of(next->second)) next = at;
            }
            if (next == asked_.end() || end_of(next->second) > until) break;
            now_ = end_of(next->second);
            next->second.done = true;
            queue_.finish(next->first, now_);
            start();
        }
        now_ = until;
    }
    /// -1 while it has not begun.
    std::int64_t waited(std::uint64_t number) const {
        const auto& one = asked_.at(number);
        return one.begun < 0 ? -1 : one.begun - one.asked;
    }
    bool patient(std::uint64_t number) const { return asked_.at(number).patient; }
    int running(std::uint64_t customer) const {
        return static_cast<int>(std::count_if(asked_.begin(), asked_.end(), [&](const auto& each) {
            return each.second.customer == customer && each.second.begun >= 0 && !each.second.done;
        }));
    }
    const std::vector<std::uint64_t>& order() const { return order_; }
    FairQueue& queue() { return queue_; }
    std::int64_t now() const { return now_; }

private:
    struct One {
        std::uint64_t customer = 0;
        std::int64_t length = 0, asked = 0, begun = -1;
        bool done = false, patient = false;
    };
    static std::int64_t end_of(const One& one) { return one.begun + one.length; }
    void start() {
        while (const auto next = queue_.next(now_)) {
            auto& one = asked_.at(next->number);
            one.begun = now_;
            one.patient = next->patient;
            EXPECT_EQ(next->waited_ns, now_ - one.asked);
            order_.push_back(next->number);
        }
    }

    FairQueue queue_;
    std::map<std::uint64_t, One> asked_;
    std::vector<std::uint64_t> order_;
    std::int64_t now_ = 0;
};

TEST(FairQueue, ALightCustomerNeverWaitsForAHeavyOnesQueries) {
    World world({4, 2, 2, 512, 64});
    for (int i = 0; i < 50; ++i) world.ask(kHeavy, 30 * kSecond);
    for (int page = 0; page < 40; ++page) {
        world.advance(kSecond);
        const auto first = world.ask(kLight, kSecond / 20);
        const auto second = world.ask(kLight, kSecond / 20);
        EXPECT_EQ(world.waited(first), 0) << page;
        EXPECT_EQ(world.waited(second), 0) << page;
        EXPECT_FALSE(world.patient(first));
    }
}

TEST(FairQueue, NorAmongManyHeavyOnes) {
    World world({4, 2, 2, 512, 64});
    for (std::uint64_t customer = 10; customer < 20; ++customer) {
        for (int i = 0; i < 20; ++i) world.ask(customer, 30 * kSecond);
    }
    // At first nobody is known to be heavy; once all have had a query, places stay free.
    world.advance(120 * kSecond);
    for (int page = 0; page < 30; ++page) {
        world.advance(kSecond);
        EXPECT_EQ(world.waited(world.ask(kLight, kSecond / 20)), 0) << page;
    }
}

TEST(FairQueue, AHeavyCustomersQueriesGiveWay) {
    World world({4, 2, 2, 512, 64});
    EXPECT_FALSE(world.patient(world.ask(kHeavy, 3 * kSecond)));
    world.advance(4 * kSecond);
    // Alone as well: a light one may come while it runs.
    EXPECT_TRUE(world.patient(world.ask(kHeavy, 3 * kSecond)));
    world.advance(200 * kSecond);
    EXPECT_FALSE(world.patient(world.ask(kHeavy, kSecond))) << "it has been quiet since";
}

TEST(FairQueue, TheLighterOfTwoBusyCustomersIsPrompt) {
    World world({6, 3, 2, 512, 64});
    for (int i = 0; i < 60; ++i) world.ask(kHeavy, 10 * kSecond);
    // One query at a time without a pause: less than half the use of the other, far above little.
    for (int i = 0; i < 120; ++i) {
        const auto number = world.ask(kLight, kSecond / 2);
        EXPECT_EQ(world.waited(number), 0) << i;
        EXPECT_FALSE(world.patient(number)) << i;
        world.advance(kSecond / 2);
    }
    EXPECT_GT(world.queue().use_s(kLight, world.now()), kLightUse_s);
}

/// A page of several queries at once, again and again, is no backlog.
TEST(FairQueue, APageInALoopIsLighterThanAFlood) {
    World world({6, 2, 4, 512, 64});
    for (int i = 0; i < 50; ++i) world.ask(kHeavy, 10 * kSecond);
    world.advance(5 * kSecond);
    for (int page = 0; page < 60; ++page) {
        std::vector<std::uint64_t> asked;
        for (int i = 0; i < 4; ++i) asked.push_back(world.ask(kLight, kSecond / 2));
        world.advance(kSecond + kSecond / 5);
        // Two by two, as if alone.
        for (int i = 0; i < 4; ++i) {
            EXPECT_EQ(world.waited(asked[i]), i < 2 ? 0 : kSecond / 2) << page;
            EXPECT_FALSE(world.patient(asked[i])) << page;
        }
    }
}

TEST(FairQueue, TheNextPlaceGoesToWhoUsedLeast) {
    World world({1, 1, 0, 512, 64});
    world.ask(kHeavy, 10 * kSecond);
    const auto heavy = world.ask(kHeavy, kSecond);
    const auto light = world.ask(kLight, kSecond);
    world.advance(12 * kSecond);
    ASSERT_EQ(world.order().size(), 3U);
    EXPECT_EQ(world.order()[1], light);
    EXPECT_EQ(world.order()[2], heavy);
}

TEST(FairQueue, EqualCustomersGetEqualShares) {
    World world({1, 1, 0, 512, 512});
    for (int i = 0; i < 100; ++i) world.ask(1, kSecond);
    for (int i = 0; i < 100; ++i) world.ask(2, kSecond);
    world.advance(100 * kSecond);
    std::map<bool, int> begun;
    for (const auto number : world.order()) ++begun[number <= 100];
    EXPECT_NEAR(begun[true], begun[false], 2);
}

TEST(FairQueue, SharesAreOfTimeNotOfQueries) {
    World world({1, 1, 0, 1024, 512});
    for (int i = 0; i < 100; ++i) world.ask(1, 4 * kSecond);
    for (int i = 0; i < 400; ++i) world.ask(2, kSecond);
    world.advance(200 * kSecond);
    double first = 0, second = 0;
    for (const auto number : world.order()) {
        number <= 100 ? first += 4 : second += 1;
    }
    EXPECT_NEAR(first / second, 1, 0.15);
}

TEST(FairQueue, FirstComeFirstServedWithinACustomer) {
    World world({1, 1, 0, 512, 64});
    std::vector<std::uint64_t> asked;
    for (int i = 0; i < 10; ++i) asked.push_back(world.ask(kHeavy, kSecond));
    world.advance(20 * kSecond);
    EXPECT_EQ(world.order(), asked);
}

TEST(FairQueue, LimitsHold) {
    World world({4, 2, 2, 10, 4});
    for (int i = 0; i < 6; ++i) world.ask(1, 100 * kSecond);
    EXPECT_EQ(world.running(1), 2);
    auto refused = world.queue().push(1, world.now());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::TooManyRequests);
    for (std::uint64_t customer = 2; world.queue().waiting() < 10; ++customer) {
        world.ask(customer, 100 * kSecond);
    }
    EXPECT_EQ(world.queue().running(), 4);
    refused = world.queue().push(99, world.now());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
}

TEST(FairQueue, LeavingMakesRoom) {
    FairQueue queue({1, 1, 0, 10, 2});
    const auto running = queue.push(1, 0);
    ASSERT_TRUE(queue.next(0));
    const auto waiting = queue.push(1, 5);
    const auto last = queue.push(1, 9);
    EXPECT_FALSE(queue.push(1, 9));
    EXPECT_EQ(queue.older_than(6), std::vector{*waiting});
    EXPECT_FALSE(queue.remove(*running)) << "it runs";
    EXPECT_TRUE(queue.remove(*waiting));
    EXPECT_FALSE(queue.remove(*waiting));
    EXPECT_TRUE(queue.push(1, 10));
    queue.finish(*running, 11);
    queue.finish(*running, 11);
    const auto next = queue.next(11);
    ASSERT_TRUE(next);
    EXPECT_EQ(next->number, *last);
    EXPECT_FALSE(queue.next(11));
    EXPECT_EQ(queue.waiting(), 1U);
}

TEST(FairQueue, UseFadesAndRunningQueriesCount) {
    FairQueue queue({2, 2, 0, 10, 10});
    const auto number = queue.push(1, 0);
    queue.next(0);
    // One query all the time tends to the time constant.
    EXPECT_NEAR(queue.use_s(1, kSecond), 0.975, 0.01);
    EXPECT_NEAR(queue.use_s(1, 1000 * kSecond), kUseMemory_s, 0.01);
    queue.finish(*number, 1000 * kSecond);
    EXPECT_NEAR(queue.use_s(1, 1020 * kSecond), kUseMemory_s / 2.71828, 0.01);
    EXPECT_EQ(queue.use_s(2, 0), 0);
}

}  // namespace
}  // namespace playhead::query
