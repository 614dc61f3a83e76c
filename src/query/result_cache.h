/// Answers of statements that are kept until a row changes that they could have read. Nothing is
/// ever served past that: an entry bears the state of its rows and is found under that state only.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/metrics.h"
#include "store/changes.h"
#include "store/store.h"

namespace playhead::query {

/// Not const, so that who holds the only reference may take the rows out.
using SharedTable = std::shared_ptr<store::ResultTable>;

/// An answer larger than this share of the cache is not kept.
inline constexpr std::uint64_t kEntryShareMax = 8;

/// The statement with all that was bound to it, the customer among that: the plan, as text.
std::string plan_key(const store::Statement& statement);

/// About what a table takes in memory.
std::uint64_t bytes_of(const store::ResultTable& table);

struct KeptTable {
    SharedTable table;
    std::int64_t made_ms = 0;
};

/// Thread safe. When it is full, the customer that holds most loses what it has used least
/// recently: nobody is pushed below an equal share by another.
class ResultCache {
public:
    /// 0 keeps nothing.
    explicit ResultCache(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

    /// Registers counters; the cache must outlive the registry's use.
    void count_in(MetricsRegistry& metrics);

    /// `counts` false: a look that counts only when it finds.
    std::optional<KeptTable> find(const std::string& key, const store::ChangeState& state,
                                  bool counts = true);
    void put(std::uint64_t customer_id, std::string key, const store::ChangeState& state,
             SharedTable table, std::int64_t now_ms);

    std::uint64_t bytes() const;

private:
    struct Entry {
        std::string key;
        std::uint64_t customer_id = 0;
        std::uint64_t version = 0;
        std::uint64_t bytes = 0;
        KeptTable kept;
    };
    using Order = std::list<Entry>;  ///< the last used first
    struct Share {
        Order order;
        std::uint64_t bytes = 0;
    };
    void erase(Order::iterator entry);
    void make_room();
    std::optional<KeptTable> look_up(const std::string& key, const store::ChangeState& state);

    std::uint64_t bytes_max_;
    mutable std::mutex mutex_;
    std::unordered_map<std::uint64_t, Share> shares_;
    std::unordered_map<std::string_view, Order::iterator> index_;  ///< keys lie in the entries
    std::uint64_t bytes_ = 0;
    Counter* hits_ = nullptr;
    Counter* misses_ = nullptr;
};

}  // namespace playhead::query
