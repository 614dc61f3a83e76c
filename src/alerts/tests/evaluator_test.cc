// The live evaluator against the back-test, with crashes, pauses and changed rules in between.
#include "alerts/evaluator.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>

#include "alerts/backtest.h"
#include "base/hash.h"
#include "base/random.h"

namespace playhead::alerts {
namespace {

constexpr std::int64_t kStart_s = 1'700'000'040;  // a whole minute
constexpr std::uint64_t kCustomer = 7;

/// Values that depend on time and combination only, with spells of trouble.
class History final : public Sampler {
public:
    Result<Tick> tick(const Rule& rule, std::int64_t time_s) const override {
        ++asked;
        if (failing) return fail(ErrorCode::Unavailable, "told to fail");
        Tick tick;
        tick.time_s = time_s;
        tick.threshold = rule.threshold;
        for (const auto* name : {"A", "B", "C"}) {
            const auto seed = stable_hash(name + std::to_string(time_s / 300));
            Random random(seed, static_cast<std::uint64_t>(time_s));
            const bool trouble = seed % 4 == 0;
            Sample sample;
            sample.combination = {name};
            sample.value = random.uniform(0, 8) + (trouble ? 8 : 0);
            sample.attempts = static_cast<double>(random.below(20) + (trouble ? 3 : 0));
            sample.users = 10;
            if (random.below(10) != 0) tick.samples.push_back(sample);
        }
        return tick;
    }
    std::vector<std::string> worst_sessions(const Rule&, const Episode& episode,
                                            std::int64_t) const override {
        return {"worst-" + episode.combination.front()};
    }
    std::string root_cause(const Rule&, const Episode&, std::int64_t) const override {
        return "[]";
    }
    void cancel() const override {}
    mutable int asked = 0;
    bool failing = false;
};

/// Keeps the newest state of each alert; fails when told to, as a crash between two writes would.
class Book final : public AlertSink {
public:
    Result<void> record(Alert alert) override {
        if (left == 0) return fail(ErrorCode::Unavailable, "told to fail");
        if (left > 0) --left;
        auto& known = alerts[alert.id];
        if (alert.sample_sessions.empty()) alert.sample_sessions = known.sample_sessions;
        known = std::move(alert);
        return {};
    }
    Result<void> resolve(std::uint64_t, std::string_view id, std::int64_t end_ms,
                         std::string_view note) override {
        const auto found = alerts.find(std::string(id));
        if (found == alerts.end()) return {};
        found->second.status = Status::Resolved;
        found->second.end_ms = end_ms;
        found->second.note = note;
        return {};
    }
    std::map<std::string, Alert> alerts;
    int left = -1;  ///< writes until it fails; -1 = never
};

/// Counts the messages; fails when told to.
class Messages final : public Announcer {
public:
    Result<void> announce(const Rule&, const Alert& alert) override {
        if (left == 0) return fail(ErrorCode::Unavailable, "told to fail");
        if (left > 0) --left;
        ++told[alert.id + name_of(alert.status)];
        return {};
    }
    std::map<std::string, int> told;
    int left = -1;
};

/// A sampler whose question goes on until it is cancelled.
class Endless final : public Sampler {
public:
    Result<Tick> tick(const Rule&, std::int64_t) const override {
        std::unique_lock hold(mutex_);
        asked_ = true;
        changed_.notify_all();
        changed_.wait(hold, [this] { return cancelled_; });
        return fail(ErrorCode::Cancelled, "broken off");
    }
    std::vector<std::string> worst_sessions(const Rule&, const Episode&,
                                            std::int64_t) const override {
        return {};
    }
    std::string root_cause(const Rule&, const Episode&, std::int64_t) const override {
        return "[]";
    }
    void cancel() const override {
        const std::lock_guard hold(mutex_);
        cancelled_ = asked_;
        changed_.notify_all();
    }
    void wait_until_asked() const {
        std::unique_lock hold(mutex_);
        changed_.wait(hold, [this] { return asked_; });
    }

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    mutable bool asked_ = false, cancelled_ = false;
};

class EvaluatorTest : public ::testing::Test {
protected:
    EvaluatorTest() {
        std::string pattern = std::filesystem::temp_directory_path() / "playhead_alerts_XXXXXX";
        folder_ = mkdtemp(pattern.data());
        directory_ = directory::Directory::open(folder_ + "/d.sqlite", clock_).value();
        directory::Tenant tenant;
        tenant.customer_id = kCustomer;
        tenant.name = "T";
        tenant.plan_level = 1;
        EXPECT_TRUE(directory_->add_tenant(tenant));
        rule_.id = "r1";
        rule_.customer_id = kCustomer;
        rule_.name = "n";
        rule_.metric = "failurerate";
        rule_.dimensions = {"cdn"};
        rule_.threshold = 9;
        rule_.calculation_period_s = rule_.detection_interval_s = 60;
    }
    ~EvaluatorTest() override {
        directory_.reset();
        std::filesystem::remove_all(folder_);
    }

