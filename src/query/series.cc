#include "query/series.h"

#include <algorithm>
#include <set>

namespace playhead::query {

namespace {

using Row = std::vector<store::Cell>;

bool is_null(const store::Cell& cell) {
    if (std::holds_alternative<std::monostate>(cell)) return true;
    const auto* real = std::get_if<double>(&cell);
    return real != nullptr && *real != *real;
}

/// -1, 0 or 1; nulls are equal to each other and are handled by the caller otherwise.
int compare(const store::Cell& left, const store::Cell& right) {
    const auto* left_text = std::get_if<std::string>(&left);
    const auto* right_text = std::get_if<std::string>(&right);
    if (left_text != nullptr && right_text != nullptr) return left_text->compare(*right_text);
    const double a = number_of(left, 0);
    const double b = number_of(right, 0);
    return a < b ? -1 : a > b ? 1 : 0;
}

Row group_of(const Plan& plan, const Row& row) {
    Row out(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(plan.group_columns));
    out[plan.timestamp_column] = std::monostate{};
    return out;
}

}  // namespace

double number_of(const store::Cell& cell, double otherwise) {
    if (const auto* real = std::get_if<double>(&cell)) return *real;
    if (const auto* whole = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*whole);
    if (const auto* large = std::get_if<std::uint64_t>(&cell)) return static_cast<double>(*large);
    return otherwise;
}

bool fill_buckets(const Plan& plan, const std::vector<std::int64_t>& buckets, Rows& rows) {
    std::set<Row> groups;
    std::set<std::pair<Row, std::int64_t>> known;
    for (const auto& row : rows) {
        const auto group = group_of(plan, row);
        groups.insert(group);
        known.emplace(group, static_cast<std::int64_t>(number_of(row[plan.timestamp_column], 0)));
    }
    if (plan.group_columns == 1) groups.insert(Row(1));
    if (groups.size() * buckets.size() > static_cast<std::size_t>(kSeriesRowsMax)) return false;
    for (const auto& group : groups) {
        for (const auto bucket : buckets) {
            if (known.contains({group, bucket})) continue;
            Row row(plan.columns.size());
            std::copy(group.begin(), group.end(), row.begin());
            row[plan.timestamp_column] = bucket;
            for (std::size_t i = plan.group_columns; i < row.size(); ++i) {
                if (plan.columns[i].zero_when_empty) row[i] = std::int64_t{0};
            }
            rows.push_back(std::move(row));
        }
    }
    return true;
}

void order_rows(const Plan& plan, const OrderBy& order, Rows& rows) {
    std::size_t first = plan.timestamp_column;
    bool descending = false;
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
        if (order.name.empty() || plan.columns[i].name != order.name) continue;
        first = i;
        descending = order.descending;
    }
    std::sort(rows.begin(), rows.end(), [&](const Row& left, const Row& right) {
        const bool left_null = is_null(left[first]);
        if (left_null != is_null(right[first])) return !left_null;
        if (!left_null) {
            const int sign = compare(left[first], right[first]);
            if (sign != 0) return descending ? sign > 0 : sign < 0;
        }
        for (std::size_t i = 0; i < plan.group_columns; ++i) {
            const int sign = compare(left[i], right[i]);
            if (sign != 0) return sign < 0;
        }
        return false;
    });
}

void page_rows(std::int64_t offset, std::int64_t limit, Rows& rows) {
    const auto count = static_cast<std::int64_t>(rows.size());
    const auto begin = std::min(offset, count);
    const auto end = limit == 0 ? count : std::min(count, begin + limit);
    rows.erase(rows.begin() + end, rows.end());
    rows.erase(rows.begin(), rows.begin() + begin);
}

}  // namespace playhead::query
