#include "query/session_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "query/columns.h"

namespace playhead::query {

namespace {

std::string on_sessions(const Expression& expression) {
    return "(" + expression.write([](const std::string& column) {
        return summable_sql(Source::Sessions, column).value_or(column);
    }) + ")";
}

std::string guarded(const Sample& sample, const std::string& value) {
    if (sample.where.empty()) return value;
    return fmt::format("if({}, {}, NULL)", sample.where.text(), value);
}

/// A metric of one session.
std::string value_sql(const MetricUse& use, const QueryRequest& request) {
    const Metric& metric = *use.metric;
    const Formula& formula = formula_of(use, Source::Sessions, request);
    if (use.aggregate != Aggregate::Plain) {
        return guarded(formula.sample, "toFloat64(" + formula.sample.value.text() + ")");
    }
    const bool business = request.business_error && !formula.business.empty();
    if (metric.form == Form::Ratio && !formula.sample.empty() && !business) {
        return guarded(formula.sample, formula.sample.value.text());
    }
    if (metric.form == Form::Unique) {
        const auto where = metric.unique.where.empty() ? "1" : metric.unique.where.text();
        return fmt::format("toInt64({})", where);
    }
    std::string numerator = on_sessions(formula.numerator);
    if (business) {
        numerator = fmt::format("({} + {})", numerator, on_sessions(formula.business));
    }
    if (formula.factor != 1) numerator += fmt::format(" * {}", formula.factor);
    if (metric.form == Form::Ratio) {
        return fmt::format("{} / nullIf({}, 0)", numerator, on_sessions(formula.denominator));
    }
    return metric.form == Form::PerUnique ? guarded(metric.unique, numerator) : numerator;
}

/// A column whose order, largest first, is that of the metric with those that have no value last
/// (they have -1). The engine stops early at a column, not at a value that it must compute: the 100
/// slowest of 5 million sessions take 33 ms in place of 79. Empty when there is none.
std::string column_of_order(const MetricUse& use, const QueryRequest& request) {
    const Formula& formula = formula_of(use, Source::Sessions, request);
    const bool business = request.business_error && !formula.business.empty();
    const bool sampled = use.aggregate != Aggregate::Plain || use.metric->form == Form::Ratio;
    const auto columns = formula.sample.value.columns();
    if (!request.order.descending || business || !sampled || columns.size() != 1) return {};
    const auto& column = columns.front();
    const auto value = formula.sample.value.text();
    const bool as_it_is = value == column || value == column + " / 1000";
    return as_it_is && formula.sample.where.text() == column + " >= 0" ? column : std::string();
}

std::string order_sql(const QueryRequest& request, const Plan& plan, bool of_table) {
    std::size_t column = plan.columns.size();
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
        const bool first = request.order.name.empty() && plan.columns[i].is_metric;
        if (first || (!request.order.name.empty() && plan.columns[i].name == request.order.name)) {
            column = i;
            break;
        }
    }
    const char* direction = request.order.descending ? "DESC" : "ASC";
    if (column == plan.columns.size()) return fmt::format("o {}", direction);
    const std::size_t first_metric = 1 + request.columns.size();
    if (of_table && column >= first_metric) {
        const auto by = column_of_order(request.metrics[column - first_metric], request);
        if (!by.empty()) return fmt::format("{} DESC, o DESC", by);
    }
    return fmt::format("c{} {} NULLS LAST, o DESC", column, direction);
}

}  // namespace

bool rows_are_sessions(const QueryRequest& request) {
    if (request.concurrency || request.group_by.size() != 1 ||
        !request.group_by.front().is("sessionid")) {
        return false;
    }
    return std::all_of(request.metrics.begin(), request.metrics.end(), [](const MetricUse& use) {
        return use.metric->source == Source::Sessions &&
               (use.metric->form == Form::Unique || !use.metric->formula.empty());
    });
}

Result<std::string> write_session_rows(const QueryRequest& request, SqlParameters& parameters,
                                       const Plan& plan, const std::string& totals,
                                       const TablePart& closed, const TablePart& open) {
    PartWriter parts(request, parameters, Source::Sessions);
    auto from_closed = parts.from(closed);
    if (!from_closed) return from_closed;
    auto from_open = parts.from(open);
    if (!from_open) return from_open;
    const auto order = order_sql(request, plan, false);
    const auto order_within = order_sql(request, plan, true);
    const auto select = [&](const TablePart& part, const std::string& from) {
        std::string list = parts.dimension_sql(request.group_by.front(), part) + " AS c0";
        std::size_t column = 1;
        for (const auto& use : request.columns) {
            list += fmt::format(", {} AS c{}", parts.dimension_sql(use, part), column++);
        }
        for (const auto& use : request.metrics) {
            list += fmt::format(", {} AS c{}", value_sql(use, request), column++);
        }
        auto out =
            fmt::format("SELECT {}, start_time AS o {} ORDER BY {}", list, from, order_within);
        if (request.limit > 0) out += fmt::format(" LIMIT {}", request.limit + request.offset);
        return "SELECT * FROM (" + out + ")";
    };
    std::string names;
    for (std::size_t i = 0; i < plan.columns.size(); ++i) names += fmt::format("c{}, ", i);
    std::string sql = fmt::format(
        "WITH ({}) AS totals SELECT {}totals.1 AS total_rows, totals.2 AS beacons, totals.3 AS "
        "beacons_late, totals.4 AS beacons_lost, totals.5 AS beacons_numbered FROM ({} UNION ALL "
        "{}) ORDER BY {}, c0",
        totals, names, select(closed, *from_closed), select(open, *from_open), order);
    if (request.limit > 0) sql += fmt::format(" LIMIT {} OFFSET {}", request.limit, request.offset);
    return sql;
}

}  // namespace playhead::query
