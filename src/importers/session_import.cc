#include "importers/session_import.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "enrich/address.h"
#include "importers/log_time.h"

namespace playhead::importers {

namespace {

Result<SessionDraft> session_of(const std::vector<std::string>& fields, const Mapping& mapping,
                                const SessionRun& run) {
    auto draft = mapping.apply(fields);
    if (!draft) return draft;
    if (auto done = finish_session(*draft, mapping.known()); !done) return fail(done.error());
    auto& address = draft->row.dimensions[model::index_of(model::Dimension::IpAddress)];
    const auto parsed = enrich::IpAddress::parse(address);
    address = parsed ? enrich::stored_address(*parsed, run.address_policy) : std::string();
    draft->row.tags.emplace_back("import", "file");
    return draft;
}

void show(std::string& out, const model::SessionRow& row) {
    const auto add = [&](std::string_view name, const auto& value) {
        out += fmt::format("  {}: {}\n", name, value);
    };
    out += fmt::format("{}\n", row.key.session_id);
    add("viewstatus", model::name_of(row.status));
    add("start_time", iso_text(row.start_ms));
    add("end_time", iso_text(row.end_ms));
    if (row.first_frame_ms > 0) add("first_frame_time", iso_text(row.first_frame_ms));
    if (row.startup_ms >= 0) add("startup_ms", row.startup_ms);
    if (row.progress_percent >= 0) add("progress_percent", row.progress_percent);
    if (row.score >= 0) add("score", row.score);
    for (const auto& counter : model::kCounterColumns) {
        const std::int64_t value = row.counters.*counter.field;
        if (value != 0) add(counter.name, value);
    }
    for (std::size_t index = 0; index < model::kDimensionCount; ++index) {
        if (!row.dimensions[index].empty())
            add(model::kDimensionNames[index], row.dimensions[index]);
    }
    for (const auto& [name, value] : row.tags) add("tag." + name, value);
}

}  // namespace

Result<WriteReport> import_sessions(SessionTable& table, const std::string& name,
                                    const Mapping& mapping, const SessionRun& run,
                                    SessionWriter& writer, Tally& tally,
                                    const std::function<void()>& progress) {
    WriteReport report;
    std::vector<model::SessionRow> rows;
    const auto flush = [&]() -> Result<void> {
        auto written = writer.write(std::move(rows));
        rows.clear();
        if (!written) return fail(written.error());
        report.written += written->written;
        report.there_already += written->there_already;
        return {};
    };
    std::vector<std::string> fields;
    while (true) {
        auto any = table.next(fields);
        if (any && !*any) break;
        tally.read();
        progress();
        if (!any && any.error().code != ErrorCode::InvalidArgument) return fail(any.error());
        auto draft = any ? session_of(fields, mapping, run) : fail(any.error());
        if (!draft) {
            const std::string text = fmt::format("{}", fmt::join(fields, ","));
            if (auto noted = tally.error(name, table.line(), draft.error().message, text); !noted) {
                return fail(noted.error());
            }
            continue;
        }
        if (draft->row.start_ms < run.oldest_ms) {
            tally.skip("sessions older than retention");
        } else if (draft->row.start_ms > run.newest_ms) {
            tally.skip("sessions in the future");
        } else {
            tally.take(stable_hash(draft->row.key.session_id));
            rows.push_back(std::move(draft->row));
            if (rows.size() < SessionWriter::kSessionsAtOnce) continue;
            if (auto flushed = flush(); !flushed) return fail(flushed.error());
        }
    }
    if (auto flushed = flush(); !flushed) return fail(flushed.error());
    return report;
}

Result<std::string> show_sessions(SessionTable& table, const Mapping& mapping,
                                  const SessionRun& run, std::size_t rows) {
    std::string out;
    std::vector<std::string> fields;
    for (std::size_t row = 0; row < rows; ++row) {
        auto any = table.next(fields);
        if (any && !*any) break;
        auto draft = any ? session_of(fields, mapping, run) : fail(any.error());
        if (draft) {
            show(out, draft->row);
        } else {
            out += fmt::format("line {}: {}\n", table.line(), draft.error().message);
        }
    }
    const auto unused = mapping.unused(table.columns());
    out += unused.empty() ? "every column is used\n"
                          : fmt::format("columns not used: {}\n", fmt::join(unused, ", "));
    return out + unknown_text(mapping);
}

std::string unknown_text(const Mapping& mapping) {
    const UnknownFields unknown = unknown_fields(mapping.known());
    std::string out;
    if (!unknown.null.empty()) {
        out += fmt::format("not told by the source, null in answers: {}\n",
                           fmt::join(unknown.null, ", "));
    }
    if (!unknown.zero.empty()) {
        out += fmt::format("not told by the source, counted as 0: {}\n",
                           fmt::join(unknown.zero, ", "));
    }
    return out;
}

}  // namespace playhead::importers
