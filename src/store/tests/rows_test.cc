#include "store/rows.h"

#include <gtest/gtest.h>

#include <set>

#include "store/migrations.h"

namespace playhead::store {
namespace {

TEST(RowsTest, EveryTableLeadsWithTheCustomerAndHasUniqueColumns) {
    for (const auto table : kTables) {
        const auto& schema = schema_of(table);
        std::set<std::string> names;
        for (const auto& column : schema.columns) names.insert(column.name);
        EXPECT_EQ(names.size(), schema.columns.size()) << schema.name;
        EXPECT_EQ(schema.columns[0].name, "customerid");
        EXPECT_EQ(schema.columns[0].sql_type, "UInt64");
        EXPECT_EQ(schema.columns[1].name, "sessionid");
    }
}

TEST(RowsTest, AppendFillsEveryColumn) {
    model::RowBlock block;
    block.sessions.resize(2);
    block.live_sessions.resize(3);
    block.slices.resize(1);
    block.events.resize(4);
    block.ad_views.resize(1);
    block.app_events.resize(2);
    const std::size_t expected[] = {2, 3, 1, 4, 1, 2};
    const auto batches = batches_of(block);
    ASSERT_EQ(batches.size(), 6U);
    for (std::size_t index = 0; index < batches.size(); ++index) {
        EXPECT_EQ(batches[index].table, name_of(kTables[index]));
        for (const auto& column : batches[index].columns) {
            EXPECT_EQ(column.rows(), expected[index]) << column.name();
        }
    }
    EXPECT_TRUE(batches_of({}).empty());
}

TEST(RowsTest, ValuesBeyondANarrowColumnStopAtItsBorder) {
    model::SessionRow row;
    row.startup_ms = INT64_MAX;
    auto batch = batch_of(Table::Sessions);
    append_session(batch, row);
    for (const auto& column : batch.columns) {
        if (column.name() == "startup_ms") {
            EXPECT_EQ(column.signed_at(0), INT32_MAX);
        }
    }
}

TEST(RowsTest, ArrayLiteralEscapes) {
    EXPECT_EQ(array_literal({}), "[]");
    EXPECT_EQ(array_literal({"a", "b'\\\n"}), "['a','b\\'\\\\\\n']");
}

TEST(MigrationsTest, AreNumberedFromOneWithoutGaps) {
    std::uint32_t expected = 1;
    for (const auto& migration : migrations()) {
        EXPECT_EQ(migration.version, expected++);
        EXPECT_FALSE(statements_of(migration.sql).empty()) << migration.name;
    }
    EXPECT_GE(expected, 3U);
}

TEST(MigrationsTest, StatementsAreSplitAtClosingSemicolons) {
    EXPECT_EQ(statements_of("-- note;\nSELECT ';x'\n, 2;\n\nSELECT 3;\nSELECT 4"),
              (std::vector<std::string>{"SELECT ';x'\n, 2", "SELECT 3", "SELECT 4"}));
}

}  // namespace
}  // namespace playhead::store
