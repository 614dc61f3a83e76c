/// One execution for all who ask the same at the same time.
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
#include <string_view>

#include "base/result.h"
#include "query/result_cache.h"
#include "store/changes.h"
#include "store/store.h"

namespace playhead::query {

/// Thread safe. The store must outlive it; no `run` may be under way when it ends.
class Flights {
public:
    /// Runs the statement under this id of the store; ends early once the flag is set.
    using Work = std::function<Result<SharedTable>(const std::string& store_id,
                                                   const std::atomic<bool>& stop)>;

    explicit Flights(store::Store& store) : store_(store) {}

    /// What `work` gives, from here or from the run of the same key under way, which must have
    /// begun in the same state of the rows. `name` is what `cancel` knows this caller by; empty:
    /// nothing. A failure is everybody's. Cancelled when this caller was; the run itself ends only
    /// when all of its callers are. `given_up` may be null; set before the call, it counts as
    /// cancelled.
    Result<SharedTable> run(const std::string& key, const store::ChangeState& state,
                            const std::string& name, const std::atomic<bool>* given_up,
                            const Work& work);

    /// False when no caller has this name. Does not wait.
    bool cancel(std::string_view name);

    /// The store's id of what runs for this name.
    std::optional<std::string> store_id(std::string_view name) const;

private:
    struct Caller {
        std::string name;
        bool cancelled = false;
    };
    struct Flight {
        std::string store_id;
        store::ChangeState state;
        std::map<std::uint64_t, Caller> callers;  ///< by number
        std::atomic<bool> stop{false};
        std::optional<Result<SharedTable>> outcome;
    };
    using FlightPtr = std::shared_ptr<Flight>;

    bool leave(Flight& flight, std::uint64_t number);
    void land(const std::string& key, const FlightPtr& flight, Result<SharedTable> outcome);

    store::Store& store_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, FlightPtr, std::less<>> open_;  ///< may be joined, by key
    std::map<std::uint64_t, FlightPtr> flights_;          ///< all, by number
    std::uint64_t next_number_ = 1;
};

}  // namespace playhead::query
