/// The change of metrics against an earlier period: the cube of both periods, read with the
/// planner, and its search as rows of an answer. Thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "query/contribution.h"
#include "query/engine.h"

namespace playhead::query {

struct ChangeRequest {
    QueryRequest common;  ///< period, filter, definition and the like; its metrics are not read
    Period baseline;
    std::vector<MetricUse> metrics;
    std::vector<DimensionUse> dimensions;
    /// p-values of every metric, from rows of sessions; else of proportions only, which need none.
    bool confidence = false;
    SearchOptions search;
};

inline constexpr std::size_t kChangeMetricsMax = 20;
inline constexpr std::int64_t kBaselineDaysMax = 400;

/// Dimensions that are looked into when none are named: those of the hourly rollup.
inline constexpr const char* kChangeDimensions = "cdn,country,device,platform,player,islive";

/// Resolves names and dates. InvalidArgument (400) names what is wrong: unknown names, too many, a
/// baseline that overlaps the period; Unprocessable (422) for a metric that is no sum and no ratio
/// of sums. An empty `baseline` is the equal period before.
Result<ChangeRequest> change_request(const QueryRequest& common, const Dictionary& dictionary,
                                     const std::string& metrics, const std::string& dimensions,
                                     const std::string& baseline, std::int64_t now_s);

/// One cube per metric. Unprocessable when there are more than kCubeCellsMax cells.
Result<std::vector<Cube>> read_cubes(const Engine& engine, const ChangeRequest& request,
                                     std::uint64_t customer_id, AnswerMeta& meta);

/// Rows by rank: what the combination is (`cause`, a filter as the API takes it, and one column per
/// dimension, null where it is any), what it explains, its effects, values of both periods.
Result<Answer> root_cause(const Engine& engine, const ChangeRequest& request,
                          std::uint64_t customer_id);

/// The same columns of all metrics together, ordered by how far each moved its metric beyond what
/// an even change would have, relative to the metric's value.
Result<Answer> top_movers(const Engine& engine, const ChangeRequest& request,
                          std::uint64_t customer_id);

}  // namespace playhead::query
