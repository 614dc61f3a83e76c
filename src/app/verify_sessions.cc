#include "app/verify_sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace playhead::app {

namespace {

using model::AdditiveCounters;
using model::Dimension;
using simulator::Wire;

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kMinuteMs = 60'000;
/// Sessions per statement: an answer is held in memory.
constexpr std::uint64_t kSessionsPerPart = 5'000;

std::int64_t floor_to(std::int64_t value, std::int64_t step) {
    return value - value % step;
}

std::string counter_list(const char* prefix, const char* suffix) {
    std::string out;
    for (const auto& column : model::kCounterColumns) {
        out += fmt::format(", {}{}{} AS {}", prefix, column.name, suffix, column.name);
    }
    return out;
}

/// The hours of a session with the truth's counters.
std::map<std::int64_t, HourPart> hours_of(const simulator::World& world,
                                          const simulator::Playback& playback) {
    std::map<std::int64_t, HourPart> hours;
    const std::int64_t end = std::max(playback.end_ms, playback.start_ms + 1);
    const std::int64_t last = floor_to(end, kHourMs) / kHourMs;
    for (auto number = floor_to(playback.start_ms, kHourMs) / kHourMs; number <= last; ++number) {
        const std::int64_t hour = number * kHourMs;
        HourPart& part = hours[hour];
        part.counters = simulator::count_range(world, playback, hour, hour + kHourMs);
        const std::int64_t from = std::max(playback.start_ms, hour);
        const std::int64_t until = std::min(end, hour + kHourMs);
        if (from >= until) continue;
        part.active_ms = until - from;
        part.present = (until - 1) / kMinuteMs - from / kMinuteMs + 1;
    }
    return hours;
}

/// What the server learns from the network or the user agent, which the truth does not state, or
/// needs a place database, which `verify` runs without.
bool from_the_player(Dimension dimension) {
    switch (dimension) {
        case Dimension::Country:
        case Dimension::Continent:
        case Dimension::Region:
        case Dimension::City:
        case Dimension::Isp: return false;
        default: return true;
    }
}

/// Whether the wire tells when the session began and ended. Request mode has no session: only what
/// was asked for.
bool times_known(const ExpectedSession& session) {
    return session.wire != Wire::CmcdQuery;
}

bool end_known(const ExpectedSession& session) {
    if (!times_known(session)) return false;
    // SmartSight says nothing when a viewer leaves before the first frame.
    return session.wire == Wire::CmcdEvent || session.view_status != "EXITED";
}

}  // namespace

std::int64_t tolerance_of(Wire wire, std::string_view field, const AdditiveCounters& truth) {
    // The SDKs count the wait of a seek from its BUFFERING event, 1 ms after the SEEK.
    const bool smartsight = wire == Wire::Compact || wire == Wire::Long;
    return smartsight && field == "seek_stall_ms" ? truth.seek_stall_count : 0;
}

void Differences::add(const std::string& kind, std::string text) {
    ++count_;
    if (shown_.size() >= kShownMax || ++kinds_[kind] > kShownPerKindMax) return;
    shown_.push_back(std::move(text));
}

/// A row of an answer by column name.
struct SessionVerifier::Cells {
    const std::unordered_map<std::string, std::size_t>& columns;
    const std::vector<store::Cell>& row;

    const store::Cell& at(const std::string& name) const { return row[columns.at(name)]; }
    std::int64_t integer(const std::string& name) const {
        const store::Cell& cell = at(name);
        if (const auto* value = std::get_if<std::int64_t>(&cell)) return *value;
        if (const auto* value = std::get_if<std::uint64_t>(&cell)) {
            return static_cast<std::int64_t>(*value);
        }
        return std::llround(number(name));
    }
    double number(const std::string& name) const {
        const store::Cell& cell = at(name);
        if (const auto* value = std::get_if<double>(&cell)) return *value;
        if (const auto* value = std::get_if<std::int64_t>(&cell)) {
            return static_cast<double>(*value);
        }
        if (const auto* value = std::get_if<std::uint64_t>(&cell)) {
            return static_cast<double>(*value);
        }
        return 0;
    }
    std::string text(const std::string& name) const {
        const auto* value = std::get_if<std::string>(&at(name));
        return value == nullptr ? std::string() : *value;
    }
    AdditiveCounters counters() const {
        AdditiveCounters out;
        for (const auto& column : model::kCounterColumns) out.*column.field = integer(column.name);
        return out;
    }
};

void SessionVerifier::expect(const simulator::Truth& truth) {
    ExpectedSession session;
    session.session_id = truth.session_id;
    session.wire = truth.wire;
    session.view_status = model::name_of(truth.status);
    session.start_ms = truth.start_ms;
    session.end_ms = truth.end_ms;
    session.first_frame_ms = truth.first_frame_ms;
    session.startup_ms = truth.startup_ms;
    session.is_live = truth.is_live;
    session.dimensions = truth.dimensions;
    session.counters = truth.counters;
    session.hours = hours_of(world_, truth.playback);
    application_events_ += truth.application_events;
    index_.emplace(session.session_id, expected_.size());
    comparable_.push_back(truth.comparable);
    expected_.push_back(std::move(session));
}

