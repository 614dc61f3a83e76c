/// The inside of a Partition: sessions by key, and when each must be looked at next.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "model/rows.h"
#include "timeline/measure.h"
#include "timeline/session.h"
#include "timeline/timeline.h"

namespace playhead::timeline {

/// A kept session and what belongs to the partition rather than to the session's own meaning.
struct Slot {
    explicit Slot(TextPool& texts) : session(texts) {}

    Session session;
    std::uint64_t number = 0;  ///< given in the order of arrival
    std::int64_t wake_ms = 0;  ///< the valid entry of the queue; 0 none
    bool queued = false;       ///< in `touched`
    /// The session as it was when its last row was written, kept from the first late record until
    /// it closes again: the cancelling rows follow from it.
    std::unique_ptr<Session> revoked;
};

/// A session's key by itself, to look a slot up without a copy.
struct KeyView {
    explicit KeyView(const Slot* slot)
        : customer_id(slot->session.customer_id), session_id(slot->session.session_id) {}
    KeyView(std::uint64_t customer, std::string_view session)
        : customer_id(customer), session_id(session) {}
    friend bool operator==(const KeyView&, const KeyView&) = default;

    std::uint64_t customer_id;
    std::string_view session_id;
};

/// Slots are found by the key inside them: the key is kept once.
struct KeyHash {
    using is_transparent = void;
    using is_avalanching = void;
    std::size_t operator()(const KeyView& key) const noexcept;
    std::size_t operator()(const Slot* slot) const noexcept { return (*this)(KeyView(slot)); }
};
struct KeyEqual {
    using is_transparent = void;
    bool operator()(const Slot* left, const Slot* right) const noexcept {
        return KeyView(left) == KeyView(right);
    }
    bool operator()(const KeyView& left, const Slot* right) const noexcept {
        return left == KeyView(right);
    }
    bool operator()(const Slot* left, const KeyView& right) const noexcept {
        return KeyView(left) == right;
    }
};

struct Wake {
    std::int64_t at_ms = 0;
    std::uint64_t slot = 0;
    friend bool operator>(const Wake& left, const Wake& right) noexcept {
        return std::pair(left.at_ms, left.slot) > std::pair(right.at_ms, right.slot);
    }
};

struct Partition::State {
    explicit State(Options chosen) : options(std::move(chosen)) {}

    void apply(const model::Event& event, const model::ClientContext& client);
    void cut(std::int64_t now_ms, CutKind kind, model::RowBlock& out);
    void touch(Slot& slot);
    void reopen(Slot& slot);
    void look_at(Slot& slot, std::int64_t now_ms, CutKind kind, model::RowBlock& out);
    void close(Slot& slot, std::int64_t now_ms, model::RowBlock& out);
    bool rows_due(const Session& session, std::int64_t now_ms, CutKind kind) const noexcept;
    /// Takes `measured.row`: call it last.
    void live_row(Slot& slot, std::int64_t now_ms, model::RowBlock& out);
    void slices(Slot& slot, std::int64_t now_ms, model::RowBlock& out);
    void wake_at(Slot& slot, std::int64_t at_ms);
    std::int64_t live_due(const Session& session) const noexcept;
    std::int64_t slice_due(const Session& session) const noexcept;
    void forget(std::int64_t now_ms);
    bool note_application(const model::Event& event);
    std::int64_t expiry_of(const Session& session) const noexcept;

    Options options;
    TextPool texts;  ///< before the sessions, which refer to it
    boost::unordered_flat_map<std::uint64_t, std::unique_ptr<Slot>> slots;  ///< by number
    boost::unordered_flat_set<Slot*, KeyHash, KeyEqual> keys;               ///< the same, by key
    std::uint64_t next_number = 1;
    std::vector<Slot*> touched;
    std::priority_queue<Wake, std::vector<Wake>, std::greater<>> wakes;
    std::deque<std::pair<std::int64_t, std::uint64_t>> closed;  ///< (closed at, slot), oldest first
    std::size_t closed_count = 0;
    std::vector<model::EventRow> events;
    std::vector<model::AppEventRow> app_events;
    /// Identities of the newest App Analytics records: SDKs send again under the same id.
    static constexpr std::size_t kApplicationSeenMax = 16'384;
    std::deque<std::uint64_t> application_order;  ///< oldest first
    std::unordered_set<std::uint64_t> application_seen;
    /// Times between rows at this cut (see Options::fresh_sessions).
    std::int64_t live_row_ms = 0, slice_ms = 0;
    bool few_touched = false;  ///< at this cut (see Options::fresh_rows)
    Measured measured;         ///< reused from session to session
    Stats stats;
};

}  // namespace playhead::timeline
