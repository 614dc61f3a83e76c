/// Hand-written sessions for tests: records with stable strings, applied in any order.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "timeline/timeline.h"

namespace playhead::timeline {

using model::Event;
using model::EventKind;
using model::Measure;
using model::PlayerState;

/// Records of one session. Times are milliseconds after `kBase`.
class Script {
public:
    static constexpr std::int64_t kBase = 1'795'419'960'000;

    explicit Script(std::string session = "session-1", std::uint64_t customer = 7)
        : session_(std::move(session)), customer_(customer) {}

    Event& smartsight(EventKind kind, std::int64_t at, std::string name = "") {
        Event& event = add(kind, at, std::move(name));
        event.payload_id = keep("p" + std::to_string(events.size()));
        event.interval_s = 5;
        return event;
    }

    Event& cmcd(EventKind kind, std::int64_t at, PlayerState state = PlayerState::None) {
        Event& event = add(kind, at, kind == EventKind::State ? "ps" : "t");
        event.protocol = model::Protocol::CmcdEvent;
        event.state = state;
        event.sequence = static_cast<std::int64_t>(events.size()) - 1;
        return event;
    }

    Event& stats(std::int64_t at, double played_s) {
        Event& event = smartsight(EventKind::Stats, at, "STATS");
        event.play_duration_s = played_s;
        return event;
    }

    static void measure(Event& event, Measure id, double value, std::int64_t at = -1) {
        event.measures.push_back({id, value, at < 0 ? 0 : kBase + at});
    }

    Event& start(std::int64_t at, double latency_ms) {
        Event& event = smartsight(EventKind::Start, at, "START");
        measure(event, Measure::StartupMs, latency_ms);
        return event;
    }

    model::AdFacts& ad(Event& event, std::string id, double duration_s) {
        event.ad = std::make_unique<model::AdFacts>();
        event.ad->id = keep(std::move(id));
        event.ad->duration_s = duration_s;
        return *event.ad;
    }

    std::string_view keep(std::string text) { return strings_.emplace_back(std::move(text)); }

    std::deque<Event> events;

private:
    Event& add(EventKind kind, std::int64_t at, std::string name) {
        Event& event = events.emplace_back();
        event.customer_id = customer_;
        event.session_id = session_;
        event.kind = kind;
        event.name = keep(std::move(name));
        event.client_ms = kBase + at;
        event.receive_ms = kBase + at + 40;
        return event;
    }

    std::string session_;
    std::uint64_t customer_;
    std::deque<std::string> strings_;
};

/// Everything that a run wrote.
struct Outcome {
    model::RowBlock rows;

    /// The last row of `sessions` that was not cancelled.
    const model::SessionRow& session() const { return rows.sessions.back(); }

    model::AdditiveCounters slice_sum() const {
        model::AdditiveCounters sum;
        for (const auto& slice : rows.slices) sum += slice.counters;
        return sum;
    }

    /// Counters by minute, zero minutes left out.
    std::map<std::int64_t, model::AdditiveCounters> by_minute() const {
        std::map<std::int64_t, model::AdditiveCounters> sums;
        for (const auto& slice : rows.slices) sums[slice.minute_ms] += slice.counters;
        std::erase_if(sums, [](const auto& entry) { return entry.second.is_zero(); });
        return sums;
    }
};

/// Long after every record.
constexpr std::int64_t kMuchLater = Script::kBase + 30 * 60'000;

inline Outcome play(const Script& script, Options options = {}) {
    Partition partition(std::move(options));
    Outcome outcome;
    for (const Event& event : script.events) {
        partition.apply(event, {});
        partition.cut(event.receive_ms, outcome.rows);
    }
    partition.cut(kMuchLater, outcome.rows);
    return outcome;
}

}  // namespace playhead::timeline
