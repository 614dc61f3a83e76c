/// What the path of a beacon knows about tenants: an immutable copy, swapped when the file changes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "directory/directory.h"

namespace playhead::directory {

/// Immutable, so readable from every thread. Hold the shared pointer while using what `find` gave.
class TenantSnapshot {
public:
    explicit TenantSnapshot(std::vector<Tenant> tenants);
    /// The tenant, enabled or not; null when there is none. One hash lookup, no lock.
    const Tenant* find(std::int64_t customer_id) const noexcept {
        const auto found = by_id_.find(customer_id);
        return found == by_id_.end() ? nullptr : &found->second;
    }
    std::size_t size() const noexcept { return by_id_.size(); }

private:
    std::unordered_map<std::int64_t, Tenant> by_id_;
};

/// Keeps the newest snapshot of a directory. `current` is safe and cheap from any thread (one
/// atomic load); `poll` is called by one timer, about once a second.
class TenantWatch {
public:
    /// Loads the first snapshot. `directory` must outlive the watch.
    static Result<std::unique_ptr<TenantWatch>> start(const Directory& directory);
    std::shared_ptr<const TenantSnapshot> current() const noexcept { return current_.load(); }
    /// True when a change (also by another process) was found and the snapshot swapped. On an
    /// error the old snapshot stays.
    Result<bool> poll();

private:
    explicit TenantWatch(const Directory& directory) : directory_(directory) {}
    Result<void> load(std::uint64_t marker);

    const Directory& directory_;
    std::mutex poll_mutex_;
    std::uint64_t marker_ = 0;
    std::atomic<std::shared_ptr<const TenantSnapshot>> current_;
};

}  // namespace playhead::directory
