#include "importers/session_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <unordered_set>

#include "base/hash.h"
#include "importers/session_fields.h"
#include "query/sql.h"
#include "store/rows.h"

namespace playhead::importers {

namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kDayS = 86'400;
/// Ids in one statement.
constexpr std::size_t kIdsAtOnce = 1'000;
/// Rows of minutes in one block.
constexpr std::size_t kSlicesAtOnce = 100'000;

/// The same rows, the same token.
std::uint64_t content_hash(const std::vector<model::SessionRow>& rows) {
    std::uint64_t hash = 1;
    for (const model::SessionRow& row : rows) {
        hash = stable_hash(row.key.session_id, hash);
        hash =
            stable_hash({reinterpret_cast<const char*>(&row.counters), sizeof row.counters}, hash);
        const std::array<std::int64_t, 2> times{row.start_ms, row.end_ms};
        hash = stable_hash({reinterpret_cast<const char*>(times.data()), sizeof times}, hash);
    }
    return hash;
}

}  // namespace

Result<void> SessionWriter::leave_out_known(std::vector<model::SessionRow>& rows) const {
    std::unordered_set<std::string> known;
    for (std::size_t at = 0; at < rows.size(); at += kIdsAtOnce) {
        const std::size_t end = std::min(at + kIdsAtOnce, rows.size());
        std::vector<std::string> ids;
        ids.reserve(end - at);
        std::int64_t first = rows[at].start_ms;
        std::int64_t last = first;
        for (std::size_t index = at; index < end; ++index) {
            ids.push_back(rows[index].key.session_id);
            first = std::min(first, rows[index].start_ms);
            last = std::max(last, rows[index].start_ms);
        }
        query::SqlParameters parameters(customer_id_);
        store::Statement statement;
        // A day more on either side: sources round times.
        statement.sql = "SELECT DISTINCT sessionid " + query::scope("sessions", true) +
                        " AND start_time >= " + parameters.time(first / 1000 - kDayS) +
                        " AND start_time < " + parameters.time(last / 1000 + kDayS) +
                        " AND sessionid IN {ids:Array(String)}";
        statement.parameters = parameters.take();
        statement.parameters.push_back({"ids", store::array_literal(ids), true});
        auto found = store_.query(statement, {});
        if (!found) return fail(found.error());
        for (const auto& row : found->rows) {
            if (const auto* id = std::get_if<std::string>(&row.front())) known.insert(*id);
        }
    }
    std::erase_if(rows, [&](const model::SessionRow& row) {
        return !known.insert(row.key.session_id).second;
    });
    return {};
}

Result<void> SessionWriter::write_day(std::vector<model::SessionRow>& rows, WriteReport& report) {
    const std::size_t given = rows.size();
    if (auto left = leave_out_known(rows); !left) return left;
    report.there_already += given - rows.size();
    if (rows.empty()) return {};
    const std::string token = fmt::format("import:{}:{:016x}", customer_id_, content_hash(rows));
    // By day: one block is one part, which is there as a whole or not at all.
    std::map<std::int64_t, store::ColumnBatch> minutes;
    std::size_t number = 0;
    const auto flush = [&](store::ColumnBatch& batch) {
        auto done = store_.insert(batch, fmt::format("{}:{}", token, number++));
        batch = store::batch_of(store::Table::Slices);
        return done;
    };
    for (const model::SessionRow& row : rows) {
        for (const model::SliceRow& slice : slices_of(row)) {
            auto& batch =
                minutes.try_emplace(slice.minute_ms / kDayMs, store::batch_of(store::Table::Slices))
                    .first->second;
            store::append(batch, slice);
            if (batch.rows() < kSlicesAtOnce) continue;
            if (auto done = flush(batch); !done) return done;
        }
    }
    for (auto& [day, batch] : minutes) {
        if (auto done = flush(batch); !done) return done;
    }
    store::ColumnBatch batch = store::batch_of(store::Table::Sessions);
    for (const model::SessionRow& row : rows) store::append_session(batch, row);
    if (auto done = store_.insert(batch, token); !done) return done;
    report.written += rows.size();
    return {};
}

Result<WriteReport> SessionWriter::write(std::vector<model::SessionRow> rows) {
    WriteReport report;
    std::map<std::int64_t, std::vector<model::SessionRow>> days;
    for (model::SessionRow& row : rows) {
        row.key.customer_id = customer_id_;
        auto& day = days[row.start_ms / kDayMs];
        day.push_back(std::move(row));
        if (day.size() < kSessionsAtOnce) continue;
        if (auto written = write_day(day, report); !written) return fail(written.error());
        day.clear();
    }
    for (auto& [day, day_rows] : days) {
        if (auto written = write_day(day_rows, report); !written) return fail(written.error());
    }
    return report;
}

}  // namespace playhead::importers
