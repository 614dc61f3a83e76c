#include "app/retention.h"

#include <cstdint>
#include <vector>

#include "store/migrations.h"

namespace playhead::app {

namespace {

/// An open session without a beacon for so long has been closed as dropped; its row is left over.
constexpr std::uint32_t kLiveSessionsDays = 2;

}  // namespace

Result<void> apply_retention(store::Store& store, const Config& config) {
    const auto days = [&](const char* key) {
        return static_cast<std::uint32_t>(config.integer(key));
    };
    const std::uint32_t sessions = days("retention.sessions_days");
    const std::uint32_t events = days("retention.events_days");
    const std::vector<store::Retention> retention{
        {store::Table::Sessions, sessions}, {store::Table::LiveSessions, kLiveSessionsDays},
        {store::Table::AdViews, sessions},  {store::Table::Slices, days("retention.slices_days")},
        {store::Table::Events, events},     {store::Table::AppEvents, events}};
    return store::apply_retention(store, retention, sessions);
}

}  // namespace playhead::app
