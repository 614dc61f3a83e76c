#include <algorithm>

#include "base/hash.h"
#include "timeline/event_rows.h"
#include "timeline/partition_state.h"
#include "timeline/repeats.h"

namespace playhead::timeline {

namespace {

/// Grows as push_back would, at least.
template <class Row>
void make_room(std::vector<Row>& rows, std::size_t more) {
    const std::size_t wanted = rows.size() + more;
    if (wanted > rows.capacity()) rows.reserve(std::max(wanted, 2 * rows.capacity()));
}

/// `time_ms` times open/fresh, at least once and at most `times_max` times.
std::int64_t stretched(std::int64_t time_ms, std::size_t open, std::size_t fresh,
                       std::int64_t times_max) noexcept {
    if (open <= fresh) return time_ms;
    const auto stretch = time_ms * static_cast<std::int64_t>(open);
    return std::min(stretch / static_cast<std::int64_t>(fresh), time_ms * times_max);
}

}  // namespace

std::size_t KeyHash::operator()(const KeyView& key) const noexcept {
    return stable_hash(key.session_id, key.customer_id);
}

Partition::Partition(Options options) : state_(std::make_unique<State>(std::move(options))) {}
Partition::~Partition() = default;
Partition::Partition(Partition&&) noexcept = default;
Partition& Partition::operator=(Partition&&) noexcept = default;

void Partition::apply(const model::Event& event, const model::ClientContext& client) {
    state_->apply(event, client);
}

void Partition::cut(std::int64_t now_ms, model::RowBlock& out, CutKind kind) {
    state_->cut(now_ms, kind, out);
}

Stats Partition::stats() const {
    Stats stats = state_->stats;
    stats.closed_sessions = state_->closed_count;
    stats.open_sessions = state_->slots.size() - state_->closed_count;
    for (const auto& [number, slot] : state_->slots) {
        stats.bytes += sizeof(Slot) - sizeof(Session) + slot->session.bytes();
        stats.text_bytes += slot->session.text_bytes();
        stats.refused_records += slot->session.refused;
    }
    stats.bytes += state_->texts.bytes();
    stats.text_bytes += state_->texts.text_bytes();
    return stats;
}

std::size_t Partition::open_sessions() const noexcept {
    return state_->slots.size() - state_->closed_count;
}

void Partition::State::apply(const model::Event& event, const model::ClientContext& client) {
    ++stats.records;
    if (event.kind == model::EventKind::Application) {
        if (!note_application(event)) {
            ++stats.repeats;
            return;
        }
        const bool plausible = event.client_ms > event.receive_ms - options.retention_ms &&
                               event.client_ms <= event.receive_ms + options.future_tolerance_ms;
        app_events.push_back(
            app_event_row(event, client, plausible ? event.client_ms : event.receive_ms));
        return;
    }
    const auto found = keys.find(KeyView(event.customer_id, event.session_id));
    Slot* kept = found == keys.end() ? nullptr : *found;
    if (kept == nullptr) {
        if (slots.size() >= options.sessions_max) {
            ++stats.refused_sessions;
            return;
        }
        auto fresh = std::make_unique<Slot>(texts);
        kept = fresh.get();
        kept->number = next_number++;
        kept->session.customer_id = event.customer_id;
        kept->session.session_id.assign(event.session_id);
        kept->session.urgent = true;
        slots.emplace(kept->number, std::move(fresh));
        keys.insert(kept);
    }
    Slot& slot = *kept;
    if (slot.session.closed) {
        if (is_repeat(slot.session, event)) {
            ++stats.repeats;
            return;
        }
        reopen(slot);
    }
    if (!apply_record(slot.session, event, client, options)) {
        ++stats.repeats;
        return;
    }
    if (auto row = event_row(slot.session, event)) events.push_back(std::move(*row));
    touch(slot);
}

bool Partition::State::note_application(const model::Event& event) {
    const std::uint64_t identity =
        stable_hash(event.session_id, record_identity(event) ^ event.customer_id);
    if (!application_seen.insert(identity).second) return false;
    application_order.push_back(identity);
    if (application_order.size() > kApplicationSeenMax) {
        application_seen.erase(application_order.front());
        application_order.pop_front();
    }
    return true;
}

void Partition::State::touch(Slot& slot) {
    if (slot.queued) return;
    slot.queued = true;
    touched.push_back(&slot);
}

void Partition::State::reopen(Slot& slot) {
    slot.revoked = std::make_unique<Session>(slot.session);
    slot.session.closed = false;
    slot.session.closed_ms = 0;
    slot.session.urgent = true;
    --closed_count;
    ++stats.reopened;
}

std::int64_t Partition::State::expiry_of(const Session& session) const noexcept {
    const std::int64_t otherwise =
        session.smartsight ? options.stats_interval_ms : options.cmcd_interval_ms;
    const std::int64_t interval = session.interval_ms > 0 ? session.interval_ms : otherwise;
    return session.last_receive_ms + 3 * interval + options.drop_grace_ms;
}

void Partition::State::cut(std::int64_t now_ms, CutKind kind, model::RowBlock& out) {
    const std::size_t open = slots.size() - closed_count;
    live_row_ms = stretched(options.live_row_ms, open, options.fresh_sessions, 4);
    slice_ms = stretched(options.slice_ms, open, options.fresh_sessions, 2);
    for (auto& row : events) out.events.push_back(std::move(row));
    for (auto& row : app_events) out.app_events.push_back(std::move(row));
    events.clear();
    app_events.clear();
    std::vector<Slot*> due;
    due.swap(touched);
    few_touched = due.size() <= options.fresh_rows;
    for (Slot* slot : due) slot->queued = false;
    // A quick cut leaves the queue alone: what has become due waits there for a later one.
    while (kind != CutKind::Quick && !wakes.empty() && wakes.top().at_ms <= now_ms) {
        const Wake wake = wakes.top();
        wakes.pop();
        const auto found = slots.find(wake.slot);
        if (found == slots.end() || found->second->wake_ms != wake.at_ms) continue;
        found->second->wake_ms = 0;
        due.push_back(found->second.get());
    }
    // By key, so that a block does not depend on the history of the slots (a restored snapshot).
    std::sort(due.begin(), due.end(), [](const Slot* left, const Slot* right) {
        const Session& a = left->session;
        const Session& b = right->session;
        return a.customer_id != b.customer_id ? a.customer_id < b.customer_id
                                              : a.session_id < b.session_id;
    });
    due.erase(std::unique(due.begin(), due.end()), due.end());
    const auto rows =
        static_cast<std::size_t>(std::count_if(due.begin(), due.end(), [&](const Slot* slot) {
            return rows_due(slot->session, now_ms, kind);
        }));
    make_room(out.live_sessions, rows);
    if (kind != CutKind::Quick) make_room(out.slices, rows);
    for (Slot* slot : due) look_at(*slot, now_ms, kind, out);
    if (kind == CutKind::Whole) forget(now_ms);
}

bool Partition::State::rows_due(const Session& session, std::int64_t now_ms,
                                CutKind kind) const noexcept {
    if (!session.dirty) return false;
    if (session.urgent || few_touched) return true;
    return kind != CutKind::Quick && now_ms >= std::min(live_due(session), slice_due(session));
}

void Partition::State::look_at(Slot& slot, std::int64_t now_ms, CutKind kind,
                               model::RowBlock& out) {
    Session& session = slot.session;
    if (session.closed) return;
    const bool rows = kind != CutKind::Quick;
    const bool whole = kind == CutKind::Whole;
    const std::int64_t live_due = this->live_due(session);
    const std::int64_t slice_due = this->slice_due(session);
    const std::int64_t quiet_until = session.last_receive_ms + options.linger_ms;
    if (!rows_due(session, now_ms, kind) && (!whole || now_ms < quiet_until)) {
        wake_at(slot, session.dirty ? std::min({quiet_until, live_due, slice_due}) : quiet_until);
        return;
    }
    measure(session, options, false, measured);
    const std::int64_t close_at =
        measured.final ? std::min(expiry_of(session), session.last_receive_ms + options.linger_ms)
                       : expiry_of(session);
    if (whole && now_ms >= close_at) {
        close(slot, now_ms, out);
        return;
    }
    bool pending = false;
    if (session.dirty) {
        const bool live = session.urgent || few_touched || (rows && now_ms >= live_due);
        const bool slice = rows && now_ms >= slice_due;
        if (slice) slices(slot, now_ms, out);
        if (live) live_row(slot, now_ms, out);
        pending = !live || !slice;
        session.dirty = pending;
    }
    std::int64_t next = close_at;
    if (pending) {
        next = std::min({next, std::max(live_due, now_ms + 1), std::max(slice_due, now_ms + 1)});
    }
    wake_at(slot, next);
}

std::int64_t Partition::State::live_due(const Session& session) const noexcept {
    return session.live_row_ms + live_row_ms;
}

std::int64_t Partition::State::slice_due(const Session& session) const noexcept {
    return session.slice_ms + slice_ms;
}

void Partition::State::wake_at(Slot& slot, std::int64_t at_ms) {
    if (slot.wake_ms == at_ms) return;
    // A later wake than the queued one may wait for that one: it will look again.
    if (slot.wake_ms != 0 && slot.wake_ms <= at_ms) return;
    slot.wake_ms = at_ms;
    wakes.push({at_ms, slot.number});
}

void Partition::State::live_row(Slot& slot, std::int64_t now_ms, model::RowBlock& out) {
    Session& session = slot.session;
    out.live_sessions.push_back(std::move(measured.row));
    out.live_sessions.back().revision = ++session.live_revision;
    session.live_row_ms = now_ms;
    session.urgent = false;
}

void Partition::State::slices(Slot& slot, std::int64_t now_ms, model::RowBlock& out) {
    Session& session = slot.session;
    session.slice_ms = now_ms;
    for (const auto& [number, minute] : replace_packed(session.emitted, measured.minutes)) {
        model::SliceRow row;
        row.key = measured.row.key;
        row.minute_ms = number * Minutes::kMinuteMs;
        row.dimensions = measured.row.dimensions;
        row.tags = measured.row.tags;
        row.asn = measured.row.asn;
        row.is_live = measured.row.is_live;
        row.active_ms = minute.active_ms;
        row.present = minute.present;
        row.counters = minute.counters;
        out.slices.push_back(std::move(row));
    }
}

namespace {

void write_ads(const Measured& measured, std::uint32_t revision, std::int8_t sign,
               model::RowBlock& out) {
    for (const model::AdViewRow& ad : measured.ads) {
        out.ad_views.push_back(ad);
        out.ad_views.back().dimensions = measured.row.dimensions;
        out.ad_views.back().tags = measured.row.tags;
        out.ad_views.back().revision = revision;
        out.ad_views.back().sign = sign;
    }
}

/// What an earlier row said and is so no more is taken back by a row with the value negated.
void write_intervals(std::vector<model::EventRow>& before, std::vector<model::EventRow>& now,
                     model::RowBlock& out) {
    const auto equal = [](const model::EventRow& left, const model::EventRow& right) {
        return left.event_ms == right.event_ms && left.value == right.value &&
               left.name == right.name;
    };
    const auto lacks = [&](const std::vector<model::EventRow>& list, const model::EventRow& row) {
        return std::none_of(list.begin(), list.end(),
                            [&](const auto& other) { return equal(other, row); });
    };
    for (model::EventRow& row : before) {
        if (!lacks(now, row)) continue;
        out.events.push_back(row);
        out.events.back().value = -row.value;
    }
    for (model::EventRow& row : now) {
        if (lacks(before, row)) out.events.push_back(row);
    }
}

}  // namespace

void Partition::State::close(Slot& slot, std::int64_t now_ms, model::RowBlock& out) {
    Session& session = slot.session;
    std::vector<model::EventRow> before;
    if (slot.revoked) {
        measure(*slot.revoked, options, true, measured);
        write_ads(measured, session.revision, -1, out);
        out.sessions.push_back(std::move(measured.row));
        out.sessions.back().revision = session.revision;
        out.sessions.back().sign = -1;
        slot.revoked.reset();
        before.swap(measured.intervals);
    }
    measure(session, options, true, measured);
    write_intervals(before, measured.intervals, out);
    slices(slot, now_ms, out);
    ++session.revision;
    write_ads(measured, session.revision, 1, out);
    out.sessions.push_back(measured.row);
    out.sessions.back().revision = session.revision;
    out.sessions.back().sign = 1;
    live_row(slot, now_ms, out);
    out.live_sessions.back().closed = true;
    session.shrink();
    session.closed = true;
    session.closed_ms = now_ms;
    session.dirty = false;
    slot.wake_ms = 0;
    closed.emplace_back(now_ms, slot.number);
    ++closed_count;
}

void Partition::State::forget(std::int64_t now_ms) {
    while (!closed.empty()) {
        const auto [at_ms, number] = closed.front();
        const auto found = slots.find(number);
        // Reopened since, or closed again later: not this entry's business.
        const bool valid = found != slots.end() && found->second->session.closed &&
                           found->second->session.closed_ms == at_ms;
        if (valid && now_ms < at_ms + options.reopen_ms && closed_count <= options.closed_max) {
            return;
        }
        closed.pop_front();
        if (!valid) continue;
        if (now_ms < at_ms + options.reopen_ms) ++stats.evicted;
        stats.refused_records += found->second->session.refused;
        keys.erase(found->second.get());
        slots.erase(found);
        --closed_count;
    }
}

}  // namespace playhead::timeline
