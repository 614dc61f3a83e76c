// What needs the engine and no text file: every metric with every dimension, hostile values, and
// that no request reads another customer.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/clock.h"
#include "query/engine.h"
#include "query/envelope.h"
#include "seed.h"

namespace playhead::query::test {
namespace {

constexpr const char* kPeriod = "start=1700000000,end=1700090000";
constexpr std::uint64_t kCustomer = 900'001;
constexpr std::uint64_t kOther = 900'002;

TEST(DictionaryPage, IsUpToDate) {
    std::ifstream in(std::string(PLAYHEAD_SOURCE_DIR) + "/docs/dictionary.md");
    std::stringstream page;
    page << in.rdbuf();
    EXPECT_TRUE(page.str() == dictionary_markdown(dictionary()))
        << "run: build/release/bin/dictionary_doc > docs/dictionary.md";
}

class Execution : public ::testing::Test {
protected:
    void SetUp() override {
        store_ = engine_store();
        if (store_ == nullptr) GTEST_SKIP() << "the embedded engine is not built in or installed";
        engine_ = std::make_unique<Engine>(*store_, dictionary(), clock_, EngineOptions{});
    }

    void add(std::uint64_t customer, const std::string& name, const std::string& value) {
        seed(*store_, "session",
             {{"customer", std::to_string(customer)},
              {"id", "s" + std::to_string(++sessions_)},
              {"start", "1700000000"},
              {"end", "1700000100"},
              {"attempts", "1"},
              {name, value}});
    }

    Result<Answer> ask(Parameters parameters, Endpoint endpoint, std::uint64_t customer) {
        parameters.emplace_back("period", kPeriod);
        auto request = engine_->parse(parameters, endpoint);
        if (!request) return fail(request.error());
        return engine_->run(*request, customer);
    }

