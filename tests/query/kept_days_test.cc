// What is answered from kept days equals what is answered from rows, also when rows come late.
#include "query/kept_days.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "overtaken.h"
#include "query/engine.h"
#include "query/envelope.h"
#include "query/series.h"
#include "seed.h"
#include "store/rows.h"
#include "traffic.h"

namespace playhead::query::test {
namespace {

constexpr std::int64_t kDayMs = 24 * kHourMs;
/// Midnight, five days before `kNow`.
constexpr std::int64_t kFirstMs = kNow / kDayMs * kDayMs - 5 * kDayMs;
constexpr std::uint64_t kOwn = 920'001;
constexpr std::uint64_t kOther = 920'002;
constexpr std::uint64_t kLate = 920'003;
constexpr std::uint64_t kMoving[] = {920'004, 920'005};

std::string pick(Random& random, const char* prefix, std::uint64_t count) {
    return prefix + std::to_string(random.next_u64() % count);
}

template <class Row>
void fill(Row& row, Random& random, std::uint64_t customer, std::uint64_t number) {
    row.key.customer_id = customer;
    row.key.session_id = fmt::format("d{}-{}", customer, number);
    const auto set = [&](const char* name, const std::string& value) {
        row.dimensions[model::index_of(*model::dimension_named(name))] = value;
    };
    set("cdn", pick(random, "cdn", 3));
    set("country", pick(random, "C", 4));
    set("city", pick(random, "it's ", 9));
    set("device", pick(random, "tv", 2));
    const auto asset = pick(random, "a", 5);
    set("assetid", asset);
    set("assetname", "name of " + asset);
    set("subscriberid", random.next_u64() % 4 == 0 ? "" : pick(random, "u", 300));
    set("deviceid", pick(random, "dev", 500));
    row.tags.emplace_back("shelf", pick(random, "s", 3));
    row.asn = static_cast<std::uint32_t>(64500 + random.next_u64() % 3);
    row.is_live = random.next_u64() % 5 == 0;
    for (const auto& column : model::kCounterColumns) {
        row.counters.*column.field = static_cast<std::int64_t>(random.next_u64() % 1000);
    }
    row.counters.attempts = 1;
    row.counters.plays = random.next_u64() % 8 == 0 ? 0 : 1;
}

model::SessionRow session(Random& random, std::uint64_t customer, std::uint64_t number,
                          std::int64_t start_ms) {
    model::SessionRow row;
    fill(row, random, customer, number);
    row.revision = 1;
    row.status = random.next_u64() % 3 == 0 ? model::ViewStatus::Exited : model::ViewStatus::Ended;
    row.start_ms = start_ms;
    row.end_ms = start_ms + static_cast<std::int64_t>(random.next_u64() % (2 * kHourMs));
    row.startup_ms =
        random.next_u64() % 8 == 0 ? -1 : static_cast<std::int64_t>(random.next_u64() % 6000);
    row.score = static_cast<float>(random.next_u64() % 101);
    row.progress_percent = static_cast<double>(random.next_u64() % 101);
    row.duration_s = static_cast<double>(random.next_u64() % 5000);
    return row;
}

void write(store::Store& store, store::Changes& changes, const model::RowBlock& rows) {
    static int token = 0;
    changes.begin_block(rows);
    for (const auto kind : {store::Table::Sessions, store::Table::Slices, store::Table::AdViews}) {
        auto batch = store::batch_of(kind);
        if (kind == store::Table::Sessions) {
            for (const auto& row : rows.sessions) store::append_session(batch, row);
        } else if (kind == store::Table::Slices) {
            for (const auto& row : rows.slices) store::append(batch, row);
        } else {
            for (const auto& row : rows.ad_views) store::append(batch, row);
        }
        const auto done = store.insert(batch, "kept" + std::to_string(++token));
        ASSERT_TRUE(done) << done.error().message;
    }
    changes.end_block();
}

model::RowBlock audience(std::uint64_t customer, std::uint64_t seed, int count) {
    Random random(seed, 5);
    model::RowBlock rows;
    const auto at = [&] {
        return kFirstMs - kDayMs +
               static_cast<std::int64_t>(random.next_u64() %
                                         static_cast<std::uint64_t>(7 * kDayMs));
    };
    for (int i = 0; i < count; ++i) {
        const auto number = static_cast<std::uint64_t>(i);
        rows.sessions.push_back(session(random, customer, number, at()));
        // Some are revised: the old row, the row that cancels it, and the new one.
        if (i % 7 == 0) {
            auto cancels = rows.sessions.back();
            cancels.sign = -1;
            auto again = rows.sessions.back();
            again.revision = 2;
            again.counters.playing_ms += 500;
            rows.sessions.push_back(cancels);
            rows.sessions.push_back(again);
        }
        model::SliceRow slice;
        fill(slice, random, customer, number);
        slice.minute_ms = at() / 60'000 * 60'000;
        slice.active_ms = 60'000;
        slice.present = 1;
        rows.slices.push_back(slice);
        model::AdViewRow ad;
        ad.key = slice.key;
        ad.dimensions = slice.dimensions;
        ad.revision = 1;
        ad.id = pick(random, "ad", 4);
        ad.ordinal = 1;
        ad.position = pick(random, "roll", 2);
        ad.start_ms = at();
        ad.end_ms = ad.start_ms + 30'000;
        ad.load_ms = static_cast<std::int64_t>(random.next_u64() % 900);
        ad.playing_ms = 30'000;
        ad.duration_s = 30;
        ad.impression = ad.started = true;
        ad.completed = random.next_u64() % 2 == 0;
        rows.ad_views.push_back(ad);
    }
    return rows;
}

class Days : public ::testing::Test {
protected:
    void SetUp() override {
        if (engine_store() == nullptr) {
            GTEST_SKIP() << "the embedded engine is not built in or installed";
        }
        store_ = std::make_unique<Overtaken>(*engine_store());
        static const bool filled = [&] {
            store::Changes before;
            write(*store_, before, audience(kOwn, 1, 1500));
            write(*store_, before, audience(kOther, 2, 200));
            write(*store_, before, audience(kLate, 3, 300));
            return true;
        }();
        ASSERT_TRUE(filled);
        start();
    }

