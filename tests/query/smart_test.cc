// The named queries against rows whose answers are worked out by hand.
#include <gtest/gtest.h>

#include <memory>

#include "base/clock.h"
#include "model/event.h"
#include "query/envelope.h"
#include "query/smart/smart_query.h"
#include "seed.h"

namespace playhead::query::test {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kStart = 1'700'006'400;  // 2023-11-15T00:00:00Z, a Wednesday

using Fields = std::map<std::string, std::string>;

/// One row per line, cells joined with spaces; null as "-".
std::string lines(const Answer& answer) {
    std::string out;
    for (const auto& row : answer.rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            std::string cell;
            append_cell(cell, answer.columns[i], row[i]);
            if (cell == "null") cell = "-";
            std::erase(cell, '"');
            out += (i == 0 ? "" : " ") + cell;
        }
        out += '\n';
    }
    return out;
}

class Smart : public ::testing::Test {
protected:
    void SetUp() override {
        store_ = engine_store();
        if (store_ == nullptr) GTEST_SKIP() << "the embedded engine is not built in or installed";
        engine_ = std::make_unique<Engine>(*store_, dictionary(), clock_, EngineOptions{});
        customer_ = ++customers_;
    }

    void add(const std::string& table, Fields fields) {
        fields["customer"] = std::to_string(customer_);
        if (!fields.contains("id")) fields["id"] = "s" + std::to_string(++sessions_);
        if (table == "live_session") fields.emplace("status", "RUNNING");
        seed(*store_, table, fields);
    }

    /// A play of `minutes` that begins so many minutes after kStart.
    void play(const std::string& subscriber, const std::string& asset, std::int64_t at_min,
              std::int64_t minutes, Fields more = {}) {
        const auto start = kStart + at_min * 60;
        more.insert({{"subscriberid", subscriber},
                     {"assetid", asset},
                     {"start", std::to_string(start)},
                     {"end", std::to_string(start + minutes * 60)},
                     {"attempts", "1"},
                     {"plays", "1"}});
        add(more.contains("closed") ? "live_session" : "session", more);
    }

    Result<Answer> ask(Parameters parameters, std::uint64_t customer = 0) {
        bool dated = false;
        for (const auto& [name, value] : parameters) dated = dated || name == "period";
        if (!dated) {
            parameters.emplace_back("period", "start=" + std::to_string(kStart) +
                                                  ",end=" + std::to_string(kStart + 30 * kDay));
        }
        auto request = smart::parse(parameters, *engine_);
        if (!request) return fail(request.error());
        return smart::run(*request, {*engine_, customer == 0 ? customer_ : customer, 0});
    }

    std::string told(const Parameters& parameters) {
        const auto answer = ask(parameters);
        return answer ? lines(*answer) : answer.error().parameter + ": " + answer.error().message;
    }

    ManualClock clock_{1'800'000'000'000};
    store::Store* store_ = nullptr;
    std::unique_ptr<Engine> engine_;
    std::uint64_t customer_ = 0;
    static inline std::uint64_t customers_ = 910'000;
    static inline int sessions_ = 0;
};

/// u1: A B C in one visit, then (a day later) A; u2: A B; u3: B A, open; u4 never played.
class SmartPaths : public Smart {
protected:
    void SetUp() override {
        Smart::SetUp();
        if (IsSkipped()) return;
        play("u1", "A", 0, 10);
        play("u1", "B", 11, 10);   // 60 s after A
        play("u1", "C", 20, 10);   // begins before B ended: gap 0
        play("u1", "A", 1440, 5);  // another visit
        play("u2", "A", 5, 10);
        play("u2", "B", 18, 10);  // 180 s after A
        play("u3", "B", 30, 1);
        play("u3", "A", 40, 1, {{"closed", "0"}});  // 540 s after B; still open
        play("u4", "A", 30, 1, {{"plays", "0"}});
        // A revised session: its old row, the row that cancels it, and a new one of another asset.
        const Fields old{{"id", "revised"}, {"revision", "1"}};
        play("u5", "A", 50, 1, old);
        auto cancel = old;
        cancel["sign"] = "-1";
        play("u5", "A", 50, 1, cancel);
        play("u5", "D", 50, 1, {{"id", "revised"}, {"revision", "2"}});
    }
};

