/// The place of the query that a thread works on.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace playhead::query {

/// One query of one customer, from its admission to its end. Shared by its worker and by whoever
/// may cancel it.
struct Turn {
    std::uint64_t customer_id = 0;
    std::string query_id;
    std::string name;  ///< what it is cancelled by below the schedule; may be empty
    /// It gives way to queries that are not patient. Set before it starts, then constant.
    bool patient = false;
    std::int64_t begun_ns = 0;  ///< monotonic; its statements share one limit of time. 0: none
    std::atomic<bool> cancelled{false};

    /// Of this thread; null outside of a scheduled query.
    static Turn* current() noexcept;

    /// Makes a turn this thread's own while it lives.
    class Scope {
    public:
        explicit Scope(Turn& turn) noexcept;
        ~Scope();
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

    private:
        Turn* before_;
    };
};

}  // namespace playhead::query