void SessionVerifier::field(const ExpectedSession& session, const std::string& name,
                            std::int64_t truth, std::int64_t stored, std::int64_t tolerance) {
    FieldSummary& summary = fields_[name];
    ++summary.compared;
    summary.tolerance = std::max(summary.tolerance, tolerance);
    if (truth == stored) return;
    const std::int64_t distance = std::abs(truth - stored);
    summary.largest = std::max(summary.largest, distance);
    if (distance <= tolerance) return;
    differs(summary, session, name, std::to_string(stored), std::to_string(truth));
}

void SessionVerifier::text_field(const ExpectedSession& session, const std::string& name,
                                 const std::string& truth, const std::string& stored) {
    FieldSummary& summary = fields_[name];
    ++summary.compared;
    if (truth == stored) return;
    differs(summary, session, name, "'" + stored + "'", "'" + truth + "'");
}

void SessionVerifier::differs(FieldSummary& summary, const ExpectedSession& session,
                              const std::string& name, const std::string& stored,
                              const std::string& truth) {
    ++summary.differing;
    ++summary.differing_by_wire[static_cast<std::size_t>(session.wire)];
    differences_.add(fmt::format("{} {}", simulator::name_of(session.wire), name),
                     fmt::format("session {} ({}): {} is {}, truth {}", session.session_id,
                                 simulator::name_of(session.wire), name, stored, truth));
}

Result<store::ResultTable> SessionVerifier::ask(store::Store& store, const std::string& sql) const {
    return store.query({sql, {{"customer", std::to_string(customer_id_), false}}}, {});
}

Result<void> SessionVerifier::compare(store::Store& store) {
    stored_.resize(expected_.size());
    seen_.assign(expected_.size(), false);
    const std::uint64_t parts = expected_.size() / kSessionsPerPart + 1;
    for (std::uint64_t part = 0; part < parts; ++part) {
        if (auto done = compare_part(store, part, parts); !done) return done;
    }
    for (std::size_t index = 0; index < expected_.size(); ++index) {
        if (seen_[index]) {
            close_session(index);
        } else if (expected_[index].counters.beacons > 0) {
            differences_.add("missing",
                             fmt::format("session {} ({}) is missing", expected_[index].session_id,
                                         simulator::name_of(expected_[index].wire)));
        }
    }
    // Those that never sent anything cannot be known.
    for (std::size_t index = expected_.size(); index-- > 0;) {
        if (!seen_[index]) expected_.erase(expected_.begin() + static_cast<std::ptrdiff_t>(index));
    }
    return compare_rest(store);
}

Result<void> SessionVerifier::compare_part(store::Store& store, std::uint64_t part,
                                           std::uint64_t parts) {
    std::string dimensions;
    for (const auto name : model::kDimensionNames) dimensions += fmt::format(", {}", name);
    const std::string where = fmt::format(
        "WHERE customerid = {{customer:UInt64}} AND cityHash64(sessionid) % {} = {}", parts, part);
    const std::string sessions = fmt::format(
        "SELECT sessionid, viewstatus, toUnixTimestamp64Milli(start_time) AS start_ms, "
        "toUnixTimestamp64Milli(end_time) AS end_ms, "
        "toUnixTimestamp64Milli(first_frame_time) AS first_frame_ms, startup_ms, ad_startup_ms, "
        "duration_s, progress_percent, score, score_lost_startup, score_lost_stalls, "
        "score_lost_quality, score_lost_failure, islive, asn{}{} FROM sessions FINAL {}",
        dimensions, counter_list("", ""), where);
    const std::string hours = fmt::format(
        "SELECT sessionid, toUnixTimestamp(toStartOfHour(minute_time)) * 1000 AS hour_ms, "
        "sum(active_ms) AS active, sum(present) AS present{} FROM slices AS src {} "
        "GROUP BY sessionid, hour_ms",
        counter_list("sum(src.", ")"), where);
    for (const auto& [sql, take] : {std::pair(sessions, &SessionVerifier::take_session),
                                    std::pair(hours, &SessionVerifier::take_hour)}) {
        auto table = ask(store, sql);
        if (!table) return fail(table.error());
        std::unordered_map<std::string, std::size_t> columns;
        for (std::size_t at = 0; at < table->columns.size(); ++at) {
            columns.emplace(table->columns[at].name, at);
        }
        for (const auto& row : table->rows) (this->*take)(Cells{columns, row});
    }
    return {};
}

