#include "api/running_queries.h"

#include <fmt/format.h>

#include <random>

#include "base/random.h"
#include "query/engine.h"

namespace playhead::api {

namespace {

constexpr double kNanosecondsPerMs = 1e6;

std::string_view state_of(const Outcome& outcome) {
    if (!outcome.error) return "finished";
    if (*outcome.error == ErrorCode::Cancelled) return "cancelled";
    if (*outcome.error == ErrorCode::Timeout) return "timeout";
    return "failed";
}

}  // namespace

RunningQueries::RunningQueries(const Clock& clock)
    : clock_(clock),
      seed_((std::uint64_t{std::random_device{}()} << 32U) | std::random_device{}()) {}

std::string RunningQueries::new_id() {
    // Not to be guessed by counting.
    Random random(seed_, ids_given_.fetch_add(1) + 1);
    const std::uint64_t high = random.next_u64();
    const std::uint64_t low = random.next_u64();
    return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xffffU,
                       high & 0xfffU, 0x8000U | (low >> 50U), low & 0xffffffffffffU);
}

void RunningQueries::begin(std::string_view query_id, std::uint64_t customer_id) {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[query::running_name(query_id, customer_id)];
    ++entry.running;
    entry.begun_ns = clock_.monotonic_ns();
}

void RunningQueries::finish(std::string_view query_id, std::uint64_t customer_id, Outcome outcome) {
    const auto name = query::running_name(query_id, customer_id);
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(name);
    if (at == entries_.end() || at->second.running == 0) return;
    at->second.ended_ns = clock_.monotonic_ns();
    at->second.outcome = outcome;
    if (--at->second.running > 0) return;
    ended_.push_back(name);
    while (ended_.size() > kEndedQueriesMax) {
        // An id may have begun again since, or ended more than once.
        const auto oldest = entries_.find(ended_.front());
        if (oldest != entries_.end() && oldest->second.running == 0) entries_.erase(oldest);
        ended_.pop_front();
    }
}

std::optional<QueryState> RunningQueries::find(std::string_view query_id,
                                               std::uint64_t customer_id) const {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(query::running_name(query_id, customer_id));
    if (at == entries_.end()) return std::nullopt;
    const Entry& entry = at->second;
    const auto end = entry.running > 0 ? clock_.monotonic_ns() : entry.ended_ns;
    QueryState state;
    state.state = entry.running > 0 ? "running" : state_of(entry.outcome);
    state.elapsed_ms = static_cast<double>(end - entry.begun_ns) / kNanosecondsPerMs;
    state.rows_read = entry.outcome.rows_read;
    return state;
}

}  // namespace playhead::api
