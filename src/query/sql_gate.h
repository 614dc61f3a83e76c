/// A tenant's own SELECT over the tenant's own rows. What keeps it there, and why that holds:
/// docs/decisions/0008. Thread safe after `open`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace playhead::query {

struct SqlLimits {
    std::uint64_t rows_max = 1'000'000;
    std::uint64_t memory_bytes_max = 1ULL << 30U;
    double time_limit_s = 30;
    int threads_max = 1;
};

struct TenantSql {
    std::string sql;
    std::vector<store::Parameter> parameters;  ///< by the names of its `{name:Type}` places
};

class SqlGate {
public:
    /// Asks the engine for its functions, tables and databases. `store` must outlive the gate.
    static Result<std::unique_ptr<SqlGate>> open(store::Store& store, SqlLimits limits);

    /// Runs a statement for a customer; the rows come in an engine's format, as of Engine::stream.
    /// InvalidArgument for what is not allowed or not understood, Unprocessable beyond the limits
    /// of rows and memory, Timeout beyond that of time.
    Result<void> run(const TenantSql& statement, std::uint64_t customer_id,
                     std::string_view query_id, std::string_view format,
                     const std::function<bool(std::string_view)>& sink) const;

    const SqlLimits& limits() const noexcept { return limits_; }
    /// Tables that a statement may name.
    std::vector<std::string> tables() const;

private:
    struct Table {
        std::string name;
        bool final_rows = false;
    };

    SqlGate(store::Store& store, SqlLimits limits) : store_(store), limits_(limits) {}
    Result<void> load();
    store::Confinement confinement(std::uint64_t customer_id) const;
    Result<void> check_tree(std::string_view tree) const;
    Result<void> check_node(std::string_view kind, std::string_view name,
                            std::string_view parent) const;
    bool is_allowed_function(std::string_view name) const;
    std::string confined_text(const std::string& sql, const std::set<std::string>& words) const;

    store::Store& store_;
    SqlLimits limits_;
    std::vector<Table> tables_;
    std::set<std::string, std::less<>> functions_;
    std::set<std::string, std::less<>> functions_in_any_case_;  ///< in lower case
    std::set<std::string, std::less<>> databases_;              ///< in lower case
};

}  // namespace playhead::query
