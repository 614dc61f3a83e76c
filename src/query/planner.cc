#include "query/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "query/columns.h"
#include "query/part.h"

namespace playhead::query {

namespace {

constexpr std::int64_t kHour_s = 3600;
constexpr std::int64_t kExactUnique_s = 86400;

std::int64_t ceil_to(std::int64_t value, std::int64_t step) {
    return (value + step - 1) / step * step;
}

class Planner {
public:
    Planner(const QueryRequest& request, const Dictionary& dictionary, std::uint64_t customer_id)
        : request_(request),
          dictionary_(dictionary),
          customer_id_(customer_id),
          parameters_(customer_id),
          parts_(request, parameters_) {}

    Result<Plan> plan() {
        find_ad_need();
        if (auto ok = add_dimensions(); !ok) return fail(ok.error());
        for (const auto& use : request_.metrics) {
            if (auto ok = add_metric(use); !ok) return fail(ok.error());
        }
        if (sources_.empty()) sources_.insert(needs_ad_ ? Source::AdViews : Source::Sessions);
        if (auto ok = check_dimensions(); !ok) return fail(ok.error());
        if (auto ok = check_buckets(); !ok) return fail(ok.error());
        if (auto ok = write(); !ok) return fail(ok.error());
        return std::move(plan_);
    }

private:
    bool only_on_ads(const DimensionUse& use) const {
        return !use.on(Source::Sessions) && use.on(Source::AdViews);
    }

    void find_ad_need() {
        for (const auto* list : {&request_.group_by, &request_.columns}) {
            for (const auto& use : *list) needs_ad_ = needs_ad_ || only_on_ads(use);
        }
        for (const auto& each : request_.filter) {
            needs_ad_ = needs_ad_ || only_on_ads(each.dimension);
        }
    }

    tl::unexpected<Error> impossible(const std::string& name, std::string message,
                                     std::string expected) const {
        return fail(Error{ErrorCode::Unprocessable, std::move(message), "metrics", name,
                          std::move(expected)});
    }

    Result<Source> source_of(const MetricUse& use) const {
        const Metric& metric = *use.metric;
        if (needs_ad_) {
            if (!metric.ad.empty()) return Source::AdViews;
            return impossible(use.name, use.name + " is not known per ad",
                              "a metric of single ads (e.g. adimpression, adstarts), or no ad "
                              "dimension in aggby, metrics and filter");
        }
        if (request_.concurrency) {
            if (metric.concurrency && use.aggregate == Aggregate::Plain) return Source::Slices;
            return impossible(use.name, use.name + " is not available with concurrency=1",
                              "concurrency=0 (dimension all, microscope, subscriber, asset, geo)");
        }
        return metric.source;
    }

    Result<void> check_dimensions() const {
        const auto check = [&](const DimensionUse& use, const char* parameter) -> Result<void> {
            for (const auto source : sources_) {
                if (use.on(source)) continue;
                std::string where;
                for (const auto other : {Source::Sessions, Source::Slices, Source::AdViews}) {
                    if (use.on(other))
                        where += std::string(where.empty() ? "" : ", ") + name_of(other);
                }
                return fail(Error{ErrorCode::Unprocessable,
                                  use.name + " is not known in the view that the metrics need (" +
                                      name_of(source) + ")",
                                  parameter, use.name, "metrics answered from " + where});
            }
            return {};
        };
        for (const auto* list : {&request_.group_by, &request_.columns}) {
            for (const auto& use : *list) {
                if (auto ok = check(use, "aggby"); !ok) return ok;
            }
        }
        for (const auto& each : request_.filter) {
            if (auto ok = check(each.dimension, "filter"); !ok) return ok;
        }
        return {};
    }

    Result<void> check_buckets() const {
        if (!plan_.series ||
            request_.period.length_s() / step_s(request_.granularity) <= kBucketsMax) {
            return {};
        }
        return fail_parameter(
            "granularity", name_of(request_.granularity),
            "a granularity with at most " + std::to_string(kBucketsMax) + " buckets in the period",
            "too many buckets");
    }

