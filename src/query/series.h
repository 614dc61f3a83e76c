/// Rows of a time series: empty buckets added, ordered and paged. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "query/planner.h"
#include "query/request.h"

namespace playhead::query {

using Rows = std::vector<std::vector<store::Cell>>;

/// The number in a cell; `otherwise` when it is text or nothing.
double number_of(const store::Cell& cell, double otherwise);

/// Adds a row for every group and bucket that has none: 0 or null as the column says. A result
/// without rows and without other group columns gets every bucket. Returns false, and leaves the
/// rows, when there would be more than kSeriesRowsMax.
bool fill_buckets(const Plan& plan, const std::vector<std::int64_t>& buckets, Rows& rows);

/// Orders as asked (by time when not asked), nulls last.
void order_rows(const Plan& plan, const OrderBy& order, Rows& rows);

/// Keeps the page [offset, offset + limit); limit 0 = to the end.
void page_rows(std::int64_t offset, std::int64_t limit, Rows& rows);

}  // namespace playhead::query