    void start(KeptDays::Options keeping = {}) {
        engine_.reset();
        days_.reset();
        keeping.asked_before = 0;
        days_ = std::make_unique<KeptDays>(*store_, changes_, clock_, keeping);
        EngineOptions options;
        options.changes = &changes_;
        options.days = days_.get();
        options.days_above_ms = -1;
        engine_ = std::make_unique<Engine>(*store_, dictionary(), clock_, options);
    }

    /// Not on the hour, so that rows stand before and behind the days.
    static std::string period(std::int64_t from_ms = kFirstMs - 1000 * 1234,
                              std::int64_t to_ms = kFirstMs + 4 * kDayMs + 1000 * 12345) {
        return fmt::format("start={},end={}", from_ms / 1000, to_ms / 1000);
    }

    Result<Answer> ask(Parameters parameters, CacheUse cache, std::uint64_t customer = kOwn,
                       Endpoint endpoint = Endpoint::MetricQuery) const {
        if (std::none_of(parameters.begin(), parameters.end(),
                         [](const auto& each) { return each.first == "period"; })) {
            parameters.emplace_back("period", period());
        }
        if (endpoint == Endpoint::MetricQuery) parameters.emplace_back("limit", "5000");
        auto request = engine_->parse(parameters, endpoint);
        if (!request) return fail(request.error());
        request->cache = cache;
        return engine_->run(*request, customer);
    }

    static bool from_days(const Answer& answer) {
        const auto& tables = answer.meta.tables;
        return std::find(tables.begin(), tables.end(), kKeptDaysTable) != tables.end();
    }

    static void expect_equal(const Answer& kept, const Answer& rows, double tolerance,
                             const std::string& what) {
        ASSERT_EQ(kept.rows.size(), rows.rows.size()) << what;
        EXPECT_EQ(kept.total_records, rows.total_records) << what;
        EXPECT_EQ(kept.meta.late_percent, rows.meta.late_percent) << what;
        EXPECT_EQ(kept.meta.lost_percent, rows.meta.lost_percent) << what;
        for (std::size_t i = 0; i < rows.rows.size(); ++i) {
            for (std::size_t j = 0; j < rows.columns.size(); ++j) {
                const auto& column = rows.columns[j];
                const auto where = fmt::format("{}: row {} {}", what, i, column.name);
                if (!column.is_metric && column.type == ValueType::String) {
                    ASSERT_EQ(std::get<std::string>(kept.rows[i][j]),
                              std::get<std::string>(rows.rows[i][j]))
                        << where;
                    continue;
                }
                const double left = number_of(kept.rows[i][j], NAN);
                const double right = number_of(rows.rows[i][j], NAN);
                ASSERT_EQ(std::isnan(left), std::isnan(right)) << where;
                if (std::isnan(left)) continue;
                ASSERT_NEAR(left, right, std::max(1.0, std::abs(right)) * tolerance) << where;
            }
        }
    }