TEST_F(SmartPaths, FromTheStartOfAVisit) {
    // kind step from to count users mediangap entries exits
    EXPECT_EQ(told({{"queryname", "contentpaths"}, {"depth", "2"}}),
              "node 0 A  3 2 - 3 1\n"
              "node 1 B  2 2 - 0 1\n"
              "link 0 A B 2 2 120 2 1\n"
              "node 0 B  1 1 - 1 0\n"
              "node 0 D  1 1 - 1 1\n"
              "node 1 A  1 1 - 0 1\n"
              "node 2 C  1 1 - 0 1\n"
              "link 0 B A 1 1 540 1 1\n"
              "link 1 B C 1 1 0 0 1\n");
}

TEST_F(SmartPaths, DepthAndGapCut) {
    EXPECT_EQ(told({{"queryname", "contentpaths"}, {"depth", "1"}, {"visitgap", "2"}}),
              "node 0 A  4 3 - 4 3\n"
              "node 0 B  2 2 - 2 2\n"
              "node 0 D  1 1 - 1 1\n"
              "node 1 B  1 1 - 0 0\n"
              "link 0 A B 1 1 60 1 0\n");
}

TEST_F(SmartPaths, FromAndToAnAsset) {
    EXPECT_EQ(told({{"queryname", "contentpathsfrom"}, {"assetid", "B"}}),
              "node 0 B  3 3 - 1 1\n"
              "node 1 A  1 1 - 0 1\n"
              "node 1 C  1 1 - 0 1\n"
              "link 0 B A 1 1 540 1 1\n"
              "link 0 B C 1 1 0 0 1\n");
    EXPECT_EQ(told({{"queryname", "contentpathsto"}, {"assetid", "C"}, {"depth", "6"}}),
              "node -2 A  1 1 - 1 0\n"
              "node -1 B  1 1 - 0 0\n"
              "node 0 C  1 1 - 0 1\n"
              "link -2 A B 1 1 60 1 0\n"
              "link -1 B C 1 1 0 0 1\n");
    EXPECT_EQ(told({{"queryname", "contentpathsto"}, {"assetid", "none"}}), "");
}

TEST_F(SmartPaths, FilterAndPage) {
    EXPECT_EQ(told({{"queryname", "contentpaths"}, {"filter", "[subscriberid=u3]"}}),
              "node 0 B  1 1 - 1 0\nnode 1 A  1 1 - 0 1\nlink 0 B A 1 1 540 1 1\n");
    const auto past = ask({{"queryname", "contentpaths"}, {"offset", "500"}, {"limit", "2"}});
    ASSERT_TRUE(past);
    EXPECT_TRUE(past->rows.empty());
    EXPECT_EQ(past->total_records, 9);
}

TEST_F(SmartPaths, RefusesWhatIsWrong) {
    const std::vector<std::pair<Parameters, std::string>> wrong{
        {{{"queryname", "contentpaths"}, {"depth", "1000000000"}}, "depth"},
        {{{"queryname", "contentpaths"}, {"depth", "0"}}, "depth"},
        {{{"queryname", "contentpaths"}, {"depth", "2.5"}}, "depth"},
        {{{"queryname", "contentpaths"}, {"dpeth", "2"}}, "dpeth"},
        {{{"queryname", "contentpaths"}, {"depth", "2"}, {"depth", "3"}}, "depth"},
        {{{"queryname", "contentpathsfrom"}}, "assetid"},
        {{{"queryname", "contentpathsfrom"}, {"assetid", std::string("a\0b", 3)}}, "assetid"},
        {{{"queryname", "contentpathsfrom"}, {"assetid", std::string(5000, 'x')}}, "assetid"},
        {{{"queryname", "contentpaths"}, {"limit", "100001"}}, "limit"},
        {{{"queryname", "retention"}, {"unit", "year"}}, "unit"},
        {{{"queryname", "topmovres"}}, "queryname"},
        {{}, "queryname"}};
    for (const auto& [parameters, name] : wrong) {
        const auto answer = ask(parameters);
        ASSERT_FALSE(answer) << name;
        EXPECT_EQ(answer.error().code, ErrorCode::InvalidArgument);
        EXPECT_EQ(answer.error().parameter, name);
    }
    const auto unknown = ask({{"queryname", "nothing"}});
    EXPECT_NE(unknown.error().expected.find("contentpathsfrom"), std::string::npos);
}

