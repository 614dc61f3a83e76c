/// From a request to one statement: which tables or rollups, which columns, which filters.
/// Pure; no I/O. The decisions taken are in the plan, for `meta` and `explain`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/dictionary.h"
#include "query/kept_days.h"
#include "query/request.h"
#include "store/store.h"

namespace playhead::query {

/// A column of the statement's answer.
struct PlanColumn {
    std::string name;
    ValueType type = ValueType::Number;
    bool is_metric = false;
    bool integral = false;  ///< a count: written without decimals
    bool zero_when_empty = false;
    int decimals = 4;
};

/// The definition used for one metric, for `meta`.
struct UsedDefinition {
    std::string metric, definition, unit, numerator, denominator, text, source;
};

struct Plan {
    /// Answers `columns` in order, then total_rows, beacons, beacons_late, beacons_lost,
    /// beacons_numbered (of all groups; null where they are not known).
    store::Statement statement;
    std::vector<PlanColumn> columns;
    std::size_t group_columns = 0;     ///< the first so many columns are the group
    std::size_t timestamp_column = 0;  ///< valid when `series`
    bool series = false;       ///< grouped by timestamp: fill and page here, not in the engine
    store::Statement buckets;  ///< of a series: the start of every bucket
    std::vector<UsedDefinition> definitions;
    std::vector<std::string> tables;  ///< read by the statement
    std::string reason;               ///< why these tables
    bool approximate = false;         ///< holds percentiles or sketched uniques
    std::vector<DayWish> wishes;      ///< days that would have made it cheaper
    bool from_days = false;           ///< holds kept days: read it before rows of theirs change

    /// Each table and each reason once.
    void reads(const std::string& table);
    void because(const std::string& why);
};

/// Columns of the statement after those of the plan.
inline constexpr std::size_t kTrailingColumns = 5;

/// Most rows that a time series may have before paging.
inline constexpr std::int64_t kSeriesRowsMax = 200'000;
/// Most buckets of a time series.
inline constexpr std::int64_t kBucketsMax = 50'000;
/// Sessions are looked for this long before the period (partitions are by day of start).
inline constexpr std::int64_t kSessionLengthMax_s = 31 * kDay_s;

/// Unprocessable (422) when a metric and a dimension, filter or switch do not go together, with
/// where it would work; InvalidArgument when there would be too many buckets.
/// `days` are looked up, not made; null: none.
Result<Plan> plan_query(const QueryRequest& request, const Dictionary& dictionary,
                        std::uint64_t customer_id, const KeptDays* days = nullptr);

}  // namespace playhead::query
