// Snapshot format 3 (2 had no entry of a session): magic, version, CRC-32C of the rest, the names
// of dimensions and columns (so that both lists may grow), then the partition. Measured rows are
// not stored: they follow from the state.
#include <algorithm>
#include <array>
#include <optional>

#include "base/hash.h"
#include "timeline/archive.h"
#include "timeline/partition_state.h"

namespace playhead::timeline {
namespace {

constexpr std::string_view kMagic = "PHTL";
constexpr std::uint32_t kVersion = 3;
constexpr std::uint32_t kVersionMin = 2;
constexpr std::uint32_t kEntrySince = 3;
constexpr std::size_t kHeaderBytes = 12;

constexpr std::array kHiddenNames{
#define PLAYHEAD_NAME(name) std::string_view("." #name),
    PLAYHEAD_HIDDEN_COLUMNS(PLAYHEAD_NAME)
#undef PLAYHEAD_NAME
};

std::vector<std::string> column_names() {
    std::vector<std::string> names;
    names.reserve(model::kCounterColumns.size() + kHiddenNames.size());
    for (const auto& column : model::kCounterColumns) names.emplace_back(column.name);
    names.insert(names.end(), kHiddenNames.begin(), kHiddenNames.end());
    return names;
}

std::vector<std::string> dimension_names() {
    return {model::kDimensionNames.begin(), model::kDimensionNames.end()};
}

/// Where a stored number of a column or dimension is now; nullopt for one that is gone.
struct Renumbering {
    std::vector<std::optional<std::uint8_t>> columns, dimensions;
    bool same_columns = true;
};

std::vector<std::optional<std::uint8_t>> renumber(const std::vector<std::string>& stored,
                                                  const std::vector<std::string>& now) {
    std::vector<std::optional<std::uint8_t>> out;
    for (const std::string& name : stored) {
        const auto found = std::find(now.begin(), now.end(), name);
        out.push_back(found == now.end()
                          ? std::nullopt
                          : std::optional(static_cast<std::uint8_t>(found - now.begin())));
    }
    return out;
}

}  // namespace

// Found by argument-dependent lookup, so not in the unnamed namespace.
template <class Archive>
void io(Archive& archive, Stated& stated) {
    io_all(archive, stated.time_ms, stated.value);
}

template <class Archive>
void io(Archive& archive, AdText& text) {
    io_all(archive, text.id, text.title, text.client, text.system, text.position, text.creative_id,
           text.creative_type, text.resolution, text.linear, text.error_code, text.error_message,
           text.duration_s, text.pod_index, text.pod_position, text.is_bumper);
}

/// Entries say where in the text after them their value is.
template <class Archive>
void io(Archive& archive, Attributes& attributes) {
    struct Place {
        std::uint32_t offset = 0;
        std::uint16_t length = 0;
    };
    std::string text;
    std::vector<Place> places;
    io_list(archive, attributes.entries, [&](Attributes::Entry& entry) {
        const std::string_view value = entry.text.view();
        Place place{static_cast<std::uint32_t>(text.size()),
                    static_cast<std::uint16_t>(value.size())};
        text.append(value);
        std::int64_t time_ms = entry.time_ms;
        io_all(archive, time_ms, place.offset, place.length, entry.dimension, entry.source);
        entry.time_ms = time_ms;
        places.push_back(place);
    });
    if constexpr (Archive::kReading) text.clear();
    io(archive, text);
    if constexpr (Archive::kReading) {
        for (std::size_t index = 0; index < places.size(); ++index) {
            const Place& place = places[index];
            if (std::uint64_t{place.offset} + place.length > text.size()) {
                archive.damage();
                break;
            }
            attributes.entries[index].text =
                attributes.pool().share(std::string_view(text).substr(place.offset, place.length));
        }
    }
    io_list(archive, attributes.tags, [&](Attributes::TagEntry& tag) {
        io(archive, tag.time_ms);
        for (SharedText* part : {&tag.name, &tag.value}) {
            std::string characters(part->view());
            io(archive, characters);
            if constexpr (Archive::kReading) *part = attributes.pool().share(characters);
        }
    });
}

/// Of a session that an earlier format has: its START came, but not where it was.
Entry unknown_entry(const Session& session) {
    const auto start = std::find_if(session.marks.begin(), session.marks.end(),
                                    [](const Mark& mark) { return mark.kind == MarkKind::Start; });
    return start == session.marks.end() ? Entry{} : Entry{start->time_ms, model::kEntryNotNoted};
}

template <class Archive>
void io(Archive& archive, Session& session) {
    io_all(archive, session.customer_id, session.session_id, session.protocol, session.smartsight,
           session.cmcd_events, session.cmcd_requests, session.clock_rejected, session.is_live,
           session.first_receive_ms, session.first_timed_receive_ms, session.first_client_ms,
           session.last_receive_ms, session.offset_ms, session.anchor_ms, session.own_first_ms,
           session.own_last_ms, session.request_first_ms, session.request_last_ms,
           session.last_stats_ms, session.previous_stats_ms, session.play_anchor_ms,
           session.first_media_ms, session.interval_ms, session.played_max_s,
           session.startup_delay_ms, session.top_kbps, session.position, session.duration,
           session.attributes, session.asn, session.latitude, session.longitude, session.refused,
           session.emitted, session.revision, session.live_revision, session.live_row_ms,
           session.slice_ms, session.closed_ms, session.closed, session.dirty, session.urgent);
    io_list(archive, session.marks, [&](Mark& mark) {
        io_all(archive, mark.time_ms, mark.value, mark.order, mark.kind, mark.aux);
    });
    if (archive.version >= kEntrySince) {
        io_all(archive, session.entry.time_ms, session.entry.position_s);
    } else {
        session.entry = unknown_entry(session);
    }
    auto cells = session.cells.list();
    io_list(archive, cells,
            [&](Cell& cell) { io_all(archive, cell.minute, cell.column, cell.value); });
    if constexpr (Archive::kReading) session.cells.assign(std::move(cells));
    io_list(archive, session.seen, [&](SeenMark& mark) {
        std::uint64_t identity = identity_of(mark);
        io(archive, identity);
        if constexpr (Archive::kReading) mark = seen_mark_of(identity);
    });
    io_list(archive, session.streams, [&](Stream& stream) {
        io(archive, stream.target);
        io_list(archive, stream.numbers.intervals,
                [&](auto& interval) { io_all(archive, interval.first, interval.second); });
    });
    io_list(archive, session.ad_texts, [&](AdText& text) { io(archive, text); });
}

template <class Archive>
void io_pairs(Archive& archive, model::Tags& tags) {
    io_list(archive, tags, [&](auto& tag) { io_all(archive, tag.first, tag.second); });
}

template <class Archive>
void io(Archive& archive, model::EventRow& row) {
    io_all(archive, row.key.customer_id, row.key.session_id, row.event_ms, row.receive_ms, row.name,
           row.kind, row.severity, row.phase, row.position_s, row.value, row.error_code,
           row.error_message, row.error_fingerprint, row.text);
}

template <class Archive>
void io(Archive& archive, model::AppEventRow& row) {
    io_all(archive, row.key.customer_id, row.key.session_id, row.event_ms, row.receive_ms, row.name,
           row.event_type, row.screen, row.subscriber_id, row.subscriber_type, row.subscriber_tag,
           row.device_id, row.device_type, row.app_name, row.app_version, row.sdk_version,
           row.platform, row.os_version, row.browser, row.country, row.region, row.city,
           row.ip_address, row.profile_id, row.referral_id, row.is_graceful);
    io_pairs(archive, row.data);
    io_pairs(archive, row.tags);
}

template <class Archive>
void io(Archive& archive, Stats& stats) {
    io_all(archive, stats.records, stats.repeats, stats.refused_records, stats.refused_sessions,
           stats.reopened, stats.evicted);
}

/// A session as it was before late records re-opened it: its rows follow from that.
template <class Archive>
void io_slot(Archive& archive, Slot& slot) {
    io_all(archive, slot.session, slot.wake_ms, slot.queued);
    bool revoked = slot.revoked != nullptr;
    io(archive, revoked);
    if (!revoked) return;
    if constexpr (Archive::kReading)
        slot.revoked = std::make_unique<Session>(slot.session.attributes.pool());
    io(archive, *slot.revoked);
}

namespace {

bool apply_numbers(Session& session, const Renumbering& numbers) {
    for (Attributes::Entry& entry : session.attributes.entries) {
        const auto stored = static_cast<std::size_t>(entry.dimension);
        if (stored >= numbers.dimensions.size()) return false;
        // A dimension that is gone: an empty value is never shown.
        if (!numbers.dimensions[stored]) entry.text = {};
        entry.dimension = static_cast<model::Dimension>(numbers.dimensions[stored].value_or(0));
    }
    std::erase_if(session.attributes.entries,
                  [](const auto& entry) { return entry.text.view().empty(); });
    auto cells = session.cells.list();
    for (Cell& cell : cells) {
        const auto stored = static_cast<std::size_t>(cell.column);
        if (stored >= numbers.columns.size()) return false;
        cell.column = static_cast<Column>(
            numbers.columns[stored].value_or(static_cast<std::uint8_t>(Column::End)));
    }
    std::erase_if(cells, [](const Cell& cell) { return cell.column == Column::End; });
    session.cells.assign(std::move(cells));
    return repack(session.emitted, numbers.columns);
}

}  // namespace

std::string Partition::snapshot() const {
    Writer writer;
    writer.version = kVersion;
    auto columns = column_names();
    auto dimensions = dimension_names();
    io_list(writer, columns, [&](std::string& name) { io(writer, name); });
    io_list(writer, dimensions, [&](std::string& name) { io(writer, name); });
    State& state = *state_;
    io_all(writer, state.next_number, state.stats);
    std::vector<std::uint64_t> numbers;
    for (const auto& [number, slot] : state.slots) numbers.push_back(number);
    std::sort(numbers.begin(), numbers.end());
    io_list(writer, numbers, [&](std::uint64_t& number) {
        io(writer, number);
        io_slot(writer, *state.slots.find(number)->second);
    });
    std::vector<std::pair<std::int64_t, std::uint64_t>> closed(state.closed.begin(),
                                                               state.closed.end());
    io_list(writer, closed, [&](auto& entry) { io_all(writer, entry.first, entry.second); });
    io_list(writer, state.events, [&](model::EventRow& row) { io(writer, row); });
    io_list(writer, state.app_events, [&](model::AppEventRow& row) { io(writer, row); });
    std::vector<std::uint64_t> seen(state.application_order.begin(), state.application_order.end());
    io_list(writer, seen, [&](std::uint64_t& identity) { io(writer, identity); });
    Writer header;
    header.raw(kMagic.data(), kMagic.size());
    std::uint32_t version = kVersion;
    std::uint32_t crc = crc32c(writer.out.data(), writer.out.size());
    io_all(header, version, crc);
    return header.out + writer.out;
}

Result<void> Partition::restore(std::string_view snapshot) {
    const auto damaged = [](const std::string& what) {
        return fail(ErrorCode::InvalidArgument, "timeline snapshot: " + what);
    };
    if (snapshot.size() < kHeaderBytes || snapshot.substr(0, 4) != kMagic) {
        return damaged("not a snapshot");
    }
    Reader header(snapshot.substr(4, kHeaderBytes - 4));
    std::uint32_t version = 0, crc = 0;
    io_all(header, version, crc);
    if (version < kVersionMin || version > kVersion) {
        return damaged("version " + std::to_string(version) + " is not known");
    }
    const std::string_view body = snapshot.substr(kHeaderBytes);
    if (crc32c(body.data(), body.size()) != crc) return damaged("checksum differs");
    Reader reader(body);
    reader.version = version;
    std::vector<std::string> columns, dimensions;
    io_list(reader, columns, [&](std::string& name) { io(reader, name); });
    io_list(reader, dimensions, [&](std::string& name) { io(reader, name); });
    const Renumbering renumbering{renumber(columns, column_names()),
                                  renumber(dimensions, dimension_names())};
    auto state = std::make_unique<State>(state_->options);
    io_all(reader, state->next_number, state->stats);
    std::vector<std::uint64_t> numbers;
    bool sound = true;
    io_list(reader, numbers, [&](std::uint64_t& number) {
        io(reader, number);
        auto slot = std::make_unique<Slot>(state->texts);
        slot->number = number;
        io_slot(reader, *slot);
        sound = sound && apply_numbers(slot->session, renumbering);
        if (slot->revoked) sound = sound && apply_numbers(*slot->revoked, renumbering);
        state->closed_count += slot->session.closed ? 1 : 0;
        if (slot->wake_ms != 0) state->wakes.push({slot->wake_ms, number});
        if (slot->queued) state->touched.push_back(slot.get());
        // Numbers and keys are unique in what was written; what else a file says is damage.
        sound = sound && !state->slots.contains(number) && state->keys.insert(slot.get()).second;
        if (sound) state->slots.emplace(number, std::move(slot));
    });
    std::vector<std::pair<std::int64_t, std::uint64_t>> closed;
    io_list(reader, closed, [&](auto& entry) { io_all(reader, entry.first, entry.second); });
    state->closed.assign(closed.begin(), closed.end());
    io_list(reader, state->events, [&](model::EventRow& row) { io(reader, row); });
    io_list(reader, state->app_events, [&](model::AppEventRow& row) { io(reader, row); });
    std::vector<std::uint64_t> seen;
    io_list(reader, seen, [&](std::uint64_t& identity) { io(reader, identity); });
    state->application_order.assign(seen.begin(), seen.end());
    state->application_seen.insert(seen.begin(), seen.end());
    if (!reader.ok() || reader.left() != 0 || !sound) return damaged("contents are not sound");
    state_ = std::move(state);
    return {};
}

}  // namespace playhead::timeline