    void put(const Rule& rule) {
        directory::Document document;
        document.kind = kRuleKind;
        document.id = rule.id;
        document.customer_id = kCustomer;
        document.body = rule_json(rule);
        ASSERT_TRUE(directory_->put_document(document));
    }

    /// A process: evaluates once with the watermark where the interval `now_s` is complete.
    Result<void> evaluate(std::int64_t now_s) {
        Evaluator evaluator(*directory_, history_, book_, &announcer_,
                            [now_s] { return (now_s + kSettle_s) * 1000; });
        return evaluator.run_once();
    }

    void expect_as_backtest(std::int64_t from_s, std::int64_t to_s) {
        const auto tried = backtest(rule_, history_, from_s, to_s);
        ASSERT_TRUE(tried) << tried.error().message;
        ASSERT_EQ(book_.alerts.size(), tried->episodes.size());
        for (const auto& episode : tried->episodes) {
            const auto found = book_.alerts.find(alert_id(rule_, episode));
            ASSERT_NE(found, book_.alerts.end());
            const Alert& alert = found->second;
            EXPECT_EQ(alert.start_ms, episode.start_s * 1000);
            EXPECT_EQ(alert.end_ms, episode.end_s * 1000);
            EXPECT_EQ(alert.value, episode.worst.value);
            EXPECT_EQ(alert.status, episode.end_s > 0 ? Status::Resolved : Status::Open);
        }
    }

