#include "derived.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <variant>

#include "model/event.h"
#include "store/rows.h"

namespace playhead::bench {

namespace {

[[noreturn]] void die(const std::string& why) {
    fmt::print(stderr, "bench_fill: {}\n", why);
    std::exit(1);
}

void run(store::Store& store, const std::string& sql) {
    if (const auto done = store.execute({sql, {}}); !done) die(done.error().message);
}

/// INSERT … SELECT: columns by `values`, the others from the session where it has them.
std::string insert_from_sessions(store::Table table,
                                 const std::map<std::string, std::string>& values,
                                 const std::string& rest, std::string_view into = {}) {
    std::map<std::string, bool> of_session;
    for (const auto& column : store::schema_of(store::Table::Sessions).columns) {
        of_session[column.name] = true;
    }
    std::string names, selected;
    for (const auto& column : store::schema_of(table).columns) {
        const auto given = values.find(column.name);
        if (given == values.end() && !of_session.contains(column.name)) continue;
        const std::string& value = given == values.end() ? column.name : given->second;
        names += (names.empty() ? "" : ", ") + column.name;
        selected += (selected.empty() ? "" : ", ") + value;
    }
    return fmt::format(
        "INSERT INTO {} ({}) SELECT {} FROM sessions {} SETTINGS "
        "max_partitions_per_insert_block = 0",
        into.empty() ? store::schema_of(table).name : std::string(into), names, selected, rest);
}

}  // namespace

void fill_events(store::Store& store) {
    const std::string halfway =
        "addMilliseconds(start_time, intDiv(dateDiff('millisecond', start_time, end_time), 2))";
    run(store, insert_from_sessions(
                   store::Table::Events,
                   {{"event_time", halfway},
                    {"receive_time", halfway},
                    {"name", "'ERROR'"},
                    {"kind", fmt::format("{}", static_cast<int>(model::EventKind::Error))},
                    {"severity", fmt::format("{}", static_cast<int>(model::Severity::Fatal))},
                    {"phase", "if(plays > 0, 'playback', 'startup')"},
                    {"errorcode", "concat('E', toString(cityHash64(sessionid) % 30))"},
                    {"errorfingerprint", "errorcode"}},
                   "WHERE fatal_errors > 0"));
    // Beside the view of `slices`: their other minutes are not made.
    run(store, insert_from_sessions(store::Table::Slices,
                                    {{"minute_time", "toStartOfMinute(" + halfway + ")"},
                                     {"active_ms", "60000"},
                                     {"present", "1"}},
                                    "WHERE fatal_errors > 0", "slices_failed"));
}

void fill_ad_views(store::Store& store) {
    run(store, insert_from_sessions(store::Table::AdViews,
                                    {{"ordinal", "toUInt32(number)"},
                                     {"adid",
                                      "concat('ad-', toString(cityHash64(sessionid, "
                                      "number) % 40))"},
                                     {"adsystem", "'simulator'"},
                                     {"adposition", "if(number = 0, 'pre', 'mid')"},
                                     {"load_ms", "toInt64(300 + cityHash64(sessionid) % 900)"},
                                     {"playing_ms", "intDiv(ad_ms, ad_starts)"},
                                     {"stall_ms", "intDiv(ad_stall_ms, ad_starts)"},
                                     {"stall_count", "intDiv(ad_stall_count, ad_starts)"},
                                     {"impression", "1"},
                                     {"started", "1"},
                                     {"completed", "toUInt8(number < ad_completions)"},
                                     {"revision", "1"},
                                     {"sign", "1"}},
                                    "ARRAY JOIN range(toUInt64(ad_starts)) AS number WHERE "
                                    "ad_starts > 0"));
}

void fill_minutes(store::Store& store, const char* table) {
    const auto answer = store.query(
        {"SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = "
         "'slices_minute_mv'",
         {}},
        {});
    if (!answer || answer->rows.empty()) die("no view of the minute rollup");
    auto select = std::get<std::string>(answer->rows.front().front());
    const std::string marker = "slices AS src";
    const auto at = select.find(marker);
    if (at == std::string::npos) die("the view of the minute rollup reads something else");
    select.replace(at, marker.size(), std::string(table) + " AS src");
    run(store, "INSERT INTO slices_minute " + select);
}

}  // namespace playhead::bench
