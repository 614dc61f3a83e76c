/// Named queries: a name, checked inputs, documented rows, a function that answers.
/// The registry is immutable; every function is thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/engine.h"
#include "query/parameters.h"
#include "query/sql.h"

namespace playhead::query::smart {

/// Longest value of a Text input, bytes.
inline constexpr std::size_t kTextBytesMax = 1024;
/// Most rows of a page.
inline constexpr std::int64_t kRowsMax = 100'000;

struct SmartQuery;

/// A request whose parameters have been checked.
struct SmartRequest {
    const SmartQuery* query = nullptr;
    /// Period, filter, timezone, granularity, limit, offset, id; no metrics yet. Sessions count at
    /// their start, with every status.
    QueryRequest common;
    /// Every input, trimmed, with its default where it was not given; choices in lower case.
    std::map<std::string, std::string, std::less<>> inputs;

    const std::string& text(std::string_view name) const { return inputs.find(name)->second; }
    std::int64_t integer(std::string_view name) const { return integer_of(text(name)); }
};

/// What a query may use. References outlive the call.
struct Context {
    const Engine& engine;
    std::uint64_t customer_id = 0;
    std::int64_t now_s = 0;
};

struct SmartQuery {
    std::string name, title;
    std::string description;  ///< how it is derived
    /// Besides period, filter, timezone, granularity, limit and offset, which all have.
    std::vector<Parameter> inputs;
    std::string row_schema;  ///< JSON Schema of one row of `response`
    Result<Answer> (*run)(const SmartRequest& request, const Context& context) = nullptr;
    const char* period_default = nullptr;  ///< null: the period must be given
};

/// All of them, in the order of the documentation.
const std::vector<SmartQuery>& registry();
/// Null when there is none of that name.
const SmartQuery* find(std::string_view name);
/// `queryname`, with every name.
Parameter name_parameter();
/// The table of one query's parameters: what all have and its inputs.
std::vector<Parameter> parameters_of(const SmartQuery& query);

/// Checks every parameter. InvalidArgument names parameter, value and what was expected; an unknown
/// `queryname` gets the list.
Result<SmartRequest> parse(const Parameters& parameters, const Engine& engine);

/// Runs and fills in what every answer's `meta` has.
Result<Answer> run(const SmartRequest& request, const Context& context);

// ---- For the queries themselves.

/// Metrics (dictionary names) by dimensions, under the request's period, filter, page and zone.
struct Ask {
    std::string metrics;
    std::string group_by;
    std::string order_by;
    bool descending = true;
};
/// The request of the engine, to be changed further.
Result<QueryRequest> ask(const SmartRequest& request, const Context& context, const Ask& what);
/// Adds `dimension = value`; the value stays data.
void only(QueryRequest& request, const Dictionary& dictionary, std::string_view dimension,
          const std::string& value);

/// `(SELECT <columns> FROM sessions … UNION ALL SELECT <columns> FROM live_sessions …)`: each
/// session that began in the period and passes the filter, once. `columns` is SQL of ours;
/// `extra` begins with " AND " or is empty.
Result<std::string> session_rows(const QueryRequest& request, SqlParameters& parameters,
                                 const std::string& columns, const std::string& extra);

/// Runs a statement whose last column is the total of rows; the others are `columns`. `reach`: what
/// it reads, if that is not the sessions that began in the request's period.
Result<Answer> answer_of(const SmartRequest& request, const Context& context,
                         const std::string& sql, SqlParameters& parameters,
                         std::vector<PlanColumn> columns,
                         std::optional<Reach> reach = std::nullopt);

PlanColumn text_column(std::string name);
PlanColumn count_column(std::string name);
PlanColumn number_column(std::string name, int decimals = 4);

}  // namespace playhead::query::smart
