/// Sums and sketches by day of questions that are asked again: a period's closed days are computed
/// once, so that a rolling period costs its open day only. A day is used while no row has come that
/// counts in it (docs/decisions/0013). The days stand in the table `kept_days` of the store, and
/// are this process's own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "query/period.h"
#include "store/changes.h"
#include "store/store.h"

namespace playhead::query {

inline constexpr const char* kKeptDaysTable = "kept_days";
/// A period with fewer whole days is computed from rows.
inline constexpr std::int64_t kKeptDaysMin = 2;

/// True when age takes none of the rows that a question of [from_s, …) may read within the day to
/// come, where rows stay for so many days: what is kept of it cannot outlive them.
bool age_spares(std::int64_t from_s, std::int64_t days, std::int64_t now_s) noexcept;

/// Days since the epoch (UTC), [from_day, to_day), that one build made.
struct KeptRange {
    std::int64_t from_day = 0, to_day = 0;
    std::uint64_t build = 0;
};

/// How the days of a question are made. `write` gives the INSERT of [from_s, to_s) under a build's
/// number; it holds nothing of the period.
struct DayRecipe {
    std::string key;       ///< equal recipes of a customer have equal keys
    bool details = false;  ///< from slices or ads, which are kept for a shorter time
    std::function<Result<store::Statement>(std::int64_t from_s, std::int64_t to_s,
                                           std::uint64_t build)>
        write;
};

/// A recipe and the days for which it has been asked.
struct DayWish {
    DayRecipe recipe;
    std::int64_t from_day = 0, to_day = 0;
};

/// Thread safe. Builds run one after the other on a thread of its own and give way to queries.
class KeptDays {
public:
    struct Options {
        std::int64_t retention_days = 400;
        std::int64_t details_days = 90;   ///< of slices, events and ads
        std::int64_t asked_before = 1;    ///< wishes that make nothing yet
        std::size_t recipes_max = 2'000;  ///< the one asked for least recently goes first
        std::uint64_t memory_bytes_max = 512ULL << 20U;  ///< of one build
        double time_limit_s = 60;                        ///< of one build
        std::uint64_t disk_bytes_max = 8ULL << 30U;      ///< of the table; beyond, none are made
    };

    /// All references must outlive it. `changes` must know every block of rows. Empties the table:
    /// there is one of these for a store.
    KeptDays(store::Store& store, const store::Changes& changes, const Clock& clock,
             Options options);
    /// Stops a running build.
    ~KeptDays();
    KeptDays(const KeptDays&) = delete;
    KeptDays& operator=(const KeptDays&) = delete;

    /// `playhead_kept_days` and `playhead_kept_days_built_total`.
    void count_in(MetricsRegistry& metrics);

    /// The days of [from_day, to_day) that stand, in order. Rows that arrive later are not in them:
    /// compare `Changes::state` before and after.
    std::vector<KeptRange> find(std::uint64_t customer_id, const DayRecipe& recipe,
                                std::int64_t from_day, std::int64_t to_day) const;

    /// Tells that an answer took long for want of these days. They are made once asked for often
    /// enough, in the background; days that still change are left out.
    void want(std::uint64_t customer_id, std::vector<DayWish> wishes);

    /// Waits until nothing is to be made; for tests. False after `timeout_ms`.
    bool wait_idle(std::int64_t timeout_ms);

private:
    using Key = std::pair<std::uint64_t, std::string>;
    struct Day {
        std::uint64_t build = 0;
        std::uint64_t version = 0;  ///< of the rows when it was made
        std::int64_t made_ms = 0;
    };
    struct Entry {
        DayWish wish;
        std::int64_t asked = 0;
        std::int64_t asked_ms = 0;
        std::int64_t refused_ms = 0;  ///< when the last build failed; 0 = none has
        bool queued = false;
        std::map<std::int64_t, Day> days;
    };
    /// Neighbouring days to be made, and the state of their rows before.
    struct Build {
        DayRecipe recipe;
        std::int64_t from_day = 0;
        std::vector<std::uint64_t> versions;
    };

    bool stands(std::uint64_t customer_id, std::int64_t day, const Day& kept, bool details) const;
    std::optional<std::uint64_t> still(std::uint64_t customer_id, std::int64_t day) const;
    bool closed(std::int64_t day) const;
    bool expiring(std::int64_t day, bool details) const;
    std::optional<Build> next_build(const Key& key);
    void make(const Key& key, const Build& build);
    Result<void> check_room();
    Result<void> derive(const Build& build, std::int64_t to_day, std::uint64_t number);
    void run();
    void make_room();

    store::Store& store_;
    const store::Changes& changes_;
    const Clock& clock_;
    Options options_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<Key, Entry> entries_;
    std::vector<Key> queue_;
    bool working_ = false;
    std::atomic<bool> stopping_{false};
    std::uint64_t next_number_ = 0;  ///< of the thread only
    Counter* built_ = nullptr;
    std::thread thread_;
};

}  // namespace playhead::query
