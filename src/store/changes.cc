#include "store/changes.h"

#include <algorithm>

namespace playhead::store {

namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kHour_s = 3600;
/// A time may be this much after its receipt (docs/decisions/0004).
constexpr std::int64_t kClockAheadMs = 5 * 60'000;
/// Longer than any session: marked as everything.
constexpr std::int64_t kSpanHoursMax = 800;

constexpr std::int64_t hour_of(std::int64_t value, std::int64_t hour) {
    return value >= 0 ? value / hour : -((-value + hour - 1) / hour);
}

}  // namespace

void Changes::mark(std::uint64_t customer_id, std::int64_t from_ms, std::int64_t to_ms) {
    auto& customer = customers_[customer_id];
    const std::int64_t first = hour_of(std::min(from_ms, to_ms), kHourMs);
    const std::int64_t last = hour_of(std::max(from_ms, to_ms), kHourMs);
    if (last - first > kSpanHoursMax) {
        customer.floor = version_;
        return;
    }
    for (std::int64_t hour = first; hour <= last; ++hour) customer.hours[hour] = version_;
    if (customer.hours.size() <= kChangedHoursMax) return;
    customer.hours.clear();
    customer.floor = version_;
}

void Changes::mark_counted(std::uint64_t customer_id, std::int64_t at_ms) {
    auto& customer = customers_[customer_id];
    customer.counted[hour_of(at_ms, kHourMs)] = version_;
    if (customer.counted.size() <= kChangedHoursMax) return;
    customer.counted.clear();
    customer.floor = version_;
}

void Changes::begin_block(const model::RowBlock& rows) {
    const std::lock_guard lock(mutex_);
    writing_ = ++version_;
    for (const auto& row : rows.sessions) {
        mark(row.key.customer_id, row.start_ms, row.end_ms);
        mark_counted(row.key.customer_id, row.start_ms);
        mark_counted(row.key.customer_id, row.end_ms);
    }
    // The row that this one replaces is not at hand; its times lie between the start and what has
    // been received since.
    for (const auto& row : rows.live_sessions) {
        mark(row.key.customer_id, std::min(row.start_ms, row.first_receive_ms) - kClockAheadMs,
             std::max(row.end_ms, row.last_receive_ms) + kClockAheadMs);
    }
    for (const auto& row : rows.slices) {
        mark(row.key.customer_id, row.minute_ms, row.minute_ms);
        mark_counted(row.key.customer_id, row.minute_ms);
    }
    for (const auto& row : rows.events) {
        mark(row.key.customer_id, row.event_ms, row.event_ms);
        mark_counted(row.key.customer_id, row.event_ms);
    }
    for (const auto& row : rows.ad_views) {
        mark(row.key.customer_id, row.start_ms, row.end_ms);
        mark_counted(row.key.customer_id, row.start_ms);
        mark_counted(row.key.customer_id, row.end_ms);
    }
    for (const auto& row : rows.app_events) mark(row.key.customer_id, row.event_ms, row.event_ms);
    if (customers_.size() <= kChangedCustomersMax) return;
    customers_.clear();
    floor_ = version_;
}

void Changes::end_block() {
    const std::lock_guard lock(mutex_);
    writing_ = 0;
}

ChangeState Changes::state(std::uint64_t customer_id, std::int64_t from_s,
                           std::int64_t to_s) const {
    return state_of(customer_id, from_s, to_s, &Customer::hours);
}

ChangeState Changes::counted(std::uint64_t customer_id, std::int64_t from_s,
                             std::int64_t to_s) const {
    return state_of(customer_id, from_s, to_s, &Customer::counted);
}

ChangeState Changes::state_of(std::uint64_t customer_id, std::int64_t from_s, std::int64_t to_s,
                              Hours Customer::* which) const {
    const std::lock_guard lock(mutex_);
    ChangeState state{floor_, false};
    if (const auto found = customers_.find(customer_id); found != customers_.end()) {
        const Customer& customer = found->second;
        state.version = std::max(state.version, customer.floor);
        const Hours& hours = customer.*which;
        const auto end = hours.upper_bound(hour_of(to_s, kHour_s));
        for (auto at = hours.lower_bound(hour_of(from_s, kHour_s)); at != end; ++at) {
            state.version = std::max(state.version, at->second);
        }
    }
    state.moving = writing_ != 0 && state.version >= writing_;
    return state;
}

}  // namespace playhead::store
