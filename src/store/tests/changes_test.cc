#include "store/changes.h"

#include <gtest/gtest.h>

namespace playhead::store {
namespace {

constexpr std::uint64_t kCustomer = 7;
constexpr std::int64_t kHour = 3600;
/// 2023-11-14 00:00 UTC.
constexpr std::int64_t kDay = 1'699'920'000;

model::RowBlock closed(std::uint64_t customer, std::int64_t start_s, std::int64_t end_s) {
    model::RowBlock block;
    block.sessions.resize(1);
    block.sessions[0].key.customer_id = customer;
    block.sessions[0].start_ms = start_s * 1000;
    block.sessions[0].end_ms = end_s * 1000;
    return block;
}

void write(Changes& changes, const model::RowBlock& block) {
    changes.begin_block(block);
    changes.end_block();
}

TEST(Changes, OnlyTheHoursOfARowChange) {
    Changes changes;
    const auto before = changes.state(kCustomer, kDay, kDay + 24 * kHour);
    const auto day_before = changes.state(kCustomer, kDay - 24 * kHour, kDay - 1);
    const auto other = changes.state(kCustomer + 1, kDay, kDay + 24 * kHour);
    write(changes, closed(kCustomer, kDay + 5 * kHour, kDay + 7 * kHour + 60));
    EXPECT_NE(changes.state(kCustomer, kDay, kDay + 24 * kHour), before);
    for (const int hour : {5, 6, 7}) {
        const auto at = kDay + hour * kHour;
        EXPECT_GT(changes.state(kCustomer, at, at + 1).version, before.version) << hour;
    }
    EXPECT_EQ(changes.state(kCustomer, kDay + 8 * kHour, kDay + 24 * kHour), before);
    EXPECT_EQ(changes.state(kCustomer, kDay, kDay + 5 * kHour - 1), before);
    EXPECT_EQ(changes.state(kCustomer, kDay - 24 * kHour, kDay - 1), day_before);
    EXPECT_EQ(changes.state(kCustomer + 1, kDay, kDay + 24 * kHour), other);
}

TEST(Changes, EveryKindOfRowCounts) {
    const auto expect_change = [](model::RowBlock block, const char* what) {
        Changes changes;
        const auto before = changes.state(kCustomer, kDay, kDay + kHour - 1);
        write(changes, block);
        EXPECT_NE(changes.state(kCustomer, kDay, kDay + kHour - 1), before) << what;
        EXPECT_EQ(changes.state(kCustomer, kDay + 2 * kHour, kDay + 3 * kHour), before) << what;
    };
    const std::int64_t at_ms = (kDay + 600) * 1000;
    model::RowBlock slices, events, ads, app;
    slices.slices.resize(1);
    slices.slices[0].key.customer_id = kCustomer;
    slices.slices[0].minute_ms = at_ms;
    events.events.resize(1);
    events.events[0].key.customer_id = kCustomer;
    events.events[0].event_ms = at_ms;
    ads.ad_views.resize(1);
    ads.ad_views[0].key.customer_id = kCustomer;
    ads.ad_views[0].start_ms = ads.ad_views[0].end_ms = at_ms;
    app.app_events.resize(1);
    app.app_events[0].key.customer_id = kCustomer;
    app.app_events[0].event_ms = at_ms;
    expect_change(closed(kCustomer, kDay + 600, kDay + 700), "sessions");
    expect_change(slices, "slices");
    expect_change(events, "events");
    expect_change(ads, "ad_views");
    expect_change(app, "app_events");
}

/// The row that it replaces may have ended anywhere up to the last receipt.
TEST(Changes, AnOpenSessionReachesItsLastReceipt) {
    Changes changes;
    model::RowBlock block;
    block.live_sessions.resize(1);
    auto& row = block.live_sessions[0];
    row.key.customer_id = kCustomer;
    row.start_ms = row.end_ms = row.first_receive_ms = (kDay + kHour / 2) * 1000;
    row.last_receive_ms = (kDay + 4 * kHour + 60) * 1000;
    const auto before = changes.state(kCustomer, kDay + 3 * kHour, kDay + 4 * kHour);
    write(changes, block);
    EXPECT_NE(changes.state(kCustomer, kDay + 3 * kHour, kDay + 4 * kHour), before);
    EXPECT_EQ(changes.state(kCustomer, kDay + 5 * kHour, kDay + 6 * kHour), before);
}

TEST(Changes, MovesWhileABlockIsWritten) {
    Changes changes;
    write(changes, closed(kCustomer, kDay + 9 * kHour, kDay + 9 * kHour));
    const auto block = closed(kCustomer, kDay, kDay + 60);
    changes.begin_block(block);
    EXPECT_TRUE(changes.state(kCustomer, kDay, kDay + kHour).moving);
    EXPECT_FALSE(changes.state(kCustomer, kDay + 9 * kHour, kDay + 10 * kHour).moving);
    EXPECT_FALSE(changes.state(kCustomer + 1, kDay, kDay + kHour).moving);
    const auto first = changes.state(kCustomer, kDay, kDay + kHour);
    // The store refused it half way: tried again.
    changes.begin_block(block);
    EXPECT_TRUE(changes.state(kCustomer, kDay, kDay + kHour).moving);
    changes.end_block();
    const auto after = changes.state(kCustomer, kDay, kDay + kHour);
    EXPECT_FALSE(after.moving);
    EXPECT_GT(after.version, first.version);
}

TEST(Changes, ImpossiblyLongRowsChangeEverything) {
    Changes changes;
    const auto before = changes.state(kCustomer, kDay + 9 * kHour, kDay + 10 * kHour);
    write(changes, closed(kCustomer, 0, kDay));
    EXPECT_NE(changes.state(kCustomer, kDay + 9 * kHour, kDay + 10 * kHour), before);
}

TEST(Changes, ManyHoursAreForgottenAsChanged) {
    Changes changes;
    write(changes, closed(kCustomer, kDay, kDay));
    const auto before = changes.state(kCustomer, kDay, kDay);
    for (std::size_t hour = 1; hour <= kChangedHoursMax; ++hour) {
        const auto at = kDay + static_cast<std::int64_t>(hour) * kHour;
        write(changes, closed(kCustomer, at, at));
    }
    EXPECT_GT(changes.state(kCustomer, kDay, kDay).version, before.version);
}

}  // namespace
}  // namespace playhead::store