    Result<void> add_dimensions() {
        std::size_t position = 0;
        for (const auto& use : request_.group_by) {
            const auto alias = "d" + std::to_string(position++);
            parts_.dimension(use, alias);
            if (use.is("timestamp")) {
                plan_.series = true;
                plan_.timestamp_column = plan_.columns.size();
                bucket_ = alias;
            }
            add_column(use.name, use.type(), alias);
            group_ += (group_.empty() ? "" : ", ") + alias;
        }
        plan_.group_columns = plan_.columns.size();
        for (const auto& use : request_.columns) {
            const auto alias = "d" + std::to_string(position++);
            parts_.dimension(use, alias);
            needs_final_ = true;
            add_column(use.name, use.type(), "anyLast(" + alias + ")");
        }
        return {};
    }

    void add_column(const std::string& name, ValueType type, const std::string& sql) {
        PlanColumn column;
        column.name = name;
        column.type = type;
        plan_.columns.push_back(column);
        select_ += (select_.empty() ? "" : ", ") + sql + " AS c" +
                   std::to_string(plan_.columns.size() - 1);
    }

    std::string sums(const Expression& expression, Source source) {
        return expression.write(
            [&](const std::string& column) { return "sum(" + parts_.sum(source, column) + ")"; });
    }

    std::string where_flag(const Sample& sample, Source source) {
        const auto where = sample.where.empty() ? std::string("1") : sample.where.text();
        return parts_.value(source, "toUInt8(" + where + ")", "0");
    }

    std::string sample_sql(const MetricUse& use, const Sample& sample, Source source) {
        needs_final_ = true;
        const auto value = parts_.value(source, "toFloat64(" + sample.value.text() + ")", "0");
        const auto flag = where_flag(sample, source);
        if (use.aggregate == Aggregate::Average) return fmt::format("avgIf({}, {})", value, flag);
        plan_.approximate = true;
        return fmt::format("quantileTDigestIf({})({}, {})", use.level, value, flag);
    }

    std::string unique_sql(const Sample& unique, Source source) {
        needs_final_ = true;
        const bool exact = request_.period.length_s() <= kExactUnique_s;
        plan_.approximate = plan_.approximate || !exact;
        const auto value = parts_.value(source, "toString(" + unique.value.text() + ")", "''");
        return fmt::format("{}({}, {})", exact ? "uniqExactIf" : "uniqCombined64If(17)", value,
                           where_flag(unique, source));
    }

    /// Length of the range of a row, ms.
    std::string range_ms() {
        const auto& period = request_.period;
        if (!plan_.series) return parameters_.integer(period.length_s() * 1000);
        const auto end = request_.granularity == Granularity::Day
                             ? fmt::format("toUnixTimestamp(addDays(toDateTime({}, {}), 1))",
                                           bucket_, parameters_.text(request_.timezone))
                             : fmt::format("{} + {}", bucket_, step_s(request_.granularity));
        return fmt::format("((least({}, {}) - greatest({}, {})) * 1000)", end,
                           parameters_.integer(period.end_s), bucket_,
                           parameters_.integer(period.start_s));
    }

    std::string factor(double value) const {
        return value == 1 ? std::string() : fmt::format(" * {}", value);
    }

    std::string metric_sql(const MetricUse& use, Source source) {
        const Metric& metric = *use.metric;
        const Formula& formula = formula_of(use, source, request_);
        if (use.aggregate != Aggregate::Plain) return sample_sql(use, formula.sample, source);
        if (metric.form == Form::Unique) return unique_sql(metric.unique, source);
        if (metric.form == Form::Peak) {
            const auto minute = parts_.value(source, "{minute}", "toUInt32(0)");
            const auto column = parts_.sum(source, metric.formula.numerator.columns().front());
            return fmt::format("arrayMax(tupleElement(sumMap([{}], [toInt64({})]), 2))", minute,
                               column);
        }
        std::string numerator = sums(formula.numerator, source);
        if (request_.business_error && !metric.business.empty() && source == Source::Sessions &&
            request_.definition != "conviva") {
            numerator += " + " + sums(metric.business, source);
        }
        switch (metric.form) {
            case Form::Ratio:
                return fmt::format("({}){} / nullIf({}, 0)", numerator, factor(formula.factor),
                                   sums(formula.denominator, source));
            case Form::Rate: return fmt::format("({}) / {}", numerator, range_ms());
            case Form::PerUnique:
                return fmt::format("({}){} / nullIf({}, 0)", numerator, factor(formula.factor),
                                   unique_sql(metric.unique, source));
            default: return fmt::format("({}){}", numerator, factor(formula.factor));
        }
    }

