/// Sessions of one hash partition: events in, rows out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/client_context.h"
#include "model/event.h"
#include "model/rows.h"
#include "timeline/options.h"

namespace playhead::timeline {

struct Stats {
    std::size_t open_sessions = 0;
    std::size_t closed_sessions = 0;  ///< kept because they may still be revised
    std::size_t bytes = 0;            ///< of all kept sessions, approximate; walks them
    std::size_t text_bytes = 0;       ///< the part of `bytes` that is characters of texts
    std::uint64_t records = 0;
    std::uint64_t repeats = 0;           ///< records that were there already
    std::uint64_t refused_records = 0;   ///< over a limit of their session
    std::uint64_t refused_sessions = 0;  ///< over Options::sessions_max
    std::uint64_t reopened = 0;
    std::uint64_t evicted = 0;  ///< closed sessions forgotten before Options::reopen_ms
};

/// How much a cut lets out. The engine's price of a block is by table, hardly by row, so what can
/// wait is kept for every few cuts.
enum class CutKind : std::uint8_t {
    // Journalled: these numbers stay.
    Quick = 0,  ///< what is new to see: events, and live rows of sessions with a new state
    Rows = 2,   ///< also what has become due of open sessions: other live rows, slices
    Whole = 1,  ///< also sessions that close, with their ad views
};

/// Owns the sessions. Single-threaded. Deterministic: the same sequence of `apply` and `cut` calls
/// gives the same blocks, which is what makes a replay of the journal insert nothing twice.
class Partition {
public:
    explicit Partition(Options options);
    ~Partition();
    Partition(Partition&&) noexcept;
    Partition& operator=(Partition&&) noexcept;

    /// Applies one record. Reads the event's views only during the call. Time does not pass here.
    void apply(const model::Event& event, const model::ClientContext& client);

    /// Lets time pass to `now_ms` (the server's clock; by the caller's journal, so that a replay
    /// passes the same values) and appends every row that is due to `out`, sessions in the order
    /// of their keys.
    void cut(std::int64_t now_ms, model::RowBlock& out, CutKind kind = CutKind::Whole);

    /// All kept state, versioned and checksummed. Text columns are stored by name.
    std::string snapshot() const;
    /// Replaces all state. On an error nothing is changed.
    Result<void> restore(std::string_view snapshot);

    Stats stats() const;
    /// As in `stats`, without the walk.
    std::size_t open_sessions() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace playhead::timeline
