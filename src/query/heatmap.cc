#include "query/heatmap.h"

#include <algorithm>
#include <map>
#include <set>

#include "query/series.h"

namespace playhead::query {

namespace {

constexpr double kPercent = 100;

/// A value of an axis: numbers compare as numbers, whatever type the engine gave them.
using AxisValue = std::pair<std::int64_t, std::string>;

AxisValue axis_value(const store::Cell& cell) {
    const auto* text = std::get_if<std::string>(&cell);
    if (text != nullptr) return {0, *text};
    return {static_cast<std::int64_t>(number_of(cell, 0)), {}};
}

store::Cell cell_of(const AxisValue& value, ValueType type) {
    if (type == ValueType::String) return value.second;
    return value.first;
}

std::set<AxisValue> whole_axis(const DimensionUse& use) {
    std::set<AxisValue> out;
    if (use.is("hourofday")) {
        for (std::int64_t hour = 0; hour < 24; ++hour) out.insert({hour, {}});
    } else if (use.is("dayofweek")) {
        for (std::int64_t day = 1; day <= 7; ++day) out.insert({day, {}});
    }
    return out;
}

PlanColumn number_column(const char* name, bool integral) {
    PlanColumn column;
    column.name = name;
    column.is_metric = true;
    column.integral = integral;
    return column;
}

}  // namespace

Result<QueryRequest> heatmap_cells(const QueryRequest& request, const Dictionary& dictionary) {
    QueryRequest cells = request;
    cells.view = View::All;
    cells.metrics.resize(1);
    if (cells.metrics.front().metric->error.empty()) {
        const auto& name = cells.metrics.front().name;
        return fail(Error{ErrorCode::Unprocessable, name + " is not known per error", "metrics",
                          name,
                          "errors, fatalerrors, warnings, affectedsessions, affectedusers or "
                          "totalstartupfailure"});
    }
    MetricUse attempts;
    find_metric(dictionary, "attempts", attempts);
    cells.metrics.push_back(attempts);
    cells.order = {};
    cells.limit = 0;
    cells.offset = 0;
    return cells;
}

Result<Answer> dense_heatmap(const QueryRequest& request, Answer sparse) {
    constexpr std::size_t kCount = 2, kAttempts = 3;  // columns behind the two names
    std::array<std::set<AxisValue>, 2> axes{whole_axis(request.group_by[0]),
                                            whole_axis(request.group_by[1])};
    std::map<std::pair<AxisValue, AxisValue>, std::pair<double, double>> known;
    double total = 0;
    for (const auto& row : sparse.rows) {
        const auto first = axis_value(row[0]);
        const auto second = axis_value(row[1]);
        const double count = number_of(row[kCount], 0);
        axes[0].insert(first);
        axes[1].insert(second);
        known[{first, second}] = {count, number_of(row[kAttempts], 0)};
        total += count;
    }
    if (axes[0].size() * axes[1].size() > kHeatmapCellsMax) {
        return fail(Error{ErrorCode::Unprocessable,
                          "the heatmap has more than " + std::to_string(kHeatmapCellsMax) +
                              " cells: " + std::to_string(axes[0].size()) + " x " +
                              std::to_string(axes[1].size()),
                          "aggby",
                          {},
                          "dimensions with fewer values, or a filter"});
    }
    Rows rows;
    for (const auto& first : axes[0]) {
        for (const auto& second : axes[1]) {
            const auto found = known.find({first, second});
            const auto [count, attempts] =
                found == known.end() ? std::pair<double, double>{} : found->second;
            store::Cell rate, share;
            if (attempts > 0) rate = count * kPercent / attempts;
            if (total > 0) share = count * kPercent / total;
            rows.push_back({cell_of(first, sparse.columns[0].type),
                            cell_of(second, sparse.columns[1].type), count, rate, share});
        }
    }
    Answer out = std::move(sparse);
    out.columns.resize(2);
    out.columns.push_back(number_column("count", true));
    out.columns.push_back(number_column("rate", false));
    out.columns.push_back(number_column("share", false));
    out.field_order = {out.columns[0].name, out.columns[1].name, "count", "rate", "share"};
    out.total_records = static_cast<std::int64_t>(rows.size());
    out.limit = request.limit;
    out.meta.view = name_of(View::Heatmap);
    page_rows(request.offset, request.limit, rows);
    out.rows = std::move(rows);
    return out;
}

}  // namespace playhead::query