    ManualClock clock_{1'800'000'000'000};
    store::Store* store_ = nullptr;
    std::unique_ptr<Engine> engine_;
    static inline int sessions_ = 0;
};

/// The metrics that can be planned with the dimension, joined with commas, in lists of 40.
std::vector<std::string> metrics_with(const Dimension& dimension, bool concurrency) {
    std::vector<std::string> lists;
    int in_list = 0;
    for (const auto& metric : dictionary().metrics()) {
        for (const auto* prefix : {"", "p95_"}) {
            const Parameters parameters{{"metrics", prefix + metric.key},
                                        {"aggby", dimension.key},
                                        {"concurrency", concurrency ? "1" : "0"},
                                        {"period", kPeriod}};
            const auto request = parse_request(parameters, Endpoint::MetricQuery, dictionary(),
                                               {1'800'000'000, 400});
            if (!request || !plan_query(*request, dictionary(), kCustomer)) continue;
            if (in_list++ % 60 == 0) lists.emplace_back();
            lists.back() += (lists.back().empty() ? "" : ",") + (prefix + metric.key);
        }
    }
    return lists;
}

TEST_F(Execution, EveryMetricWorksWithEveryDimensionItClaims) {
    int asked = 0;
    for (const auto& dimension : dictionary().dimensions()) {
        for (const bool concurrency : {false, true}) {
            for (const auto& metrics : metrics_with(dimension, concurrency)) {
                const auto answer = ask({{"metrics", metrics},
                                         {"aggby", dimension.key},
                                         {"granularity", "hour"},
                                         {"concurrency", concurrency ? "1" : "0"}},
                                        Endpoint::MetricQuery, kCustomer);
                ++asked;
                ASSERT_TRUE(answer) << dimension.key << ": " << answer.error().message;
            }
        }
    }
    EXPECT_GT(asked, static_cast<int>(dictionary().dimensions().size()));
}

TEST_F(Execution, HostileValuesComeBackAsData) {
    const std::vector<std::string> values{"it's",
                                          "a\\b",
                                          "a\\'b",
                                          "tab\there",
                                          "line\nbreak",
                                          "cr\rhere",
                                          "q\"uote",
                                          "{p0:String}",
                                          "x'; DROP TABLE sessions; --",
                                          "%_`",
                                          "\xC3\xA4\xE2\x82\xAC",
                                          std::string(400, 'x')};
    for (const auto& value : values) add(kCustomer, "genre", value);
    for (const auto& value : values) {
        std::string escaped;
        for (const char c : value) {
            if (std::string_view("[]|\\").find(c) != std::string_view::npos) escaped += '\\';
            escaped += c;
        }
        const auto answer = ask(
            {{"metrics", "attempts"}, {"aggby", "genre"}, {"filter", "[genre=" + escaped + "]"}},
            Endpoint::MetricQuery, kCustomer);
        ASSERT_TRUE(answer) << value << ": " << answer.error().message;
        ASSERT_EQ(answer->rows.size(), 1U) << value;
        EXPECT_EQ(std::get<std::string>(answer->rows[0][0]), value);
    }
    const auto longest =
        ask({{"metrics", "attempts"}, {"filter", "[genre=" + std::string(100'000, '\'') + "]"}},
            Endpoint::MetricQuery, kCustomer);
    ASSERT_TRUE(longest) << longest.error().message;
}

TEST_F(Execution, NoRequestReadsAnotherCustomer) {
    add(kOther, "country", "SECRET");
    add(kOther, "city", "SECRET");
    const std::vector<std::pair<std::string, std::string>> attempts{
        {"filter", "[country=SECRET]"},
        {"filter", "[customerid=900002]"},
        {"filter", "[country=' OR 1=1 OR '']"},
        {"filter", "[country=x\\') OR customerid = 900002 --]"},
        {"filter", "[city=~.*]"},
        {"filter", "country=SECRET | x"},
        {"qoefilter", "attempts>=0 OR errors>=0"},
        {"aggby", "customerid"},
        {"aggby", "tag.a'] OR 1=1 --"},
        {"aggby", "country"},
        {"concurrency", "1"},
        {"dimension", "microscope"},
        {"dimension", "geo"}};
    for (const auto endpoint : {Endpoint::QbrData, Endpoint::QbrDataLive, Endpoint::MetricQuery,
                                Endpoint::ListSessions, Endpoint::Error}) {
        for (const auto& attempt : attempts) {
            const bool live = endpoint == Endpoint::QbrDataLive || attempt.first == "concurrency";
            Parameters parameters{{"metrics", live ? "attempts" : "attempts,country,latency"},
                                  attempt};
            const auto answer = ask(parameters, endpoint, kCustomer);
            ASSERT_TRUE(answer) << attempt.second << ": " << answer.error().message;
            EXPECT_EQ(envelope_json(*answer).find("SECRET"), std::string::npos) << attempt.second;
        }
    }
    EXPECT_FALSE(engine_->session_json("s" + std::to_string(sessions_), kCustomer));
    EXPECT_TRUE(engine_->session_json("s" + std::to_string(sessions_), kOther));
}

TEST_F(Execution, SessionHasItsScoreBreakdown) {
    seed(*store_, "session",
         {{"customer", std::to_string(kOther)},
          {"id", "one"},
          {"start", "1700000000"},
          {"end", "1700000100"},
          {"score", "80"},
          {"tag.plan", "gold"}});
    seed(*store_, "slice",
         {{"customer", std::to_string(kOther)}, {"id", "one"}, {"minute", "1700000040"}});
    const auto json = engine_->session_json("one", kOther);
    ASSERT_TRUE(json) << json.error().message;
    EXPECT_NE(json->find("\"scorebreakdown\":{\"score\":80"), std::string::npos) << *json;
    for (const auto* part :
         {"\"start_time\":1700000000.000,\"start_time_iso\":\"2023-11-14T22:13:20.000Z\"",
          "\"minute_time\":1700000040.000", "\"first_frame_time\":null", "\"viewstatus\":\"ENDED\"",
          "\"tags\":{\"plan\":\"gold\"}", "\"stalls\":[]"}) {
        EXPECT_NE(json->find(part), std::string::npos) << part << *json;
    }
    const auto missing = engine_->session_json("none", kOther);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
}

TEST_F(Execution, StreamNamesItsColumns) {
    const auto request = engine_->parse(
        {{"metrics", "attempts"}, {"aggby", "country"}, {"period", kPeriod}, {"limit", "0"}},
        Endpoint::MetricQuery);
    ASSERT_TRUE(request);
    std::string text;
    const auto done =
        engine_->stream(*request, kCustomer, "CSVWithNames", [&](std::string_view part) {
            text += part;
            return true;
        });
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(text.substr(0, text.find('\n')), "\"country\",\"attempts\"\r");
}

}  // namespace
}  // namespace playhead::query::test
