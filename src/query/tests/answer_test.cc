#include <gtest/gtest.h>

#include <cmath>

#include "query/envelope.h"
#include "query/nearest.h"
#include "query/series.h"

namespace playhead::query {
namespace {

const Dictionary& dictionary() {
    static const Dictionary loaded = Dictionary::load().value();
    return loaded;
}

Plan series_plan() {
    Plan plan;
    plan.series = true;
    plan.group_columns = 2;
    plan.timestamp_column = 1;
    plan.columns.resize(4);
    plan.columns[0].name = "country";
    plan.columns[1].name = "timestamp";
    plan.columns[2].name = "attempts";
    plan.columns[2].zero_when_empty = true;
    plan.columns[3].name = "latency";
    return plan;
}

TEST(Series, FillsEveryBucketOfEveryGroup) {
    const auto plan = series_plan();
    Rows rows{{std::string("DE"), std::int64_t{60}, std::int64_t{5}, 1.5},
              {std::string("US"), std::int64_t{0}, std::int64_t{7}, 2.5}};
    ASSERT_TRUE(fill_buckets(plan, {0, 60}, rows));
    order_rows(plan, {}, rows);
    ASSERT_EQ(rows.size(), 4U);
    EXPECT_EQ(rows[0][0], store::Cell(std::string("DE")));
    EXPECT_EQ(rows[0][2], store::Cell(std::int64_t{0}));
    EXPECT_EQ(rows[0][3], store::Cell());
    order_rows(plan, {"latency", true}, rows);
    EXPECT_EQ(rows[0][3], store::Cell(2.5));
    EXPECT_EQ(rows[3][3], store::Cell());
    page_rows(1, 2, rows);
    EXPECT_EQ(rows.size(), 2U);
    page_rows(9, 2, rows);
    EXPECT_TRUE(rows.empty());
}

TEST(Series, DoesNotFillWithoutBound) {
    auto plan = series_plan();
    Rows rows;
    for (int i = 0; i < 1000; ++i) {
        rows.push_back({std::to_string(i), std::int64_t{0}, std::int64_t{1}, 1.0});
    }
    EXPECT_FALSE(fill_buckets(plan, std::vector<std::int64_t>(1000), rows));
    EXPECT_EQ(rows.size(), 1000U);
}

TEST(Envelope, RoundsAndNeverWritesNan) {
    Answer answer;
    answer.columns.resize(3);
    answer.columns[0].name = "latency";
    answer.columns[1].name = "attempts";
    answer.columns[1].integral = true;
    answer.columns[2].name = "islive";
    answer.columns[2].type = ValueType::Boolean;
    answer.field_order = {"attempts", "latency", "islive"};
    answer.rows = {{1.23456789, 5.0, std::uint64_t{1}},
                   {std::nan(""), std::monostate{}, std::uint64_t{0}},
                   {INFINITY, std::int64_t{7}, std::uint64_t{0}}};
    answer.total_records = 12;
    answer.limit = 5;
    answer.with_meta = false;
    EXPECT_EQ(envelope_json(answer),
              R"({"totalcount":3,"pagecount":3,"totalrecords":12,"response":[)"
              R"({"attempts":5,"latency":1.2346,"islive":true,"totalpages":3},)"
              R"({"attempts":null,"latency":null,"islive":false,"totalpages":3},)"
              R"({"attempts":7,"latency":null,"islive":false,"totalpages":3}]})");
}

TEST(Nearest, SuggestsCloseNamesOnly) {
    EXPECT_EQ(nearest_name("contry", {"city", "country"}), "country");
    EXPECT_EQ(nearest_name("zzzzzz", {"city", "country"}), "");
    EXPECT_EQ(nearest_name(std::string(10'000, 'x'), {"city"}), "");
}

TEST(DictionaryJson, HoldsEveryMetricAndDefinition) {
    const auto json = dictionary_json(dictionary());
    for (const auto& metric : dictionary().metrics()) {
        EXPECT_NE(json.find("{\"key\":\"" + metric.key + "\""), std::string::npos) << metric.key;
    }
    EXPECT_NE(json.find("\"cta2066\":{"), std::string::npos);
}

}  // namespace
}  // namespace playhead::query