    ManualClock clock_{kStart_s * 1000};
    std::string folder_;
    std::unique_ptr<directory::Directory> directory_;
    History history_;
    Book book_;
    Messages announcer_;
    Rule rule_;
};

TEST_F(EvaluatorTest, LiveOpensTheEpisodesOfTheBacktestWhateverCrashesInBetween) {
    Random random(11);
    std::size_t episodes = 0;
    for (int round = 0; round < 12; ++round) {
        rule_.id = "r" + std::to_string(round);
        rule_.persistence = 1 + static_cast<int>(random.below(3));
        rule_.resolution = 1 + static_cast<int>(random.below(3));
        rule_.cooldown_s = static_cast<std::int64_t>(random.below(4)) * 60;
        put(rule_);
        book_.alerts.clear();
        ASSERT_TRUE(evaluate(kStart_s));
        for (std::int64_t minute = 1; minute <= 200; ++minute) {
            // Some rounds of the loop come late, some fail between two writes or at the store.
            if (random.below(4) == 0) continue;
            if (random.below(5) == 0) {
                book_.left = static_cast<int>(random.below(2));
                (void)evaluate(kStart_s + minute * 60);
                book_.left = -1;
                announcer_.left = static_cast<int>(random.below(2));
                (void)evaluate(kStart_s + minute * 60);
                announcer_.left = -1;
            }
            history_.failing = random.below(20) == 0;
            (void)evaluate(kStart_s + minute * 60);
            history_.failing = false;
        }
        ASSERT_TRUE(evaluate(kStart_s + 200 * 60));
        expect_as_backtest(kStart_s, kStart_s + 200 * 60);
        // No opening and no resolution goes untold, whatever crashed in between.
        for (const auto& [id, alert] : book_.alerts) {
            EXPECT_GT(announcer_.told[id + "Open"], 0);
            if (alert.status == Status::Resolved) {
                EXPECT_GT(announcer_.told[id + "Resolved"], 0);
            }
        }
        episodes += book_.alerts.size();
        ASSERT_TRUE(directory_->remove_document(kRuleKind, kCustomer, rule_.id));
        ASSERT_TRUE(evaluate(kStart_s + 200 * 60));
    }
    EXPECT_GT(episodes, 50U);
}

TEST_F(EvaluatorTest, StoppingBreaksOffTheQueryThatIsRunning) {
    put(rule_);
    ASSERT_TRUE(evaluate(kStart_s));
    const Endless endless;
    Evaluator evaluator(*directory_, endless, book_, nullptr,
                        [] { return (kStart_s + 60 + kSettle_s) * 1000; });
    evaluator.start();
    endless.wait_until_asked();
    evaluator.stop();  // hangs for ever unless it cancels
    EXPECT_TRUE(book_.alerts.empty());
    ASSERT_TRUE(evaluate(kStart_s + 60));
    EXPECT_EQ(history_.asked, 1) << "the interval that was broken off is evaluated after all";
}

TEST_F(EvaluatorTest, EachIntervalIsEvaluatedOnce) {
    put(rule_);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(evaluate(kStart_s));
    EXPECT_EQ(history_.asked, 0);  // a new rule begins with the next interval
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(evaluate(kStart_s + 60));
    EXPECT_EQ(history_.asked, 1);
    ASSERT_TRUE(evaluate(kStart_s + 60 + 59));
    EXPECT_EQ(history_.asked, 1);  // the next interval is not complete
}

TEST_F(EvaluatorTest, APauseIsNotCaughtUpInFull) {
    put(rule_);
    ASSERT_TRUE(evaluate(kStart_s));
    ASSERT_TRUE(evaluate(kStart_s + 86'400));
    EXPECT_EQ(history_.asked, kCatchUpIntervalsMax);
    for (const auto& [id, alert] : book_.alerts) {
        EXPECT_GE(alert.start_ms, (kStart_s + 86'400 - kCatchUpIntervalsMax * 60) * 1000);
    }
}

TEST_F(EvaluatorTest, AChangedOrRemovedRuleEndsItsAlerts) {
    rule_.threshold = -1;  // always a breach
    rule_.min_attempts = 0;
    put(rule_);
    ASSERT_TRUE(evaluate(kStart_s));
    ASSERT_TRUE(evaluate(kStart_s + 300));
    const auto open = book_.alerts.size();
    ASSERT_GT(open, 0U);
    for (const auto& [id, alert] : book_.alerts) {
        EXPECT_EQ(alert.status, Status::Open);
        EXPECT_EQ(alert.sample_sessions, std::vector{"worst-" + alert.dimension.front().second});
        EXPECT_EQ(alert.dimension.front().first, "cdn");
    }
    rule_.revision = 2;
    put(rule_);
    ASSERT_TRUE(evaluate(kStart_s + 300));
    for (const auto& [id, alert] : book_.alerts) {
        EXPECT_EQ(alert.status, Status::Resolved);
        EXPECT_EQ(alert.note, "the rule was changed");
        EXPECT_GT(alert.end_ms, 0);
    }
    ASSERT_TRUE(evaluate(kStart_s + 360));
    EXPECT_GT(book_.alerts.size(), open);
    ASSERT_TRUE(directory_->remove_document(kRuleKind, kCustomer, rule_.id));
    ASSERT_TRUE(evaluate(kStart_s + 360));
    for (const auto& [id, alert] : book_.alerts) EXPECT_EQ(alert.status, Status::Resolved);
    EXPECT_TRUE(directory_->documents(kStateKind, std::nullopt)->empty());
}

TEST_F(EvaluatorTest, ADisabledRuleRests) {
    put(rule_);
    ASSERT_TRUE(evaluate(kStart_s));
    rule_.enabled = false;
    rule_.revision = 2;
    put(rule_);
    for (int i = 1; i < 20; ++i) ASSERT_TRUE(evaluate(kStart_s + i * 60));
    EXPECT_EQ(history_.asked, 0);
    EXPECT_TRUE(book_.alerts.empty());
}

TEST_F(EvaluatorTest, BacktestBoundsItsIntervals) {
    for (const auto length_s : {std::int64_t{0}, (kBacktestIntervalsMax + 1) * 60}) {
        const auto tried = backtest(rule_, history_, kStart_s, kStart_s + length_s);
        ASSERT_FALSE(tried);
        EXPECT_EQ(tried.error().parameter, "period");
    }
    EXPECT_TRUE(
        backtest(rule_, history_, kStart_s, kStart_s + kBacktestIntervalsMax * 60).has_value());
}

}  // namespace
}  // namespace playhead::alerts
