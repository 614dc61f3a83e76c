#include "query/table_choice.h"

#include <algorithm>
#include <utility>

#include "query/error_rows.h"

namespace playhead::query {

namespace {

constexpr std::int64_t kHour_s = 3600;

std::int64_t ceil_to(std::int64_t value, std::int64_t step) {
    return (value + step - 1) / step * step;
}

/// Each table once, with all of its times. Single errors have a read of their own shape.
std::vector<TablePart> joined(std::vector<TablePart> parts) {
    std::vector<TablePart> out;
    for (auto& part : parts) {
        const auto same = std::find_if(out.begin(), out.end(), [&](const TablePart& other) {
            return other.table == part.table && other.source == part.source &&
                   part.source != Source::Errors;
        });
        if (same == out.end()) {
            out.push_back(std::move(part));
        } else {
            same->more.emplace_back(part.from_s, part.to_s);
        }
    }
    return out;
}

/// With fewer whole days there is little to save.
constexpr std::int64_t kWholeDaysMin = 2;

/// The part as up to three, of which the middle one is whole days: partitions are days, so it need
/// not read and compare the time of each row, which takes as long as summing three columns.
std::vector<TablePart> by_days(const TablePart& part) {
    // Partitions of ads are by start. Whole rows look for cancelled ones, in each part anew.
    // Sessions are mostly asked for by what an index finds: three searches cost more than one.
    const bool days =
        part.source == Source::Slices ||
        (part.source == Source::AdViews && part.time_column == "start_time" && !part.whole_rows);
    const Period period{part.from_s, part.to_s};
    const std::int64_t first_s = period.first_day() * kDay_s;
    const std::int64_t last_s = period.last_day() * kDay_s;
    if (!days || !part.more.empty() || last_s - first_s < kWholeDaysMin * kDay_s) return {part};
    std::vector<TablePart> out;
    const auto add = [&](std::int64_t from_s, std::int64_t to_s, bool whole) {
        if (from_s >= to_s) return;
        out.push_back(part);
        out.back().from_s = from_s;
        out.back().to_s = to_s;
        out.back().whole_days = whole;
    };
    add(part.from_s, first_s, false);
    add(first_s, last_s, true);
    add(last_s, part.to_s, false);
    return out;
}

}  // namespace

TablePart TableChoice::closed_part(std::int64_t from_s, std::int64_t to_s, bool whole_rows) const {
    return {Source::Sessions,
            "sessions",
            request_.started ? "start_time" : "end_time",
            from_s,
            to_s,
            whole_rows,
            false,
            false};
}

TablePart TableChoice::open_part() const {
    return {Source::Sessions,
            "live_sessions",
            request_.started ? "start_time" : "end_time",
            request_.period.start_s,
            request_.period.end_s,
            true,
            false,
            true};
}

/// Closed sessions from the hourly rollup, with raw rows at edges that are not on the hour.
void TableChoice::add_sessions(const Piece& piece, const Period& period,
                               std::vector<TablePart>& out) {
    const bool whole_rows = piece.kind() == PieceKind::Rows;
    const auto raw = [&](std::int64_t from_s, std::int64_t to_s) {
        if (from_s < to_s) out.push_back(closed_part(from_s, to_s, whole_rows));
    };
    const std::int64_t first_s = ceil_to(period.start_s, kHour_s);
    const std::int64_t last_s = period.end_s / kHour_s * kHour_s;
    if (piece.rollup_possible(dictionary_) && last_s - first_s >= 2 * kHour_s) {
        const std::string table = request_.started ? "sessions_hour" : "sessions_hour_end";
        raw(period.start_s, first_s);
        out.push_back({Source::Sessions, table, "hour_time", first_s, last_s, false, true, false});
        raw(last_s, period.end_s);
        plan_.because("sums from the hourly rollup; rows of sessions only at the edges");
    } else {
        raw(period.start_s, period.end_s);
        plan_.because(whole_rows ? "uniques, percentiles and attributes from rows of sessions"
                                 : "rows of sessions: a column, dimension, filter or bucket is not "
                                   "in the rollup");
    }
}

/// Single errors, and the attempts they are set against.
void TableChoice::add_errors(const Piece& piece, const Period& period,
                             std::vector<TablePart>& out) {
    out.push_back({Source::Errors, "events", "event_time", period.start_s, period.end_s, false,
                   false, false});
    plan_.reads(kFailedSlices);
    plan_.because("events: single errors, with what is known of their sessions");
    if (!piece.needs_attempts()) return;
    const bool rollup = piece.attempts_from_rollup();
    out.push_back({Source::Slices, rollup ? "slices_minute" : "slices", "minute_time",
                   period.start_s, period.end_s, false, rollup, false});
}

/// What the days of a piece are made from: one table, without its times.
TablePart TableChoice::day_part(const Piece& piece) const {
    const bool rows = piece.kind() == PieceKind::Rows;
    const bool rollup = piece.rollup_possible(dictionary_);
    const char* time = request_.started ? "start_time" : "end_time";
    if (piece.source() == Source::AdViews) {
        return {Source::AdViews, "ad_views", time, 0, 0, rows, false, false};
    }
    if (piece.source() == Source::Slices) {
        return {
            Source::Slices, rollup ? "slices_minute" : "slices", "minute_time", 0, 0, false, rollup,
            false};
    }
    if (!rollup) return closed_part(0, 0, rows);
    const char* table = request_.started ? "sessions_hour" : "sessions_hour_end";
    return {Source::Sessions, table, "hour_time", 0, 0, false, true, false};
}

/// The kept days that stand; notes a wish for those that do not.
Result<std::vector<KeptRange>> TableChoice::days_of(const Piece& piece) {
    // Single errors are set against the attempts of the whole period.
    if (days_ == nullptr || piece.source() == Source::Errors) return std::vector<KeptRange>{};
    const auto part = day_part(piece);
    auto recipe = piece.recipe(part, customer_id_);
    if (!recipe) return fail(recipe.error());
    const std::int64_t first = request_.period.first_day();
    const std::int64_t last = request_.period.last_day();
    auto kept = days_->find(customer_id_, *recipe, first, last);
    std::int64_t count = 0;
    for (const auto& range : kept) count += range.to_day - range.from_day;
    if (count < last - first) plan_.wishes.push_back({std::move(*recipe), first, last});
    if (count == 0) return kept;
    plan_.from_days = true;
    plan_.because("days that are over from their kept sums");
    // Rows behind the days count for what an answer reaches.
    plan_.reads(part.table);
    plan_.reads(kKeptDaysTable);
    return kept;
}

/// The tables of a piece where no kept days are.
std::vector<TablePart> TableChoice::of(const Piece& piece, const std::vector<KeptRange>& kept) {
    std::vector<TablePart> out;
    Period gap = request_.period;
    for (const auto& range : kept) {
        gap.end_s = range.from_day * kDay_s;
        if (gap.start_s < gap.end_s) add_tables(piece, gap, out);
        gap.start_s = range.to_day * kDay_s;
    }
    gap.end_s = request_.period.end_s;
    if (gap.start_s < gap.end_s) add_tables(piece, gap, out);
    if (piece.source() == Source::Sessions) out.push_back(open_part());
    std::vector<TablePart> parts;
    for (const auto& table : joined(std::move(out))) {
        for (auto& part : by_days(table)) parts.push_back(std::move(part));
    }
    return parts;
}

void TableChoice::add_tables(const Piece& piece, const Period& period,
                             std::vector<TablePart>& out) {
    const auto source = piece.source();
    if (source == Source::Sessions) {
        add_sessions(piece, period, out);
    } else if (source == Source::Slices) {
        const bool rollup = piece.rollup_possible(dictionary_);
        out.push_back({source, rollup ? "slices_minute" : "slices", "minute_time", period.start_s,
                       period.end_s, false, rollup, false});
        plan_.because(rollup ? "the rollup by minute has every column"
                             : "slices: what happened inside the range");
    } else if (source == Source::Errors) {
        add_errors(piece, period, out);
    } else {
        out.push_back({source, "ad_views", request_.started ? "start_time" : "end_time",
                       period.start_s, period.end_s, piece.kind() == PieceKind::Rows, false,
                       false});
        plan_.because("ad_views: figures of single ads");
    }
}

}  // namespace playhead::query