TEST_F(SmartPaths, NoQueryReadsAnotherCustomer) {
    for (const auto& query : smart::registry()) {
        Parameters full{{"queryname", query.name}};
        for (const auto& input : query.inputs) {
            if (input.required)
                full.emplace_back(input.name, input.name == "assetid"   ? "A"
                                              : input.name == "metrics" ? "attempts"
                                                                        : "u1");
        }
        const auto other = ask(full, customer_ + 1'000'000);
        if (query.name == "subscriberinsight") {
            ASSERT_FALSE(other);
            EXPECT_EQ(other.error().code, ErrorCode::NotFound);
            continue;
        }
        ASSERT_TRUE(other) << query.name << ": " << other.error().message;
        for (const auto& row : other->rows) {
            for (std::size_t i = 1; i < row.size(); ++i) {  // the first is a time or percent
                std::string cell;
                append_cell(cell, other->columns[i], row[i]);
                EXPECT_TRUE(cell == "0" || cell == "null") << query.name << " " << cell;
            }
        }
    }
}

TEST_F(Smart, Retention) {
    play("u1", "A", 0, 1);
    play("u1", "A", 30, 1);  // twice on one day counts once
    play("u1", "A", 1440, 1);
    play("u1", "A", 7 * 1440, 1);
    play("u2", "A", 10, 1);
    play("u3", "A", 1440 + 5, 1, {{"closed", "0"}});
    play("u3", "A", 2 * 1440, 1);
    play("u4", "A", 0, 1, {{"plays", "0"}});
    EXPECT_EQ(told({{"queryname", "retention"}}),
              "2023-11-15 2 0 2 100\n"
              "2023-11-15 2 1 1 50\n"
              "2023-11-15 2 7 1 50\n"
              "2023-11-16 1 0 1 100\n"
              "2023-11-16 1 1 1 100\n");
    // All in the week of Monday 13 November, one of three again in the next.
    EXPECT_EQ(told({{"queryname", "retention"}, {"unit", "week"}}),
              "2023-11-13 3 0 3 100\n2023-11-13 3 1 1 33.3333\n");
    // In Los Angeles the first plays are still on the 14th.
    EXPECT_EQ(told({{"queryname", "retention"},
                    {"timezone", "America/Los_Angeles"},
                    {"filter", "[subscriberid=u1|u2]"}}),
              "2023-11-14 2 0 2 100\n2023-11-14 2 1 1 50\n2023-11-14 2 7 1 50\n");
}

TEST_F(Smart, ContentAnalysis) {
    const auto s = "ca" + std::to_string(customer_);
    const auto watched = [&](const char* id, const char* user, const char* far,
                             const char* position, const char* entry, std::int64_t at_min) {
        play(user, "A", at_min, 1,
             {{"id", s + id},
              {"duration_s", "200"},
              {"progress_percent", far},
              {"position_s", position},
              {"entry_s", entry}});
    };
    watched("1", "u1", "100", "200", "0", 0);  // to the end
    // A re-watch, left after seeking back to 10 %; stored when rows did not tell the entry.
    watched("2", "u1", "50.5", "20", "-2", 10);
    watched("3", "u2", "10", "20", "1", 20);
    watched("4", "u2", "9", "18", "-1", 10);               // no START came
    play("u3", "A", 30, 1, {{"progress_percent", "-1"}});  // progress not known
    play("u3", "B", 30, 1, {{"progress_percent", "90"}});
    const auto started = [&](const char* id, std::int64_t second, const char* position) {
        add("event", {{"id", s + id},
                      {"time", std::to_string(kStart + second)},
                      {"kind", "1"},
                      {"position_s", position}});
    };
    started("2", 1, "50");
    started("2", 30, "100");  // a second START later does not move the entry
    started("3", 1, "90");    // its row tells the entry
    static_assert(static_cast<int>(model::EventKind::Start) == 1);
    const auto answer = ask({{"queryname", "contentanalysis"}, {"assetid", "A"}});
    ASSERT_TRUE(answer) << answer.error().message;
    ASSERT_EQ(answer->rows.size(), 101U);
    EXPECT_EQ(answer->total_records, 101);
    std::vector<std::string> rows;
    const auto text = lines(*answer);
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        rows.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    // percent viewers share entries exits rewatches
    EXPECT_EQ(rows[0], "0 4 100 2 0 2");
    EXPECT_EQ(rows[10], "10 3 75 0 2 2");
    EXPECT_EQ(rows[11], "11 2 50 0 0 1");
    EXPECT_EQ(rows[25], "25 2 50 1 0 1");
    EXPECT_EQ(rows[50], "50 2 50 0 0 1");
    EXPECT_EQ(rows[51], "51 1 25 0 0 0");
    EXPECT_EQ(rows[100], "100 1 25 0 1 0");
    const auto none = ask({{"queryname", "contentanalysis"}, {"assetid", "none"}});
    ASSERT_TRUE(none);
    ASSERT_EQ(none->rows.size(), 101U);
    EXPECT_EQ(lines(*none).substr(0, 12), "0 0 - 0 0 0\n");
}

