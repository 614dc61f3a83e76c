/// Which hours of which customer have had rows written, and when: what makes a kept answer stale.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <unordered_map>

#include "model/rows.h"

namespace playhead::store {

/// Hours of one customer that are told apart; beyond, all of them count as changed.
inline constexpr std::size_t kChangedHoursMax = 20'000;
/// Customers that are told apart; beyond, all of them count as changed.
inline constexpr std::size_t kChangedCustomersMax = 100'000;

/// Where the rows of a span of time stand. Equal states that do not move mean: whatever was read
/// from those rows at the one is what would be read at the other.
struct ChangeState {
    std::uint64_t version = 0;  ///< of the newest block with rows there
    bool moving = false;        ///< such a block is being written
    friend bool operator==(const ChangeState&, const ChangeState&) = default;
};

/// Told by the one writer of rows, before a block's first row goes out and after its last one is
/// in. Versions begin anew with the process, as does everything that is compared with them.
/// Thread safe; one block at a time.
class Changes {
public:
    /// A block that could not be written whole stays begun: its rows may be half there.
    void begin_block(const model::RowBlock& rows);
    void end_block();

    /// Of everything that a customer's rows say about [from_s, to_s): sessions that begin, end or
    /// were open in it, its minutes, events and ads. To the hour.
    ChangeState state(std::uint64_t customer_id, std::int64_t from_s, std::int64_t to_s) const;

    /// Of what counts at a time of its own in [from_s, to_s): closed sessions and ads by their
    /// start and their end, minutes and events. Not of open sessions, nor of the time between a
    /// session's ends. To the hour, the hours of both ends included.
    ChangeState counted(std::uint64_t customer_id, std::int64_t from_s, std::int64_t to_s) const;

private:
    using Hours = std::map<std::int64_t, std::uint64_t>;  ///< version by hour since the epoch
    struct Customer {
        Hours hours;
        Hours counted;
        std::uint64_t floor = 0;  ///< all hours are at least of this version
    };
    void mark(std::uint64_t customer_id, std::int64_t from_ms, std::int64_t to_ms);
    void mark_counted(std::uint64_t customer_id, std::int64_t at_ms);
    ChangeState state_of(std::uint64_t customer_id, std::int64_t from_s, std::int64_t to_s,
                         Hours Customer::* which) const;

    mutable std::mutex mutex_;
    std::unordered_map<std::uint64_t, Customer> customers_;
    std::uint64_t version_ = 0;
    std::uint64_t floor_ = 0;
    std::uint64_t writing_ = 0;  ///< the version of the block being written; 0 = none
};

}  // namespace playhead::store
