// What is kept equals what would be read: the same queries with and without the cache, at random
// moments of random traffic (late, out of order, revised), while others ask and rows move.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "base/random.h"
#include "query/engine.h"
#include "query/envelope.h"
#include "query/smart/smart_query.h"
#include "seed.h"
#include "traffic.h"

namespace playhead::query::test {
namespace {

struct Question {
    Endpoint endpoint = Endpoint::MetricQuery;
    Parameters parameters;
    bool smart = false;
};

std::string period(std::int64_t from_h, std::int64_t to_h) {
    return fmt::format("start={},end={}", (kNow + from_h * kHourMs) / 1000,
                       (kNow + to_h * kHourMs) / 1000);
}

std::vector<Question> questions() {
    const std::vector<Parameters> metrics{
        {{"metrics", "attempts,viewercount,playdur,latency"}, {"aggby", "assetid"}},
        {{"metrics", "attempts,playdur,p50_latency"},
         {"sessiontype", "started"},
         {"allstatus", "1"}},
        {{"metrics", "attempts,playdur,concurviewmax"}, {"concurrency", "1"}, {"aggby", "assetid"}},
        {{"metrics", "attempts,uniqueviewercount"},
         {"aggby", "timestamp"},
         {"timezone", "Europe/Berlin"},
         {"sessiontype", "started"},
         {"allstatus", "1"}},
        {{"metrics", "errors,attempts"}, {"concurrency", "1"}, {"qoefilter", "playdur > 1"}},
        {{"metrics", "attempts"}, {"filter", "[assetid=asset-1]"}, {"offset", "5"}},
    };
    std::vector<Question> out;
    for (const auto& [from, to] : {std::pair{-6, -3}, {-3, 0}, {0, 2}, {2, 5}, {-6, 12}}) {
        for (auto parameters : metrics) {
            parameters.emplace_back("period", period(from, to));
            out.push_back({Endpoint::MetricQuery, parameters, false});
        }
        const std::pair<std::string, std::string> when{"period", period(from, to)};
        out.push_back({Endpoint::ListSessions,
                       {{"metrics", "sessionid,viewstatus,playdur,errors"},
                        {"orderby", "sessionid"},
                        {"allstatus", "1"},
                        when},
                       false});
        out.push_back({Endpoint::Error,
                       {{"metrics", "errors,errorrate"}, {"aggby", "errorcode"}, when},
                       false});
        for (Parameters smart :
             {Parameters{{"queryname", "contentinsights"}},
              Parameters{{"queryname", "contentpaths"}},
              Parameters{{"queryname", "contentanalysis"}, {"assetid", "asset-1"}},
              Parameters{{"queryname", "realtime"}},
              Parameters{
                  {"queryname", "topmovers"}, {"metrics", "attempts"}, {"aggby", "assetid"}}}) {
            smart.push_back(when);
            out.push_back({Endpoint::QbrData, smart, true});
        }
    }
    return out;
}

class Cache : public ::testing::Test {
protected:
    void SetUp() override {
        store_ = engine_store();
        if (store_ == nullptr) GTEST_SKIP() << "the embedded engine is not built in or installed";
    }

    static Result<Answer> ask(const Engine& engine, const Question& question, CacheUse cache,
                              std::uint64_t customer) {
        if (question.smart) {
            auto request = smart::parse(question.parameters, engine);
            if (!request) return fail(request.error());
            request->common.cache = cache;
            return smart::run(*request, {engine, customer, engine.now_ms() / 1000});
        }
        auto request = engine.parse(question.parameters, question.endpoint);
        if (!request) return fail(request.error());
        request->cache = cache;
        return engine.run(*request, customer);
    }

