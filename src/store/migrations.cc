#include "store/migrations.h"

#include <fmt/format.h>

namespace playhead::store {
namespace {

constexpr std::string_view kHistoryTable =
    "CREATE TABLE IF NOT EXISTS schema_migrations (version UInt32, name String, "
    "applied_time DateTime('UTC')) ENGINE = MergeTree ORDER BY version";

std::string_view retention_column(Table table) {
    switch (table) {
        case Table::Sessions:
        case Table::AdViews: return "start_time";
        case Table::LiveSessions: return "last_receive_time";
        case Table::Slices: return "minute_time";
        case Table::Events:
        case Table::AppEvents: return "event_time";
    }
    return "";
}

Result<std::uint32_t> version_applied(Store& store) {
    auto answer = store.query({"SELECT max(version) FROM schema_migrations", {}}, {});
    if (!answer) return fail(std::move(answer.error()));
    if (answer->rows.empty()) return 0U;
    const auto* version = std::get_if<std::int64_t>(&answer->rows.front().front());
    return version == nullptr ? 0U : static_cast<std::uint32_t>(*version);
}

Result<void> apply_migration(Store& store, const Migration& migration) {
    for (auto& sql : statements_of(migration.sql)) {
        auto done = store.execute({std::move(sql), {}});
        if (!done) {
            done.error().message =
                fmt::format("migration {}: {}", migration.name, done.error().message);
            return done;
        }
    }
    return store.execute({fmt::format("INSERT INTO schema_migrations SELECT {}, '{}', now('UTC')",
                                      migration.version, migration.name),
                          {}});
}

Result<void> set_ttl(Store& store, std::string_view table, std::string_view column,
                     std::uint32_t days) {
    if (days > kRetentionDaysMax) {
        return fail_parameter(std::string(table), fmt::to_string(days),
                              fmt::format("0 to {} days", kRetentionDaysMax),
                              "the retention is too long");
    }
    const std::string expression = fmt::format("toDateTime({}) + toIntervalDay({})", column, days);
    auto answer = store.query({"SELECT create_table_query FROM system.tables WHERE database = "
                               "currentDatabase() AND name = {table:String}",
                               {{"table", std::string(table)}}},
                              {});
    if (!answer) return fail(std::move(answer.error()));
    if (answer->rows.empty()) {
        return fail(ErrorCode::Internal, fmt::format("the table {} is missing", table));
    }
    const auto& created = std::get<std::string>(answer->rows.front().front());
    const bool has_ttl = created.find(" TTL ") != std::string::npos;
    if (days == 0) {
        if (!has_ttl) return {};
        return store.execute({fmt::format("ALTER TABLE {} REMOVE TTL", table), {}});
    }
    if (has_ttl && created.find(" TTL " + expression) != std::string::npos) return {};
    // Rewriting the parts that are there is left to the background: a start must not wait for it.
    auto done = store.execute({fmt::format("ALTER TABLE {} MODIFY TTL {} SETTINGS "
                                           "materialize_ttl_after_modify = 0",
                                           table, expression),
                               {}});
    if (!done) return done;
    return store.execute({fmt::format("ALTER TABLE {} MATERIALIZE TTL SETTINGS "
                                      "mutations_sync = 0",
                                      table),
                          {}});
}

}  // namespace

std::vector<std::string> statements_of(std::string_view sql) {
    std::vector<std::string> statements;
    std::string current;
    while (!sql.empty()) {
        const auto end = sql.find('\n');
        auto line = sql.substr(0, end);
        sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + 1);
        if (line.empty() || line.starts_with("--")) continue;
        const bool last = line.ends_with(';');
        if (last) line.remove_suffix(1);
        if (!current.empty()) current += '\n';
        current += line;
        if (last) statements.push_back(std::exchange(current, {}));
    }
    if (!current.empty()) statements.push_back(std::move(current));
    return statements;
}

Result<void> run_migrations(Store& store) {
    if (auto done = store.execute({std::string(kHistoryTable), {}}); !done) return done;
    const auto applied = version_applied(store);
    if (!applied) return fail(applied.error());
    const auto newest = migrations().back().version;
    if (*applied > newest) {
        return fail(ErrorCode::Unavailable,
                    fmt::format("the data are of schema version {}, this program knows {}: use a "
                                "newer program",
                                *applied, newest));
    }
    for (const auto& migration : migrations()) {
        if (migration.version <= *applied) continue;
        if (auto done = apply_migration(store, migration); !done) return done;
    }
    return {};
}

Result<void> apply_retention(Store& store, const std::vector<Retention>& retention,
                             std::uint32_t rollup_days) {
    for (const auto& [table, days] : retention) {
        const auto column = retention_column(table);
        if (auto done = set_ttl(store, name_of(table), column, days); !done) return done;
        if (table != Table::Slices) continue;
        if (auto done = set_ttl(store, "slices_failed", column, days); !done) return done;
    }
    constexpr std::pair<std::string_view, std::string_view> kRollups[] = {
        {"sessions_hour", "hour_time"},
        {"sessions_hour_end", "hour_time"},
        {"slices_minute", "minute_time"}};
    for (const auto& [table, column] : kRollups) {
        if (auto done = set_ttl(store, table, column, rollup_days); !done) return done;
    }
    return {};
}

}  // namespace playhead::store
