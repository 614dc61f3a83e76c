#include "query/sql_gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "query/engine.h"
#include "query/nearest.h"
#include "query/sql.h"
#include "query/sql_text.h"

namespace playhead::query {

namespace {

constexpr std::string_view kSandbox = "sql_sandbox";
constexpr std::size_t kTreeBytesMax = 8U << 20U;
/// Each may double the columns, and the engine's limit of time does not hold while it analyses.
constexpr std::size_t kAsterisksMax = 9;

/// What tenants may read, as far as this store has it.
constexpr std::string_view kTables =
    "'sessions', 'live_sessions', 'slices', 'events', 'ad_views', 'app_events', 'alerts'";

/// Functions that compute from their arguments alone. Left out are those that tell about the server
/// or read something by name (dictGet, joinGet, file, getSetting, …), sleep and throwIf.
constexpr std::string_view kFunctions =
    "SELECT name, case_insensitive FROM system.functions WHERE is_aggregate OR "
    "hasAny(splitByString(', ', categories), ['Type Conversion', 'Dates and Times', 'Arrays', "
    "'String', 'Geo', 'Hash', 'String Search', 'JSON', 'URL', 'Mathematical', 'Arithmetic', 'Map', "
    "'IP Address', 'Comparison', 'Tuple', 'Distance', 'Bitmap', 'Bit', 'Encoding', 'UUID', "
    "'String Splitting', 'String Replacement', 'Null', 'Rounding', 'Time Window', 'Conditional', "
    "'Logical', 'Financial']) OR name IN ('bar', 'identity', 'materialize', 'ignore', "
    "'toTypeName', "
    "'transform', 'neighbor', 'runningDifference', 'runningAccumulate', 'rowNumberInAllBlocks', "
    "'rowNumberInBlock', 'finalizeAggregation', 'formatReadableDecimalSize', "
    "'formatReadableQuantity', 'formatReadableSize', 'formatReadableTimeDelta', "
    "'caseWithExpression', 'rand', 'rand64')";
/// Their short names are no better and no worse than they are.
constexpr std::string_view kAliases =
    "SELECT name, case_insensitive, alias_to FROM system.functions WHERE alias_to != ''";

constexpr std::array<std::string_view, 14> kCombinators{
    "If",       "Array",  "Map",    "Distinct", "OrNull", "OrDefault",   "ForEach",
    "Resample", "ArgMin", "ArgMax", "State",    "Merge",  "SimpleState", "MergeState"};

/// Nodes of the engine's tree that only compose what is checked elsewhere.
constexpr std::array<std::string_view, 23> kPlainNodes{"SelectWithUnionQuery",
                                                       "SelectIntersectExceptQuery",
                                                       "SelectQuery",
                                                       "ExpressionList",
                                                       "Asterisk",
                                                       "QualifiedAsterisk",
                                                       "Literal",
                                                       "Subquery",
                                                       "TablesInSelectQuery",
                                                       "TablesInSelectQueryElement",
                                                       "TableExpression",
                                                       "TableJoin",
                                                       "ArrayJoin",
                                                       "WithElement",
                                                       "WindowListElement",
                                                       "WindowDefinition",
                                                       "OrderByElement",
                                                       "QueryParameter",
                                                       "ColumnsExceptTransformer",
                                                       "ColumnsTransformerList",
                                                       "ColumnsRegexpMatcher",
                                                       "ColumnsListMatcher",
                                                       "InterpolateElement"};

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

std::string text_of(const store::Cell& cell) {
    const auto* text = std::get_if<std::string>(&cell);
    return text == nullptr ? std::string() : *text;
}

bool is_set(const store::Cell& cell) {
    if (const auto* number = std::get_if<std::int64_t>(&cell)) return *number != 0;
    if (const auto* number = std::get_if<std::uint64_t>(&cell)) return *number != 0;
    return false;
}

tl::unexpected<Error> refuse(std::string_view value, std::string expected, std::string message) {
    return fail_parameter("sql", std::string(value.substr(0, 80)), std::move(expected),
                          std::move(message));
}

}  // namespace

Result<std::unique_ptr<SqlGate>> SqlGate::open(store::Store& store, SqlLimits limits) {
    std::unique_ptr<SqlGate> gate(new SqlGate(store, limits));
    if (auto loaded = gate->load(); !loaded) return fail(loaded.error());
    return gate;
}

Result<void> SqlGate::load() {
    const auto functions = store_.query({std::string(kFunctions), {}}, {});
    if (!functions) return fail(functions.error());
    const auto add = [this](const std::string& name, bool any_case) {
        functions_.insert(name);
        if (any_case) functions_in_any_case_.insert(lower(name));
    };
    for (const auto& row : functions->rows) add(text_of(row[0]), is_set(row[1]));
    const auto aliases = store_.query({std::string(kAliases), {}}, {});
    if (!aliases) return fail(aliases.error());
    for (const auto& row : aliases->rows) {
        if (functions_.contains(text_of(row[2]))) add(text_of(row[0]), is_set(row[1]));
    }
    // What the parser writes for lambdas, EXISTS and parameters.
    functions_.insert({"lambda", "exists", "_CAST"});
    const auto tables = store_.query(
        {fmt::format("SELECT name, engine FROM system.tables WHERE database = 'default' AND name "
                     "IN ({}) ORDER BY name",
                     kTables),
         {}},
        {});
    if (!tables) return fail(tables.error());
    for (const auto& row : tables->rows) {
        tables_.push_back({text_of(row[0]), text_of(row[1]) != "MergeTree"});
    }
    const auto databases = store_.query({"SELECT lower(name) FROM system.databases", {}}, {});
    if (!databases) return fail(databases.error());
    for (const auto& row : databases->rows) databases_.insert(text_of(row[0]));
    return {};
}

std::vector<std::string> SqlGate::tables() const {
    std::vector<std::string> names;
    names.reserve(tables_.size());
    for (const auto& table : tables_) names.push_back(table.name);
    return names;
}

store::Confinement SqlGate::confinement(std::uint64_t customer_id) const {
    store::Confinement confinement;
    for (const auto& table : tables_) {
        confinement.row_filters.emplace_back("default." + table.name,
                                             fmt::format("customerid = {}", customer_id));
    }
    confinement.database = kSandbox;
    confinement.result_rows_max = limits_.rows_max;
    confinement.memory_bytes_max = limits_.memory_bytes_max;
    confinement.time_limit_s = limits_.time_limit_s;
    confinement.threads_max = limits_.threads_max;
    return confinement;
}

bool SqlGate::is_allowed_function(std::string_view name) const {
    if (functions_.contains(name) || functions_in_any_case_.contains(lower(name))) return true;
    for (const auto suffix : kCombinators) {
        if (name.size() > suffix.size() && name.ends_with(suffix) &&
            is_allowed_function(name.substr(0, name.size() - suffix.size()))) {
            return true;
        }
    }
    return false;
}

Result<void> SqlGate::check_node(std::string_view kind, std::string_view name,
                                 std::string_view parent) const {
    if (kind == "Function") {
        if (parent == "TableExpression") {
            if (name == "numbers") return {};
            return refuse(name, "a table, a subquery or numbers()",
                          fmt::format("the table function '{}' is not allowed", name));
        }
        if (is_allowed_function(name)) return {};
        return refuse(name, "functions that compute from their arguments alone",
                      fmt::format("the function '{}' is not allowed or does not exist", name));
    }
    if (kind == "TableIdentifier") {
        if (name.find('.') == std::string_view::npos) return {};
        return refuse(name, fmt::format("{}", fmt::join(tables(), ", ")),
                      "tables are named without a database");
    }
    if (kind == "Identifier") {
        const auto dot = name.find('.');
        if (dot == std::string_view::npos || !databases_.contains(lower(name.substr(0, dot)))) {
            return {};
        }
        return refuse(name, "a column", "names of databases are not allowed");
    }
    if (std::find(kPlainNodes.begin(), kPlainNodes.end(), kind) != kPlainNodes.end()) return {};
    return refuse(kind, "SELECT with plain expressions",
                  fmt::format("this form ({}) is not allowed", kind));
}

Result<void> SqlGate::check_tree(std::string_view tree) const {
    // Each line is a node, indented by its depth: "  Function sum (alias x) (children 1)".
    std::vector<std::string_view> kinds;
    std::size_t asterisks = 0;
    while (!tree.empty()) {
        const auto end = tree.find('\n');
        auto line = tree.substr(0, end);
        tree.remove_prefix(end == std::string_view::npos ? tree.size() : end + 1);
        if (line.empty()) continue;
        const auto depth = std::min(line.find_first_not_of(' '), line.size());
        line.remove_prefix(depth);
        const auto kind = line.substr(0, line.find(' '));
        auto name = line.substr(std::min(line.size(), kind.size() + 1));
        name = name.substr(0, name.find(' '));
        if (kind.ends_with("Asterisk") || kind.ends_with("Matcher")) ++asterisks;
        if (asterisks > kAsterisksMax) {
            return refuse("*", fmt::format("at most {} of them", kAsterisksMax),
                          "there are too many '*'");
        }
        const auto parent = depth > 0 && depth <= kinds.size() ? kinds[depth - 1] : "";
        if (auto fine = check_node(kind, name, parent); !fine) return fine;
        kinds.resize(depth);
        kinds.push_back(kind);
    }
    return {};
}

std::string SqlGate::confined_text(const std::string& sql,
                                   const std::set<std::string>& words) const {
    std::string with;
    for (const auto& table : tables_) {
        if (!words.contains(table.name)) continue;
        // No row limit: nothing of the tenant's is ever evaluated below it, so that no expression
        // of theirs, not even one that fails, sees a row of another customer.
        with += fmt::format("{}{} AS (SELECT * {} LIMIT 1000000000000000)",
                            with.empty() ? "WITH " : ", ", table.name,
                            scope("default." + table.name, table.final_rows));
    }
    return fmt::format("{} SELECT * FROM (\n{}\n)", with, sql);
}

Result<void> SqlGate::run(const TenantSql& statement, std::uint64_t customer_id,
                          std::string_view query_id, std::string_view format,
                          const std::function<bool(std::string_view)>& sink) const {
    auto clean = clean_sql(statement.sql, statement.parameters);
    if (!clean) return fail(clean.error());
    const auto limits = confinement(customer_id);
    auto options = options_of_turn();
    if (!query_id.empty()) options.query_id = running_name(query_id, customer_id);

    std::string tree;
    auto explaining = limits;
    explaining.in_one_piece = true;
    auto explained = store_.stream_confined(
        {fmt::format("EXPLAIN AST SELECT * FROM (\n{}\n)", clean->text), clean->parameters},
        "TSVRaw", options, explaining, [&](std::string_view chunk) {
            tree += chunk;
            return tree.size() <= kTreeBytesMax;
        });
    if (!explained) return explained;
    if (tree.size() > kTreeBytesMax) return refuse({}, "a shorter one", "the statement is too big");
    if (auto fine = check_tree(tree); !fine) return fine;

    store::Statement confined{confined_text(clean->text, clean->words),
                              SqlParameters(customer_id).take()};
    confined.parameters.insert(confined.parameters.end(), clean->parameters.begin(),
                               clean->parameters.end());
    return store_.stream_confined(confined, format, options, limits, sink);
}

}  // namespace playhead::query
