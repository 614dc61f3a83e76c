#include "query/flights.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include "store/memory_store.h"

namespace playhead::query {
namespace {

using store::ChangeState;

/// Work that begins, says so, and ends when it is told to or stopped.
struct Gate {
    std::atomic<int> begun{0};
    std::atomic<bool> open{false};
    std::atomic<int> stopped{0};

    Flights::Work work() {
        return [this](const std::string&, const std::atomic<bool>& stop) -> Result<SharedTable> {
            ++begun;
            while (!open && !stop) std::this_thread::yield();
            if (stop) {
                ++stopped;
                return fail(ErrorCode::Cancelled, "stopped");
            }
            return std::make_shared<store::ResultTable>();
        };
    }
};

class FlightsTest : public ::testing::Test {
protected:
    std::future<Result<SharedTable>> ask(const std::string& key, const std::string& name,
                                         ChangeState state = {1, false}) {
        return std::async(std::launch::async, [=, this] {
            return flights_.run(key, state, name, nullptr, gate_.work());
        });
    }
    void await_begun(int count) {
        while (gate_.begun < count) std::this_thread::yield();
    }
    /// Until the caller is in a flight.
    void await_joined(const std::string& name) {
        while (!flights_.store_id(name)) std::this_thread::yield();
    }

    store::MemoryStore store_;
    Flights flights_{store_};
    Gate gate_;
};

TEST_F(FlightsTest, EqualQueriesShareOneRun) {
    std::vector<std::future<Result<SharedTable>>> asked;
    asked.push_back(ask("k", "a"));
    await_begun(1);
    for (const char* name : {"b", "c", "d"}) {
        asked.push_back(ask("k", name));
        await_joined(name);
    }
    EXPECT_EQ(flights_.store_id("d"), flights_.store_id("a"));
    gate_.open = true;
    SharedTable first;
    for (auto& each : asked) {
        auto got = each.get();
        ASSERT_TRUE(got);
        if (!first) first = *got;
        EXPECT_EQ(*got, first);
    }
    EXPECT_EQ(gate_.begun, 1);
    EXPECT_FALSE(flights_.store_id("a"));
}

TEST_F(FlightsTest, OtherKeysAndOtherStatesDoNot) {
    auto one = ask("k", "a");
    await_begun(1);
    auto two = ask("other", "b");
    await_begun(2);
    auto three = ask("k", "c", {2, false});
    await_begun(3);
    auto four = ask("k", "d", {2, true});
    await_begun(4);
    gate_.open = true;
    for (auto* each : {&one, &two, &three, &four}) EXPECT_TRUE(each->get());
}

TEST_F(FlightsTest, AFailureIsEverybodys) {
    std::atomic<bool> open{false};
    const auto failing = [&](const std::string&, const std::atomic<bool>&) -> Result<SharedTable> {
        while (!open) std::this_thread::yield();
        return fail(ErrorCode::Timeout, "too long");
    };
    auto one = std::async(std::launch::async,
                          [&] { return flights_.run("k", {1, false}, "a", nullptr, failing); });
    await_joined("a");
    auto two = std::async(std::launch::async,
                          [&] { return flights_.run("k", {1, false}, "b", nullptr, failing); });
    await_joined("b");
    open = true;
    EXPECT_EQ(one.get().error().code, ErrorCode::Timeout);
    EXPECT_EQ(two.get().error().code, ErrorCode::Timeout);
}

TEST_F(FlightsTest, OnlyTheLastToLeaveStopsTheRun) {
    auto one = ask("k", "a");
    await_begun(1);
    auto two = ask("k", "b");
    await_joined("b");
    EXPECT_TRUE(flights_.cancel("b"));
    EXPECT_EQ(two.get().error().code, ErrorCode::Cancelled);
    EXPECT_EQ(gate_.stopped, 0);
    EXPECT_FALSE(flights_.cancel("nobody"));
    EXPECT_TRUE(flights_.cancel("a"));
    EXPECT_EQ(one.get().error().code, ErrorCode::Cancelled);
    EXPECT_EQ(gate_.stopped, 1);
}

TEST_F(FlightsTest, TheFirstMayLeaveWithoutTheOthers) {
    auto one = ask("k", "a");
    await_begun(1);
    auto two = ask("k", "b");
    await_joined("b");
    EXPECT_TRUE(flights_.cancel("a"));
    gate_.open = true;
    EXPECT_EQ(one.get().error().code, ErrorCode::Cancelled);
    EXPECT_TRUE(two.get());
    EXPECT_EQ(gate_.stopped, 0);
}

TEST_F(FlightsTest, NobodyJoinsWhatIsAboutToEnd) {
    std::atomic<bool> release{false};
    const auto stubborn = [&](const std::string&, const std::atomic<bool>&) -> Result<SharedTable> {
        while (!release) std::this_thread::yield();
        return fail(ErrorCode::Cancelled, "stopped");
    };
    auto one = std::async(std::launch::async,
                          [&] { return flights_.run("k", {1, false}, "a", nullptr, stubborn); });
    await_joined("a");
    flights_.cancel("a");
    auto two = ask("k", "b");
    await_begun(1);  // a run of its own
    release = true;
    gate_.open = true;
    EXPECT_FALSE(one.get());
    EXPECT_TRUE(two.get());
}

TEST_F(FlightsTest, GivenUpBeforehandRunsNothing) {
    const std::atomic<bool> given_up{true};
    const auto got = flights_.run("k", {1, false}, "a", &given_up, gate_.work());
    EXPECT_EQ(got.error().code, ErrorCode::Cancelled);
    EXPECT_EQ(gate_.begun, 0);
}

TEST_F(FlightsTest, AnExceptionDoesNotLeaveOthersWaiting) {
    std::atomic<bool> open{false};
    const auto throwing = [&](const std::string&, const std::atomic<bool>&) -> Result<SharedTable> {
        while (!open) std::this_thread::yield();
        throw std::runtime_error("no memory");
    };
    auto one = std::async(std::launch::async,
                          [&] { return flights_.run("k", {1, false}, "a", nullptr, throwing); });
    await_joined("a");
    auto two = ask("k", "b");
    await_joined("b");
    open = true;
    EXPECT_THROW(one.get(), std::runtime_error);
    EXPECT_EQ(two.get().error().code, ErrorCode::Internal);
}

}  // namespace
}  // namespace playhead::query
