#include "query/schedule/fair_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

namespace playhead::query {

namespace {

constexpr double kNanosecondsPerSecond = 1e9;
/// Idle customers are forgotten beyond this many.
constexpr std::size_t kTenantsKept = 1024;
constexpr double kForgottenUse_s = 0.001;

}  // namespace

/// Running queries count as they go: their use is known before they end.
double FairQueue::use_of(const Tenant& tenant, std::int64_t now_ns) const {
    const double passed_s = static_cast<double>(now_ns - tenant.at_ns) / kNanosecondsPerSecond;
    // Who has more than can run is not quiet.
    if (tenant.waiting.size() > static_cast<std::size_t>(limits_.tenant_running_max)) {
        return std::min(kUseMax_s, tenant.used_s + tenant.running * passed_s);
    }
    const double kept = std::exp(-passed_s / kUseMemory_s);
    return tenant.used_s * kept + tenant.running * kUseMemory_s * (1 - kept);
}

double FairQueue::had_by(const Tenant& tenant, std::int64_t now_ns) {
    return tenant.had_s +
           tenant.running * static_cast<double>(now_ns - tenant.at_ns) / kNanosecondsPerSecond;
}

void FairQueue::settle(Tenant& tenant, std::int64_t now_ns) const {
    tenant.used_s = use_of(tenant, now_ns);
    tenant.had_s = had_by(tenant, now_ns);
    tenant.at_ns = now_ns;
}

/// Who has been away is not owed the time: it begins beside the busy one that had least.
void FairQueue::join(Tenant& tenant, std::int64_t now_ns) {
    std::optional<double> least;
    for (const auto& [customer_id, other] : tenants_) {
        if (!other.busy()) continue;
        const double had_s = had_by(other, now_ns);
        least = std::min(least.value_or(had_s), had_s);
    }
    if (least) tenant.had_s = std::max(tenant.had_s, *least);
}

double FairQueue::use_s(std::uint64_t customer_id, std::int64_t now_ns) const {
    const auto tenant = tenants_.find(customer_id);
    return tenant == tenants_.end() ? 0 : use_of(tenant->second, now_ns);
}

Result<std::uint64_t> FairQueue::push(std::uint64_t customer_id, std::int64_t now_ns) {
    if (waiting_ >= limits_.waiting_max) {
        return fail(ErrorCode::Unavailable, "too many queries are waiting");
    }
    forget_idle(now_ns);
    Tenant& tenant = tenants_[customer_id];
    if (tenant.waiting.size() >= limits_.tenant_waiting_max) {
        return fail(ErrorCode::TooManyRequests,
                    fmt::format("{} queries of this customer are waiting already",
                                limits_.tenant_waiting_max));
    }
    settle(tenant, now_ns);
    if (!tenant.busy()) join(tenant, now_ns);
    const std::uint64_t number = next_number_++;
    tenant.waiting.push_back({number, now_ns});
    ++waiting_;
    return number;
}

FairQueue::Weight FairQueue::weight_of(const Tenants::value_type& tenant,
                                       std::int64_t now_ns) const {
    const double used = use_of(tenant.second, now_ns);
    if (used < kLightUse_s) return Weight::Light;
    const bool lighter = std::any_of(tenants_.begin(), tenants_.end(), [&](const auto& other) {
        return other.first != tenant.first && other.second.busy() &&
               used <= kLighterShare * use_of(other.second, now_ns);
    });
    return lighter ? Weight::Lighter : Weight::Heavy;
}

bool FairQueue::has_place(Weight weight) const {
    if (weight == Weight::Light) return running() < limits_.running_max;
    int heavy = 0, not_light = 0;
    for (const auto& [number, one] : running_) {
        heavy += one.weight == Weight::Heavy ? 1 : 0;
        not_light += one.weight == Weight::Light ? 0 : 1;
    }
    const int last = limits_.reserved > 0 ? 1 : 0;
    if (not_light >= limits_.running_max - last) return false;
    return weight == Weight::Lighter || heavy < limits_.running_max - limits_.reserved;
}

std::optional<FairQueue::Start> FairQueue::next(std::int64_t now_ns) {
    if (waiting_ == 0 || running() >= limits_.running_max) return std::nullopt;
    auto best = tenants_.end();
    std::tuple<double, int, std::uint64_t> best_rank;
    for (auto at = tenants_.begin(); at != tenants_.end(); ++at) {
        const Tenant& tenant = at->second;
        if (tenant.waiting.empty() || tenant.running >= limits_.tenant_running_max) continue;
        if (!has_place(weight_of(*at, now_ns))) continue;
        const std::tuple rank{had_by(tenant, now_ns), tenant.running,
                              tenant.waiting.front().number};
        if (best != tenants_.end() && best_rank <= rank) continue;
        best = at;
        best_rank = rank;
    }
    if (best == tenants_.end()) return std::nullopt;
    Tenant& tenant = best->second;
    settle(tenant, now_ns);
    const auto weight = weight_of(*best, now_ns);
    const Start start{tenant.waiting.front().number, weight == Weight::Heavy,
                      now_ns - tenant.waiting.front().since_ns};
    tenant.waiting.pop_front();
    --waiting_;
    ++tenant.running;
    running_.emplace(start.number, Running{best->first, weight});
    return start;
}

void FairQueue::finish(std::uint64_t number, std::int64_t now_ns) {
    const auto found = running_.find(number);
    if (found == running_.end()) return;
    Tenant& tenant = tenants_.at(found->second.customer_id);
    settle(tenant, now_ns);
    --tenant.running;
    running_.erase(found);
}

bool FairQueue::remove(std::uint64_t number) {
    for (auto& [customer_id, tenant] : tenants_) {
        const auto found = std::find_if(tenant.waiting.begin(), tenant.waiting.end(),
                                        [&](const Job& job) { return job.number == number; });
        if (found == tenant.waiting.end()) continue;
        tenant.waiting.erase(found);
        --waiting_;
        return true;
    }
    return false;
}

std::vector<std::uint64_t> FairQueue::older_than(std::int64_t time_ns) const {
    std::vector<std::uint64_t> out;
    for (const auto& [customer_id, tenant] : tenants_) {
        for (const Job& job : tenant.waiting) {
            if (job.since_ns < time_ns) out.push_back(job.number);
        }
    }
    return out;
}

void FairQueue::forget_idle(std::int64_t now_ns) {
    if (tenants_.size() < kTenantsKept) return;
    std::erase_if(tenants_, [&](const auto& tenant) {
        return !tenant.second.busy() && use_of(tenant.second, now_ns) < kForgottenUse_s;
    });
}

}  // namespace playhead::query