TEST_F(Smart, Realtime) {
    const auto at = [](std::int64_t second) { return std::to_string(kStart + second); };
    // Ends at 00:10:00: the window is [00:05:00, 00:10:00).
    add("session", {{"id", "r1"}, {"start", at(100)}, {"end", at(302)}, {"first_frame", at(101)}});
    add("session", {{"id", "r2"}, {"start", at(306)}, {"end", at(311)}, {"first_frame", at(309)}});
    add("live_session", {{"id", "r3"}, {"start", at(590)}, {"end", at(591)}});
    add("session", {{"id", "r4"}, {"start", at(10)}, {"end", at(20)}});
    const auto event = [&](const char* id, std::int64_t second, model::EventKind kind) {
        add("event",
            {{"id", id}, {"time", at(second)}, {"kind", std::to_string(static_cast<int>(kind))}});
    };
    event("r2", 309, model::EventKind::BufferStart);
    event("r3", 592, model::EventKind::Error);
    event("r4", 400, model::EventKind::Error);  // of a session that is over: not counted
    const auto answer =
        ask({{"queryname", "realtime"}, {"period", "start=" + at(0) + ",end=" + at(603)}});
    ASSERT_TRUE(answer) << answer.error().message;
    ASSERT_EQ(answer->rows.size(), 60U);
    const auto text = lines(*answer);
    // timestamp active attempts viewercount ended errors stalls
    for (const auto& row :
         {at(300) + " 1 0 0 1 0 0", at(305) + " 1 1 1 0 0 1", at(310) + " 1 0 0 1 0 0",
          at(315) + " 0 0 0 0 0 0", at(585) + " 0 0 0 0 0 0", at(590) + " 1 1 0 0 1 0",
          at(595) + " 1 0 0 0 0 0"}) {
        EXPECT_NE(text.find(row + "\n"), std::string::npos) << row << "\n" << text;
    }
}

TEST_F(Smart, SubscribersWorstServedFirst) {
    play("good", "A", 0, 1, {{"score", "90"}});
    play("bad", "A", 0, 1, {{"score", "20"}, {"fatal_errors", "2"}});
    play("bad", "B", 9, 1, {{"score", "40"}});
    play("", "A", 0, 1, {{"score", "1"}});
    play("unknown", "A", 0, 1);
    // subscriberid attempts viewercount score latency bufferingratio failurerate errors exits
    // playdur
    const auto text = told({{"queryname", "subscriberlist"}});
    EXPECT_TRUE(text.starts_with("bad 2 2 30 ")) << text;
    EXPECT_NE(text.find("\ngood 1 1 90 "), std::string::npos) << text;
    EXPECT_NE(text.find("\nunknown 1 1 - "), std::string::npos) << text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
    EXPECT_TRUE(told({{"queryname", "subscriberlist"}, {"orderby", "errors"}}).starts_with("bad "));
    const auto sessions = ask({{"queryname", "subscribersessions"}, {"subscriberid", "bad"}});
    ASSERT_TRUE(sessions) << sessions.error().message;
    EXPECT_EQ(sessions->total_records, 2);
    const auto json = envelope_json(*sessions);
    EXPECT_LT(json.find("\"assetid\":\"B\""), json.find("\"assetid\":\"A\""));
}

