/// The dense matrix of `/mm-apis/error?dimension=heatmap`. Pure.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "query/engine.h"

namespace playhead::query {

/// Most cells of a heatmap, empty ones included.
inline constexpr std::size_t kHeatmapCellsMax = 20'000;

/// The request whose answer `dense_heatmap` takes: the first metric and the attempts of each cell.
/// Unprocessable when the first metric is not known per error.
Result<QueryRequest> heatmap_cells(const QueryRequest& request, const Dictionary& dictionary);

/// One row per pair of values: both names, count (the metric), rate (count per 100 attempts; null
/// without attempts) and share (percent of the sum of all cells). Pairs without errors are there,
/// with count 0; hourofday and dayofweek have all their values. Sorted by both names, paged as
/// `request` says. Unprocessable beyond kHeatmapCellsMax.
Result<Answer> dense_heatmap(const QueryRequest& request, Answer sparse);

}  // namespace playhead::query