    store::Store* store_ = nullptr;
};

TEST_F(Cache, AKeptAnswerIsTheAnswer) {
    store::Changes changes;
    Traffic traffic(*store_, changes, 20260101);
    EngineOptions options;
    options.changes = &changes;
    options.cache_bytes_max = 8U << 20U;
    const Engine engine(*store_, dictionary(), traffic.clock, options);
    const auto all = questions();
    std::atomic<bool> stop{false};
    std::atomic<bool> moving{false};
    std::thread other([&] {
        Random random(7, 7);
        while (!stop) {
            // Mostly while rows move.
            if (!moving) {
                std::this_thread::yield();
                continue;
            }
            const auto& question = all[random.next_u64() % all.size()];
            static_cast<void>(
                ask(engine, question, CacheUse::Allowed, kCustomers[random.next_u64() % 2]));
        }
    });
    // The same questions at every step, and most steps only let time pass: so an answer is kept,
    // and what changes without a beacon (a session is closed, a minute is stored) comes alone.
    constexpr std::size_t kAsked[] = {13, 19, 26, 52, 53, 54, 55, 58, 59, 60};
    Random random(42, 3);
    int kept = 0, compared = 0, changed = 0;
    std::map<std::size_t, std::string> before;
    const auto compare = [&](std::size_t number, int step) {
        const auto customer = kCustomers[number % 2];
        const auto maybe_kept = ask(engine, all[number], CacheUse::Allowed, customer);
        const auto fresh = ask(engine, all[number], CacheUse::Bypassed, customer);
        ASSERT_TRUE(maybe_kept) << number << ": " << maybe_kept.error().message;
        ASSERT_TRUE(fresh) << number << ": " << fresh.error().message;
        const auto envelope = envelope_of(*fresh);
        EXPECT_EQ(envelope_of(*maybe_kept).tag, envelope.tag)
            << "step " << step << " question " << number << "\n"
            << envelope_json(*maybe_kept) << "\n"
            << envelope.body;
        EXPECT_FALSE(fresh->meta.cached);
        kept += maybe_kept->meta.cached ? 1 : 0;
        ++compared;
        auto& last = before[number];
        changed += !last.empty() && last != envelope.tag ? 1 : 0;
        last = envelope.tag;
    };
    for (int step = 0; step < 20; ++step) {
        traffic.clock.advance_ms(static_cast<std::int64_t>(random.next_u64() % (4 * 60'000)));
        moving = true;
        step % 4 == 0 ? traffic.some(12) : traffic.some(0);
        moving = false;
        for (const auto number : kAsked) compare(number, step);
    }
    stop = true;
    other.join();
    // The test is worth something only when both happened often.
    EXPECT_GT(kept, compared / 10);
    EXPECT_GT(changed, compared / 20);
    fmt::print("{} compared, {} from the cache, {} had changed\n", compared, kept, changed);
}

TEST_F(Cache, SaysSoAndCanBeAvoided) {
    store::Changes changes;
    ManualClock clock(kNow);
    EngineOptions options;
    options.changes = &changes;
    options.cache_bytes_max = 1U << 20U;
    const Engine engine(*store_, dictionary(), clock, options);
    const Question question{
        Endpoint::MetricQuery, {{"metrics", "attempts"}, {"period", period(-2, -1)}}, false};
    constexpr std::uint64_t kNobody = 910'009;
    EXPECT_EQ(ask(engine, question, CacheUse::Only, kNobody).error().code, ErrorCode::Conflict);
    EXPECT_FALSE(ask(engine, question, CacheUse::Bypassed, kNobody)->meta.cached);
    EXPECT_FALSE(ask(engine, question, CacheUse::Allowed, kNobody)->meta.cached);
    clock.advance_ms(90'000);
    const auto kept = ask(engine, question, CacheUse::Only, kNobody);
    ASSERT_TRUE(kept);
    EXPECT_TRUE(kept->meta.cached);
    EXPECT_EQ(kept->meta.cache_age_s, 90);
    EXPECT_EQ(kept->meta.rows_read, 0U);
    EXPECT_FALSE(ask(engine, question, CacheUse::Only, kNobody + 1)) << "another customer's";
    EXPECT_FALSE(ask(engine, question, CacheUse::Bypassed, kNobody)->meta.cached);
}

TEST_F(Cache, WhatIsAboutToExpireIsNotKept) {
    store::Changes changes;
    ManualClock clock(kNow);
    EngineOptions options;
    options.changes = &changes;
    options.cache_bytes_max = 1U << 20U;
    options.details_days = 60;
    const Engine engine(*store_, dictionary(), clock, options);
    const auto kept = [&](const char* concurrency, std::int64_t days_ago) {
        const Question question{Endpoint::MetricQuery,
                                {{"metrics", "attempts"},
                                 {"concurrency", concurrency},
                                 {"period", period(-24 * days_ago, -24 * days_ago + 1)}},
                                false};
        EXPECT_TRUE(ask(engine, question, CacheUse::Allowed, 910'009));
        return ask(engine, question, CacheUse::Only, 910'009).has_value();
    };
    EXPECT_TRUE(kept("1", 27));
    EXPECT_FALSE(kept("1", 29)) << "slices stay for 60 days, of which 31 may be read before";
    EXPECT_TRUE(kept("0", 29));
}

TEST(CacheTag, IsOfWhatIsSaidAboutThePeriod) {
    Answer answer;
    answer.columns.push_back({"attempts", ValueType::Number, true, true, true, 0});
    answer.field_order = {"attempts"};
    answer.rows.push_back({std::int64_t{5}});
    answer.total_records = 1;
    answer.meta.period_end_s = 1000;
    answer.meta.watermark_s = 900;
    const auto open = envelope_of(answer);
    auto other = answer;
    other.meta.query_id = "another";
    other.meta.elapsed_ms = 12;
    other.meta.rows_read = 77;
    other.meta.cached = true;
    other.meta.cache_age_s = 3;
    other.meta.tables = {"kept_days"};
    other.meta.reason = "from elsewhere";
    EXPECT_EQ(envelope_of(other).tag, open.tag);
    EXPECT_NE(envelope_of(other).body, open.body);
    other.meta.watermark_s = 950;
    EXPECT_NE(envelope_of(other).tag, open.tag) << "more of the period is complete";
    other.meta.watermark_s = 1500;
    const auto closed = envelope_of(other);
    other.meta.watermark_s = 99'999;
    EXPECT_EQ(envelope_of(other).tag, closed.tag);
    other.rows[0][0] = std::int64_t{6};
    EXPECT_NE(envelope_of(other).tag, closed.tag);
}

}  // namespace
}  // namespace playhead::query::test