    Result<void> add_metric(const MetricUse& use) {
        const auto source = source_of(use);
        if (!source) return fail(source.error());
        const Formula& formula = formula_of(use, *source, request_);
        if (use.aggregate != Aggregate::Plain && formula.sample.empty()) {
            return impossible(use.name, use.name + " has no distribution in this view",
                              use.metric->key);
        }
        sources_.insert(*source);
        add_column(use.name, ValueType::Number, metric_sql(use, *source));
        const bool plain = use.aggregate == Aggregate::Plain;
        auto& column = plan_.columns.back();
        column.is_metric = true;
        column.decimals = use.metric->decimals;
        column.integral = plain && use.metric->integral();
        column.zero_when_empty =
            plain && use.metric->form != Form::Ratio && use.metric->form != Form::PerUnique;
        const bool variant = use.metric->variants.contains(request_.definition);
        plan_.definitions.push_back({use.name, variant ? request_.definition : "smartsight",
                                     formula.unit, formula.numerator.text(),
                                     formula.denominator.text(), formula.definition,
                                     name_of(*source)});
        return {};
    }

    bool rollup_possible(Source source) const {
        if (needs_final_ || request_.qoe_filter) return false;
        for (const auto* list : {&request_.group_by, &request_.columns}) {
            for (const auto& use : *list) {
                if (!use.is("timestamp") && !rollup_has(source, use)) return false;
            }
        }
        for (const auto& each : request_.filter) {
            if (!rollup_has(source, each.dimension)) return false;
        }
        for (const auto& column : parts_.sums()) {
            if (column.source != source) continue;
            const bool minute = column.sql == "{minute}";
            if (!minute && (!column.summed || !rollup_has_sum(source, column.alias.substr(2)))) {
                return false;
            }
        }
        if (source == Source::Slices || !plan_.series) return true;
        return request_.granularity >= Granularity::Hour &&
               dictionary_.timezone_whole_hours(request_.timezone);
    }

    bool rollup_has(Source source, const DimensionUse& use) const {
        return use.dimension != nullptr && rollup_has_dimension(source, use.dimension->key);
    }

    /// Closed sessions from the hourly rollup, with raw rows at edges that are not on the hour.
    void add_sessions(std::vector<TablePart>& out) {
        const auto& period = request_.period;
        const std::string time = request_.started ? "start_time" : "end_time";
        const auto raw = [&](std::int64_t from_s, std::int64_t to_s) {
            if (from_s < to_s) {
                out.push_back(
                    {Source::Sessions, "sessions", time, from_s, to_s, needs_final_, false, false});
            }
        };
        const std::int64_t first_s = ceil_to(period.start_s, kHour_s);
        const std::int64_t last_s = period.end_s / kHour_s * kHour_s;
        if (rollup_possible(Source::Sessions) && last_s - first_s >= 2 * kHour_s) {
            const std::string table = request_.started ? "sessions_hour" : "sessions_hour_end";
            raw(period.start_s, first_s);
            out.push_back(
                {Source::Sessions, table, "hour_time", first_s, last_s, false, true, false});
            raw(last_s, period.end_s);
            explain("the hourly rollup has every column; rows of sessions only at the edges");
        } else {
            raw(period.start_s, period.end_s);
            explain("rows of sessions: a column, dimension, filter or bucket is not in the rollup");
        }
        out.push_back({Source::Sessions, "live_sessions", time, period.start_s, period.end_s, true,
                       false, true});
    }

    void explain(const std::string& reason) {
        plan_.reason += (plan_.reason.empty() ? "" : "; ") + reason;
    }