void SessionVerifier::take_session(const Cells& row) {
    const auto found = index_.find(row.text("sessionid"));
    if (found == index_.end()) {
        differences_.add("alien", fmt::format("session {} is in the store and not in the traffic",
                                              row.text("sessionid")));
        return;
    }
    const std::size_t index = found->second;
    ExpectedSession& session = expected_[index];
    if (seen_[index]) {
        differences_.add("two", fmt::format("session {} has two rows", session.session_id));
        return;
    }
    seen_[index] = true;
    if (times_known(session)) {
        text_field(session, "viewstatus", session.view_status, row.text("viewstatus"));
        field(session, "start", session.start_ms, row.integer("start_ms"), 0);
        field(session, "firstframe", session.first_frame_ms, row.integer("first_frame_ms"), 0);
        field(session, "startup_ms", session.startup_ms, row.integer("startup_ms"), 0);
        field(session, "islive", session.is_live ? 1 : 0, row.integer("islive"), 0);
    } else {
        session.view_status = row.text("viewstatus");
        session.start_ms = row.integer("start_ms");
        session.first_frame_ms = row.integer("first_frame_ms");
        session.startup_ms = row.integer("startup_ms");
        session.is_live = row.integer("islive") != 0;
    }
    if (end_known(session)) {
        field(session, "end", session.end_ms, row.integer("end_ms"), 0);
    } else {
        session.end_ms = row.integer("end_ms");
    }
    for (std::size_t at = 0; at < model::kDimensionCount; ++at) {
        const auto name = std::string(model::kDimensionNames[at]);
        const std::string stored = row.text(name);
        std::string& wanted = session.dimensions[at];
        if (!wanted.empty() && from_the_player(static_cast<Dimension>(at))) {
            text_field(session, name, wanted, stored);
        } else {
            wanted = stored;
        }
    }
    const AdditiveCounters stored = row.counters();
    stored_[index] = stored;
    const auto& comparable = comparable_[index];
    for (const auto& column : model::kCounterColumns) {
        std::int64_t& truth = session.counters.*column.field;
        if (std::find(comparable.begin(), comparable.end(), column.name) != comparable.end()) {
            const std::int64_t allowed = tolerance_of(session.wire, column.name, session.counters);
            field(session, column.name, truth, stored.*column.field, allowed);
            if (allowed == 0) continue;
        }
        // Not on the wire, or not to the millisecond: sums over sessions take what is stored.
        truth = stored.*column.field;
    }
    session.asn = static_cast<std::uint32_t>(row.integer("asn"));
    session.ad_startup_ms = row.integer("ad_startup_ms");
    session.duration_s = row.number("duration_s");
    session.progress_percent = row.number("progress_percent");
    session.score = row.number("score");
    session.lost_startup = row.number("score_lost_startup");
    session.lost_stalls = row.number("score_lost_stalls");
    session.lost_quality = row.number("score_lost_quality");
    session.lost_failure = row.number("score_lost_failure");
}

void SessionVerifier::take_hour(const Cells& row) {
    const auto found = index_.find(row.text("sessionid"));
    if (found == index_.end()) return;  // its row was reported
    const std::size_t index = found->second;
    ExpectedSession& session = expected_[index];
    const AdditiveCounters stored = row.counters();
    HourPart& hour = session.hours[row.integer("hour_ms")];
    if (!end_known(session)) {
        hour.active_ms = row.integer("active");
        hour.present = row.integer("present");
    } else {
        field(session, "slices active_ms", hour.active_ms, row.integer("active"), 0);
        field(session, "slices present", hour.present, row.integer("present"), 0);
    }
    const auto& comparable = comparable_[index];
    for (const auto& column : model::kCounterColumns) {
        std::int64_t& truth = hour.counters.*column.field;
        const std::string_view name = column.name;
        const bool compared =
            std::find(comparable.begin(), comparable.end(), name) != comparable.end() &&
            name != "beacons" && session.wire != Wire::CmcdQuery;
        if (compared) {
            const std::int64_t allowed = tolerance_of(session.wire, name, session.counters);
            field(session, fmt::format("slices {}", name), truth, stored.*column.field, allowed);
            if (allowed != 0) truth = stored.*column.field;
        } else {
            truth = stored.*column.field;
        }
        stored_[index].*column.field -= stored.*column.field;
    }
}

void SessionVerifier::close_session(std::size_t index) {
    const ExpectedSession& session = expected_[index];
    for (const auto& column : model::kCounterColumns) {
        field(session, "session minus its slices", 0, stored_[index].*column.field, 0);
    }
}

Result<void> SessionVerifier::compare_rest(store::Store& store) {
    const auto count = [&](const std::string& sql) -> Result<std::int64_t> {
        auto table = ask(store, sql);
        if (!table) return fail(table.error());
        const std::unordered_map<std::string, std::size_t> columns{{"n", 0}};
        return Cells{columns, table->rows.at(0)}.integer("n");
    };
    auto open = count(
        "SELECT count() AS n FROM live_sessions FINAL "
        "WHERE customerid = {customer:UInt64} AND closed = 0");
    if (!open) return fail(open.error());
    if (*open != 0) differences_.add("open", fmt::format("{} sessions are still open", *open));
    auto applications =
        count("SELECT count() AS n FROM app_events WHERE customerid = {customer:UInt64}");
    if (!applications) return fail(applications.error());
    FieldSummary& summary = fields_["application events"];
    ++summary.compared;
    if (*applications == static_cast<std::int64_t>(application_events_)) return {};
    ++summary.differing;
    differences_.add("application events", fmt::format("{} application events, truth {}",
                                                       *applications, application_events_));
    return {};
}

}  // namespace playhead::app
