#include "directory/tenant_snapshot.h"

namespace playhead::directory {

TenantSnapshot::TenantSnapshot(std::vector<Tenant> tenants) {
    by_id_.reserve(tenants.size());
    for (auto& tenant : tenants) {
        const auto id = tenant.customer_id;
        by_id_.emplace(id, std::move(tenant));
    }
}

Result<std::unique_ptr<TenantWatch>> TenantWatch::start(const Directory& directory) {
    std::unique_ptr<TenantWatch> watch(new TenantWatch(directory));
    const auto marker = directory.change_marker();
    if (!marker) return fail(marker.error());
    if (auto loaded = watch->load(*marker); !loaded) return fail(loaded.error());
    return watch;
}

Result<bool> TenantWatch::poll() {
    const std::lock_guard lock(poll_mutex_);
    const auto marker = directory_.change_marker();
    if (!marker) return fail(marker.error());
    if (*marker == marker_) return false;
    if (auto loaded = load(*marker); !loaded) return fail(loaded.error());
    return true;
}

Result<void> TenantWatch::load(std::uint64_t marker) {
    auto tenants = directory_.tenants();
    if (!tenants) return fail(tenants.error());
    current_.store(std::make_shared<const TenantSnapshot>(std::move(*tenants)));
    // The marker read before the rows: a change in between is seen at the next poll.
    marker_ = marker;
    return {};
}

}  // namespace playhead::directory