    std::vector<TablePart> choose_tables() {
        std::vector<TablePart> out;
        const auto& period = request_.period;
        for (const auto source : sources_) {
            if (source == Source::Sessions) {
                add_sessions(out);
            } else if (source == Source::Slices) {
                const bool rollup = rollup_possible(source);
                out.push_back({source, rollup ? "slices_minute" : "slices", "minute_time",
                               period.start_s, period.end_s, false, rollup, false});
                explain(rollup ? "the rollup by minute has every column"
                               : "slices: what happened inside the range");
            } else {
                out.push_back({source, "ad_views", request_.started ? "start_time" : "end_time",
                               period.start_s, period.end_s, needs_final_, false, false});
                explain("ad_views: figures of single ads");
            }
        }
        return out;
    }

    std::string order_sql() const {
        std::string out;
        const auto add = [&](std::size_t column, bool descending) {
            out += fmt::format("{}c{} {} NULLS LAST", out.empty() ? "" : ", ", column,
                               descending ? "DESC" : "ASC");
        };
        std::size_t first = plan_.columns.size();
        for (std::size_t i = 0; i < plan_.columns.size(); ++i) {
            if (plan_.columns[i].name == request_.order.name) first = i;
        }
        if (first < plan_.columns.size()) {
            add(first, request_.order.descending);
        } else if (plan_.group_columns < plan_.columns.size() && !plan_.series) {
            std::size_t metric = plan_.group_columns;
            while (metric + 1 < plan_.columns.size() && !plan_.columns[metric].is_metric) ++metric;
            add(metric, request_.order.descending);
        }
        for (std::size_t i = 0; i < plan_.group_columns; ++i) {
            if (i != first) add(i, false);
        }
        return out;
    }

    Result<void> write() {
        std::string inner;
        for (const auto& part : choose_tables()) {
            auto text = parts_.write(part);
            if (!text) return fail(text.error());
            inner += (inner.empty() ? "" : " UNION ALL ") + *text;
            if (std::find(plan_.tables.begin(), plan_.tables.end(), part.table) ==
                plan_.tables.end()) {
                plan_.tables.push_back(part.table);
            }
        }
        std::string sql =
            fmt::format("SELECT {}, count() OVER () AS total_rows FROM ({})", select_, inner);
        if (!group_.empty()) sql += fmt::format(" GROUP BY {} HAVING sum(n) > 0", group_);
        if (const auto order = order_sql(); !order.empty()) sql += " ORDER BY " + order;
        if (plan_.series) {
            sql += fmt::format(" LIMIT {}", kSeriesRowsMax + 1);
            write_buckets();
        } else if (request_.limit > 0) {
            sql += fmt::format(" LIMIT {} OFFSET {}", request_.limit, request_.offset);
        }
        plan_.statement.sql = std::move(sql);
        plan_.statement.parameters = parameters_.take();
        return {};
    }

    /// The engine cuts the buckets, so that days with 23 or 25 hours agree with the grouping.
    void write_buckets() {
        SqlParameters bound(customer_id_);
        const auto start = bound.integer(request_.period.start_s);
        const auto end = bound.integer(request_.period.end_s);
        const std::int64_t step = std::min<std::int64_t>(step_s(request_.granularity), kHour_s);
        plan_.buckets.sql = fmt::format(
            "SELECT DISTINCT toUnixTimestamp({}(toDateTime(least({} + number * {}, {} - 1), {}))) "
            "AS bucket FROM numbers({}) ORDER BY bucket",
            bucket_function(request_.granularity), start, step, end, bound.text(request_.timezone),
            request_.period.length_s() / step + 2);
        plan_.buckets.parameters = bound.take();
    }

    const QueryRequest& request_;
    const Dictionary& dictionary_;
    std::uint64_t customer_id_;
    SqlParameters parameters_;
    PartWriter parts_;
    Plan plan_;
    std::set<Source> sources_;
    std::string select_, group_, bucket_;
    bool needs_ad_ = false;
    bool needs_final_ = false;
};

}  // namespace

Result<Plan> plan_query(const QueryRequest& request, const Dictionary& dictionary,
                        std::uint64_t customer_id) {
    return Planner(request, dictionary, customer_id).plan();
}

}  // namespace playhead::query
