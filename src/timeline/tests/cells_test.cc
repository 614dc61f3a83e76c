#include "timeline/cells.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>

namespace playhead::timeline {
namespace {

using Reference = std::map<std::pair<std::uint32_t, Column>, std::int64_t>;

void expect_same(const Cells& cells, const Reference& reference) {
    ASSERT_EQ(cells.size(), reference.size());
    if (reference.empty()) return;
    EXPECT_EQ(cells.first_minute(), reference.begin()->first.first);
    for (std::uint8_t number = 0; number < static_cast<std::uint8_t>(Column::End); ++number) {
        const auto column = static_cast<Column>(number);
        EXPECT_EQ(cells.has(column),
                  std::any_of(reference.begin(), reference.end(),
                              [column](const auto& cell) { return cell.first.second == column; }));
    }
    auto expected = reference.begin();
    cells.each([&](const Cell& cell) {
        ASSERT_NE(expected, reference.end());
        EXPECT_EQ(cell.minute, expected->first.first);
        EXPECT_EQ(cell.column, expected->first.second);
        EXPECT_EQ(cell.value, expected->second);
        ++expected;
    });
    EXPECT_EQ(expected, reference.end());
}

/// Minutes that mostly go forward, sometimes back behind what is packed.
TEST(CellsTest, SameAsAMapInAnyOrder) {
    std::mt19937 random(7);
    for (int round = 0; round < 50; ++round) {
        Cells cells;
        Reference reference;
        std::uint32_t now = 29'900'000;
        for (int step = 0; step < 600; ++step) {
            if (random() % 4 == 0) now += random() % 3;
            std::uint32_t minute = now - (random() % 20 == 0 ? random() % 40 : 0);
            if (random() % 200 == 0) minute = random() % 2 == 0 ? 0 : now + 5'000;
            const auto column =
                static_cast<Column>(random() % static_cast<std::uint32_t>(Column::End));
            const auto amount = static_cast<std::int64_t>(random() % 100'000) - 50'000;
            cells.at(minute, column) += amount;
            reference[{minute, column}] += amount;
            if (step % 50 == 0) expect_same(cells, reference);
            if (step % 97 == 0) cells.shrink();
        }
        expect_same(cells, reference);
        Cells copy;
        copy.assign(cells.list());
        expect_same(copy, reference);
    }
}

TEST(CellsTest, KeepsEveryValueWhenPacked) {
    Cells cells;
    Reference reference;
    std::uint32_t minute = 100;
    for (const std::int64_t value :
         {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::max(),
          std::numeric_limits<std::int64_t>::min()}) {
        cells.at(minute, Column::beacons) = value;
        reference[{minute, Column::beacons}] = value;
        minute += 10;
    }
    expect_same(cells, reference);
}

}  // namespace
}  // namespace playhead::timeline
