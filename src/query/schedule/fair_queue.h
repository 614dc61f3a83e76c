/// Whose query runs next: the customer's that has had the least of the engine's time since others
/// wait beside it. Pure decisions over times that the caller gives; no threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "base/result.h"

namespace playhead::query {

struct FairLimits {
    int running_max = 4;         ///< queries at once
    int tenant_running_max = 2;  ///< of one customer
    /// Places that heavy customers leave to others, so that these do not wait for a heavy one's
    /// query to end; the last of them is for customers of little use only.
    int reserved = 2;
    std::size_t waiting_max = 512;
    std::size_t tenant_waiting_max = 64;
};

/// Use is forgotten with this time constant, but not while more waits than could run: one query all
/// the time is a use of as many seconds.
inline constexpr double kUseMemory_s = 20;
/// No use is remembered as more than this.
inline constexpr double kUseMax_s = 60;
/// Below this use a customer is a light one: a place is free for it, and its queries are prompt.
inline constexpr double kLightUse_s = 2;
/// Above it they are prompt too while it has used at most this much of what another busy one has.
inline constexpr double kLighterShare = 0.75;

/// Not thread safe. Times are monotonic and never go back.
class FairQueue {
public:
    explicit FairQueue(FairLimits limits) : limits_(limits) {}

    struct Start {
        std::uint64_t number = 0;
        /// The query gives way to those that are not.
        bool patient = false;
        std::int64_t waited_ns = 0;
    };

    /// A place in the queue. TooManyRequests when the customer has too many there, Unavailable when
    /// all have.
    Result<std::uint64_t> push(std::uint64_t customer_id, std::int64_t now_ns);
    /// The next to run, if a place is free for it: `finish` must follow. First come first served
    /// within a customer.
    std::optional<Start> next(std::int64_t now_ns);
    void finish(std::uint64_t number, std::int64_t now_ns);
    /// Takes a waiting one out; false when it does not wait.
    bool remove(std::uint64_t number);
    /// Those that wait since before this time.
    std::vector<std::uint64_t> older_than(std::int64_t time_ns) const;

    std::size_t waiting() const noexcept { return waiting_; }
    int running() const noexcept { return static_cast<int>(running_.size()); }
    /// Remembered seconds of engine use.
    double use_s(std::uint64_t customer_id, std::int64_t now_ns) const;

private:
    struct Job {
        std::uint64_t number;
        std::int64_t since_ns;
    };
    struct Tenant {
        std::deque<Job> waiting;
        int running = 0;
        double used_s = 0;  ///< as of at_ns
        double had_s = 0;   ///< time of the engine, all of it, as of at_ns
        std::int64_t at_ns = 0;
        bool busy() const noexcept { return running > 0 || !waiting.empty(); }
    };
    enum class Weight : std::uint8_t { Light, Lighter, Heavy };
    struct Running {
        std::uint64_t customer_id;
        Weight weight;
    };
    using Tenants = std::map<std::uint64_t, Tenant>;

    double use_of(const Tenant& tenant, std::int64_t now_ns) const;
    static double had_by(const Tenant& tenant, std::int64_t now_ns);
    void settle(Tenant& tenant, std::int64_t now_ns) const;
    void join(Tenant& tenant, std::int64_t now_ns);
    Weight weight_of(const Tenants::value_type& tenant, std::int64_t now_ns) const;
    bool has_place(Weight weight) const;
    void forget_idle(std::int64_t now_ns);

    FairLimits limits_;
    Tenants tenants_;
    std::map<std::uint64_t, Running> running_;
    std::size_t waiting_ = 0;
    std::uint64_t next_number_ = 1;
};

}  // namespace playhead::query