TEST_F(Smart, ContentInsights) {
    play("u1", "A", 0, 60, {{"completions", "1"}, {"progress_percent", "95"}, {"score", "80"}});
    play("u1", "A", 90, 10, {{"progress_percent", "15"}, {"score", "60"}});
    play("u2", "A", 0, 10, {{"progress_percent", "10"}});
    play("u2", "B", 30, 10);
    const auto answer = ask({{"queryname", "contentinsights"}});
    ASSERT_TRUE(answer) << answer.error().message;
    const auto json = envelope_json(*answer);
    for (const auto* part : {"\"assetid\":\"A\"", "\"viewercount\":3", "\"uniqueviewercount\":2",
                             "\"completionrate\":33.3333", "\"abandonmentrate\":66.6667",
                             "\"progressmark\":40", "\"qualityofexperience\":70"}) {
        EXPECT_NE(json.find(part), std::string::npos) << part << json;
    }
    EXPECT_LT(json.find("\"assetid\":\"A\""), json.find("\"assetid\":\"B\""));
}

TEST_F(Smart, SubscriberInsight) {
    for (int i = 0; i < 4; ++i) {
        play("u1", "A", i * 60, 1, {{"score", "90"}, {"device", "TV"}, {"country", "DE"}});
    }
    play("u1", "A", 20 * 1440, 1, {{"score", "70"}, {"device", "PC"}, {"country", "DE"}});
    play("u1", "A", 21 * 1440, 1,
         {{"plays", "0"},
          {"startup_failures", "1"},
          {"fatal_errors", "1"},
          {"score", "0"},
          {"device", "PC"},
          {"country", "FR"},
          {"errorcode", "E7"}});
    play("u2", "A", 0, 1, {{"device", "SECRET"}});
    const auto answer = ask({{"queryname", "subscriberinsight"}, {"subscriberid", "u1"}});
    ASSERT_TRUE(answer) << answer.error().message;
    const auto json = envelope_json(*answer);
    // (4 x 90 + 70 + 0) / 6; halves: 90, then 35; 1 of 6 attempts failed; plays 4, then 1.
    for (const auto* part :
         {"\"totalcount\":1", "\"subscriberid\":\"u1\"", "\"attempts\":6", "\"viewercount\":5",
          "\"qualityofexperience\":71.67", "\"failurerate\":16.6667",
          "{\"signal\":\"scorelow\",\"value\":71.666", "\"signal\":\"scorefalling\",\"value\":55,",
          "\"signal\":\"playsfalling\",\"value\":0.25,\"threshold\":0.5,\"raised\":true",
          "\"signal\":\"lastsessionfailed\",\"value\":2", "\"signalsraised\":4",
          "\"device\":\"TV\"", "\"country\":\"FR\"", "\"errorcode\":\"E7\""}) {
        EXPECT_NE(json.find(part), std::string::npos) << part << json;
    }
    EXPECT_EQ(json.find("SECRET"), std::string::npos);
    // Of a revised session, which is looked up by its hour, the new row alone counts.
    const auto revised = "si" + std::to_string(customer_);
    Fields row{{"id", revised}, {"revision", "1"}, {"device", "Phone"}, {"score", "10"}};
    play("u3", "A", 100, 1, row);
    row["sign"] = "-1";
    play("u3", "A", 100, 1, row);
    play("u3", "A", 100, 1,
         {{"id", revised}, {"revision", "2"}, {"device", "Tablet"}, {"score", "80"}});
    const auto once = ask({{"queryname", "subscriberinsight"}, {"subscriberid", "u3"}});
    ASSERT_TRUE(once) << once.error().message;
    const auto told = envelope_json(*once);
    for (const auto* part :
         {"\"attempts\":1,", "\"qualityofexperience\":80", "\"device\":\"Tablet\""}) {
        EXPECT_NE(told.find(part), std::string::npos) << part << told;
    }
    EXPECT_EQ(told.find("Phone"), std::string::npos) << told;
    const auto missing = ask({{"queryname", "subscriberinsight"}, {"subscriberid", "nobody"}});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace playhead::query::test