    /// Asks until the days stand, then compares.
    void compare(const Parameters& parameters, double tolerance = 1e-9,
                 Endpoint endpoint = Endpoint::MetricQuery) {
        std::string what;
        for (const auto& [name, value] : parameters) {
            what += name + "=" + value.substr(0, 60) + " ";
        }
        const auto rows = ask(parameters, CacheUse::Bypassed, kOwn, endpoint);
        ASSERT_TRUE(rows) << what << rows.error().message;
        EXPECT_FALSE(from_days(*rows)) << what;
        const auto asked = ask(parameters, CacheUse::Allowed, kOwn, endpoint);
        ASSERT_TRUE(asked) << what << asked.error().message;
        ASSERT_TRUE(days_->wait_idle(60'000)) << what;
        const auto kept = ask(parameters, CacheUse::Allowed, kOwn, endpoint);
        ASSERT_TRUE(kept) << what << kept.error().message;
        EXPECT_TRUE(from_days(*kept)) << what;
        EXPECT_FALSE(rows->rows.empty()) << what;
        expect_equal(*kept, *rows, tolerance, what);
        ++compared_;
    }

    /// Every metric that the parameters allow, in lists.
    std::vector<std::string> metrics(const std::string& prefix, const Parameters& with) const {
        std::vector<std::string> lists;
        int count = 0;
        for (const auto& metric : dictionary().metrics()) {
            auto parameters = with;
            parameters.emplace_back("metrics", prefix + metric.key);
            parameters.emplace_back("period", period());
            const auto request = engine_->parse(parameters, Endpoint::MetricQuery);
            if (!request || !plan_query(*request, dictionary(), kOwn)) continue;
            if (count++ % 60 == 0) lists.emplace_back();
            lists.back() += (lists.back().empty() ? "" : ",") + (prefix + metric.key);
        }
        return lists;
    }

    ManualClock clock_{kNow};
    store::Changes changes_;
    std::unique_ptr<Overtaken> store_;
    std::unique_ptr<KeptDays> days_;
    std::unique_ptr<Engine> engine_;
    int compared_ = 0;
};

TEST_F(Days, EveryMetricIsThatOfTheRows) {
    const std::vector<Parameters> views{
        {},
        {{"sessiontype", "started"}, {"allstatus", "1"}},
        {{"concurrency", "1"}},
        {{"dimension", "ad"}},
        {{"definition", "mux"}, {"businesserror", "1"}},
    };
    for (const auto& view : views) {
        for (const auto& list : metrics("", view)) {
            for (const char* group : {"", "cdn", "country,assetid"}) {
                auto parameters = view;
                parameters.emplace_back("metrics", list);
                if (*group != '\0') parameters.emplace_back("aggby", group);
                compare(parameters);
            }
        }
    }
    EXPECT_GT(compared_, 20);
}

TEST_F(Days, EveryPercentileIsNearThatOfTheRows) {
    for (const char* prefix : {"median_", "p95_"}) {
        for (const auto& list : metrics(prefix, {})) compare({{"metrics", list}}, 0.03);
    }
    EXPECT_GE(compared_, 2);
}

TEST_F(Days, GroupsFiltersAndBuckets) {
    const std::string sums = "attempts,viewercount,latency,qualityofexperience,uniqueviewercount";
    compare({{"metrics", sums}, {"aggby", "timestamp"}, {"granularity", "day"}});
    compare({{"metrics", sums},
             {"aggby", "timestamp,islive"},
             {"granularity", "hour"},
             {"timezone", "Asia/Kolkata"}});
    compare({{"metrics", sums},
             {"aggby", "timestamp"},
             {"granularity", "day"},
             {"timezone", "America/New_York"}});
    compare({{"metrics", sums}, {"aggby", "hourofday,dayofweek"}, {"timezone", "Asia/Tokyo"}});
    compare({{"metrics", sums}, {"aggby", "asn,city"}});
    compare({{"metrics", sums}, {"aggby", "tag.shelf"}});
    compare({{"metrics", "assetname,attempts,uniqueviewercount"}, {"aggby", "assetid"}});
    compare({{"metrics", sums}, {"filter", "[city=it's 3][tag.shelf!=s1]"}});
    compare({{"metrics", sums}, {"qoefilter", "latency > 2"}, {"aggby", "cdn"}});
    compare({{"metrics", "adstarts,adcompletionrate,adlatency"},
             {"dimension", "ad"},
             {"aggby", "adposition"}});
    compare({{"metrics", "errors,errorrate,attempts"}, {"aggby", "cdn,device"}}, 1e-9,
            Endpoint::Error);
}

TEST_F(Days, AreNotMadeForWhatTheyCannotAnswer) {
    const auto refused = [&](Parameters parameters) {
        EXPECT_TRUE(ask(parameters, CacheUse::Allowed));
        EXPECT_TRUE(days_->wait_idle(60'000));
        return !from_days(*ask(parameters, CacheUse::Allowed));
    };
    EXPECT_TRUE(refused({{"metrics", "attempts"}, {"aggby", "subscriberid"}}));
    EXPECT_TRUE(refused({{"metrics", "avg_latency"}}));
    EXPECT_TRUE(refused({{"metrics", "latency"}, {"ci", "1"}}));
    EXPECT_TRUE(
        refused({{"metrics", "attempts"}, {"aggby", "timestamp"}, {"granularity", "minute"}}));
    EXPECT_TRUE(refused(
        {{"metrics", "attempts"}, {"period", period(kFirstMs - 1000, kFirstMs + kDayMs + 1000)}}))
        << "one whole day";
    EXPECT_FALSE(refused({{"metrics", "attempts"}}));
}

TEST_F(Days, BelongToOneCustomer) {
    const Parameters parameters{{"metrics", "attempts,uniqueviewercount"}};
    compare(parameters);
    const auto first = ask(parameters, CacheUse::Allowed, kOther);
    ASSERT_TRUE(first);
    EXPECT_FALSE(from_days(*first)) << "another customer's days";
    ASSERT_TRUE(days_->wait_idle(60'000));
    const auto kept = ask(parameters, CacheUse::Allowed, kOther);
    ASSERT_TRUE(kept);
    EXPECT_TRUE(from_days(*kept));
    expect_equal(*kept, *ask(parameters, CacheUse::Bypassed, kOther), 1e-9, "the other");
}

TEST_F(Days, ALateRowIsInTheNextAnswer) {
    const Parameters parameters{{"metrics", "attempts,uniqueviewercount,playdur"}};
    const auto asked = [&](CacheUse cache) { return ask(parameters, cache, kLate); };
    ASSERT_TRUE(asked(CacheUse::Allowed));
    ASSERT_TRUE(days_->wait_idle(60'000));
    const auto before = asked(CacheUse::Allowed);
    ASSERT_TRUE(from_days(*before));

    Random random(9, 9);
    model::RowBlock late;
    late.sessions.push_back(session(random, kLate, 100'001, kFirstMs + kDayMs + 5000));
    write(*store_, changes_, late);
    const auto after = asked(CacheUse::Allowed);
    EXPECT_TRUE(from_days(*after)) << "the other days stand";
    expect_equal(*after, *asked(CacheUse::Bypassed), 1e-9, "after");
    EXPECT_EQ(number_of(after->rows[0][0], 0), number_of(before->rows[0][0], 0) + 1);

    // The day is made anew, but not at every row.
    ASSERT_TRUE(days_->wait_idle(60'000));
    const auto rows_read = [&] { return asked(CacheUse::Allowed)->meta.rows_read; };
    const auto with_gap = rows_read();
    clock_.advance_ms(11 * 60'000);
    ASSERT_TRUE(asked(CacheUse::Allowed));
    ASSERT_TRUE(days_->wait_idle(60'000));
    EXPECT_LT(rows_read(), with_gap);
    expect_equal(*asked(CacheUse::Allowed), *asked(CacheUse::Bypassed), 1e-9, "made anew");
}

TEST_F(Days, RowsThatComeWhileADayIsMadeAreNotLost) {
    const Parameters parameters{{"metrics", "attempts,playdur"}, {"aggby", "city"}};
    Random random(10, 9);
    model::RowBlock late;
    late.sessions.push_back(session(random, kLate, 100'002, kFirstMs + 3 * kDayMs + 5000));
    store_->meanwhile = [&] { write(*store_, changes_, late); };
    ASSERT_TRUE(ask(parameters, CacheUse::Allowed, kLate));
    ASSERT_TRUE(days_->wait_idle(60'000));
    ASSERT_FALSE(store_->meanwhile) << "no day was made";
    const auto kept = ask(parameters, CacheUse::Allowed, kLate);
    ASSERT_TRUE(kept);
    EXPECT_TRUE(from_days(*kept)) << "the days that did not move";
    expect_equal(*kept, *ask(parameters, CacheUse::Bypassed, kLate), 1e-9, "overtaken");
}

TEST_F(Days, AreNotMadeWhereTheDiskHasNoRoomForThem) {
    KeptDays::Options keeping;
    keeping.disk_bytes_max = 0;
    start(keeping);
    const Parameters parameters{{"metrics", "attempts"}};
    ASSERT_TRUE(ask(parameters, CacheUse::Allowed));
    ASSERT_TRUE(days_->wait_idle(60'000));
    EXPECT_FALSE(from_days(*ask(parameters, CacheUse::Allowed)));
}

TEST_F(Days, AreEmptiedWhenTheProcessBeginsAnew) {
    const auto rows = [&] {
        return number_of(store_->query({"SELECT count() FROM kept_days", {}}, {})->rows[0][0], -1);
    };
    compare({{"metrics", "attempts,playdur"}, {"aggby", "country"}});
    EXPECT_GT(rows(), 0);
    start();
    compare({{"metrics", "viewercount"}});
    const auto own = rows();
    EXPECT_GT(own, 0);
    EXPECT_LE(own, 5) << "a row for each day";
}

TEST_F(Days, ADayThatIsAboutToExpireIsNotKept) {
    const Parameters parameters{{"metrics", "attempts"}};
    compare(parameters);
    clock_.advance_ms((400 - 31) * kDayMs);
    EXPECT_FALSE(from_days(*ask(parameters, CacheUse::Allowed)));
}

TEST_F(Days, TrafficOfDays) {
    engine_.reset();
    days_.reset();
    Traffic traffic(*engine_store(), changes_, 20260202, 60 * kHourMs, kMoving);
    KeptDays::Options keeping;
    keeping.asked_before = 0;
    KeptDays days(*store_, changes_, traffic.clock, keeping);
    EngineOptions options;
    options.changes = &changes_;
    options.cache_bytes_max = 8U << 20U;
    options.days = &days;
    options.days_above_ms = -1;
    const Engine engine(*store_, dictionary(), traffic.clock, options);
    Random random(11, 3);
    const std::vector<Parameters> questions{
        {{"metrics", "attempts,viewercount,playdur,uniqueviewercount"},
         {"sessiontype", "started"},
         {"allstatus", "1"}},
        {{"metrics", "attempts,playdur"}, {"aggby", "assetid"}},
        {{"metrics", "attempts,playdur,errors"}, {"concurrency", "1"}},
    };
    int from = 0, compared = 0;
    for (int step = 0; step < 24; ++step) {
        traffic.clock.advance_ms(static_cast<std::int64_t>(random.next_u64() % (6 * kHourMs)));
        traffic.some(8);
        for (std::size_t number = 0; number < questions.size(); ++number) {
            auto parameters = questions[number];
            parameters.emplace_back("period", "last=6d");
            const auto asked = [&](CacheUse cache) {
                auto request = engine.parse(parameters, Endpoint::MetricQuery);
                EXPECT_TRUE(request);
                request->cache = cache;
                return engine.run(*request, kMoving[number % 2]);
            };
            const auto kept = asked(CacheUse::Allowed);
            const auto rows = asked(CacheUse::Bypassed);
            ASSERT_TRUE(kept) << kept.error().message;
            ASSERT_TRUE(rows) << rows.error().message;
            expect_equal(*kept, *rows, 1e-9, fmt::format("step {} question {}", step, number));
            from += from_days(*kept) ? 1 : 0;
            ++compared;
        }
        // Sometimes the next question comes while days are being made.
        if (step % 3 != 0) {
            ASSERT_TRUE(days.wait_idle(60'000));
        }
    }
    fmt::print("{} compared, {} from kept days\n", compared, from);
    EXPECT_GT(from, compared / 3);
}

}  // namespace
}  // namespace playhead::query::test
