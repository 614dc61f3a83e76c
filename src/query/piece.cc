#include "query/piece.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "query/columns.h"
#include "query/confidence.h"
#include "query/result_cache.h"

namespace playhead::query {

namespace {

constexpr std::int64_t kExactUnique_s = kDay_s;

std::string factor(double value) {
    return value == 1 ? std::string() : fmt::format(" * {}", value);
}

/// Sums by minute of rows that have `minute`, as k_0 and so on; `by_day`: the largest of each day.
/// `group` are the group columns, each with a comma behind.
std::string peaks_sql(const std::string& rows, const std::string& group,
                      const std::vector<std::string>& peaks, bool by_day) {
    std::string values, largest;
    for (std::size_t i = 0; i < peaks.size(); ++i) {
        values += fmt::format("toInt64({}) AS k_{}, ", peaks[i], i);
        largest += fmt::format("max(k_{0}) AS k_{0}, ", i);
    }
    auto minutes = fmt::format("SELECT {0}{1}{2}sum(n) AS n FROM ({3}) GROUP BY {0}minute", group,
                               by_day ? "minute, " : "", values, rows);
    if (!by_day) return minutes;
    return fmt::format(
        "SELECT intDiv(toUnixTimestamp(minute), {0}) AS day, {1}{2}sum(n) AS n FROM ({3}) "
        "GROUP BY {1}day",
        kDay_s, group, largest, minutes);
}

/// Parts of the time of a row.
bool is_of_time(const DimensionUse& use) {
    return use.is("hourofday") || use.is("dayofweek");
}

bool rollup_has(Source source, const DimensionUse& use) {
    return use.dimension != nullptr &&
           (is_of_time(use) || rollup_has_dimension(source, use.dimension->key));
}

}  // namespace

PieceKind kind_of(const MetricUse& use) noexcept {
    if (use.aggregate != Aggregate::Plain || needs_sessions(use.figure)) return PieceKind::Rows;
    switch (use.metric->form) {
        case Form::Unique:
        case Form::PerUnique: return PieceKind::Rows;
        case Form::Peak: return PieceKind::Peak;
        default: return PieceKind::Sums;
    }
}

bool suits_days(const QueryRequest& request) {
    if (request.period.last_day() - request.period.first_day() < kKeptDaysMin) return false;
    if (request.confidence > 0) return false;
    // The sessions that it chooses are those of the whole period.
    if (request.qoe_filter && (request.concurrency || request.endpoint == Endpoint::Error)) {
        return false;
    }
    const auto metric_suits = [](const MetricUse& use) {
        return use.figure == Figure::Value && use.aggregate != Aggregate::Average;
    };
    // One for each session or viewer: days of these are as many rows as there are sessions, and
    // one of them is found by an index.
    const auto is_single = [](const DimensionUse& use) {
        constexpr std::array kSingle{"sessionid", "subscriberid", "deviceid", "ipaddress"};
        return std::any_of(kSingle.begin(), kSingle.end(),
                           [&](const char* key) { return use.is(key); });
    };
    const auto group_suits = [&](const DimensionUse& use) {
        if (use.is("timestamp")) return request.granularity >= Granularity::Hour;
        if (use.dimension == nullptr) return true;
        if (is_single(use)) return false;
        if (use.type() == ValueType::String || use.type() == ValueType::Boolean) return true;
        constexpr std::array kWhole{"asn",        "hourofday",     "dayofweek",
                                    "adpodindex", "adpodposition", "customerid"};
        return std::any_of(kWhole.begin(), kWhole.end(),
                           [&](const char* key) { return use.is(key); });
    };
    const auto filter_suits = [&](const Condition& each) { return !is_single(each.dimension); };
    return std::all_of(request.metrics.begin(), request.metrics.end(), metric_suits) &&
           std::all_of(request.group_by.begin(), request.group_by.end(), group_suits) &&
           std::all_of(request.filter.begin(), request.filter.end(), filter_suits) &&
           std::all_of(request.columns.begin(), request.columns.end(),
                       [](const DimensionUse& use) { return use.type() == ValueType::String; });
}

void Piece::group(const DimensionUse& use, const std::string& alias) {
    parts_.dimension(use, alias);
    groups_.emplace_back(use, alias);
    if (use.is("timestamp")) bucket_ = alias;
}

void Piece::attribute(const DimensionUse& use, std::size_t column) {
    const auto alias = "a" + std::to_string(column);
    parts_.dimension(use, alias, true);
    // A plain type: the others' NULL must fit beside it.
    const auto* type =
        use.type() == ValueType::String ? "CAST(anyLast({}) AS String)" : "anyLast({})";
    values_.emplace_back(column, fmt::format(fmt::runtime(type), alias));
}

void Piece::metric(const MetricUse& use, std::size_t column) {
    values_.emplace_back(column, metric_sql(use));
}

void Piece::count_beacons() {
    beacons_ = true;
    for (const auto* column : kBeaconColumns) parts_.sum(column);
}

std::string Piece::sums(const Expression& expression) {
    return expression.write([&](const std::string& column) {
        if (source_ == Source::Errors && column == "attempts") return attempts_sql();
        return "sum(" + parts_.sum(column) + ")";
    });
}

/// All attempts of the sessions that the group's other dimensions name: an attempt has no error
/// code, so the groups of one session dimension share theirs.
std::string Piece::attempts_sql() {
    attempts_ = true;
    std::string groups;
    for (const auto& [use, alias] : groups_) {
        if (!is_of_error(use)) groups += (groups.empty() ? "PARTITION BY " : ", ") + alias;
    }
    return fmt::format("sum(sum({})) OVER ({})", parts_.sum("attempts"), groups);
}

bool Piece::attempts_from_rollup() const {
    if (request_.qoe_filter) return false;
    const auto has = [](const DimensionUse& use) {
        return is_of_error(use) || use.is("timestamp") || rollup_has(Source::Slices, use);
    };
    return std::all_of(groups_.begin(), groups_.end(),
                       [&](const auto& group) { return has(group.first); }) &&
           std::all_of(request_.filter.begin(), request_.filter.end(),
                       [&](const Condition& each) { return has(each.dimension); });
}

std::string Piece::where_flag(const Sample& sample) {
    const auto where = sample.where.empty() ? std::string("1") : sample.where.text();
    return parts_.value("toUInt8(" + where + ")");
}

std::string Piece::sample_sql(const MetricUse& use, const Sample& sample) {
    if (by_state_) {
        approximate_ = true;
        return fmt::format(
            "quantileTDigestMerge({})({})", use.level,
            parts_.state(ColumnKind::Digest, "toFloat64(" + sample.value.text() + ")",
                         sample.where.text()));
    }
    const auto value = parts_.value("toFloat64(" + sample.value.text() + ")");
    const auto flag = where_flag(sample);
    if (use.aggregate == Aggregate::Average) return fmt::format("avgIf({}, {})", value, flag);
    approximate_ = true;
    // Written alike for each level asked for, the engine makes one sketch for all.
    std::vector<double> levels;
    for (const auto& other : request_.metrics) {
        if (other.metric == use.metric && other.aggregate == Aggregate::Percentile &&
            other.figure == Figure::Value) {
            levels.push_back(other.level);
        }
    }
    const auto place = std::find(levels.begin(), levels.end(), use.level) - levels.begin() + 1;
    return fmt::format("quantilesTDigestIf({})({}, {})[{}]", fmt::join(levels, ", "), value, flag,
                       place);
}

std::string Piece::unique_sql(const Sample& unique) {
    const bool exact = request_.period.length_s() <= kExactUnique_s;
    approximate_ = approximate_ || !exact;
    if (source_ == Source::Errors) parts_.need(unique.value.columns());
    // One type for the states of all: what is no hash yet is a text.
    const auto text = unique.value.text();
    const bool hashed = text == "viewer" || text.find("cityHash64(") != std::string::npos;
    const auto hash = hashed ? text : "cityHash64(" + text + ")";
    if (by_state_) {
        return fmt::format("uniqCombined64Merge(17)({})",
                           parts_.state(ColumnKind::Unique, hash, unique.where.text()));
    }
    const auto value = parts_.value(exact ? text : hash);
    return fmt::format("{}({}, {})", exact ? "uniqExactIf" : "uniqCombined64If(17)", value,
                       where_flag(unique));
}

/// Length of the range of a row, ms.
std::string Piece::range_ms() {
    const auto& period = request_.period;
    if (bucket_.empty()) return parameters_.integer(period.length_s() * 1000);
    const auto end = request_.granularity == Granularity::Day
                         ? fmt::format("toUnixTimestamp(addDays(toDateTime({}, {}), 1))", bucket_,
                                       parameters_.text(request_.timezone))
                         : fmt::format("{} + {}", bucket_, step_s(request_.granularity));
    return fmt::format("((least({}, {}) - greatest({}, {})) * 1000)", end,
                       parameters_.integer(period.end_s), bucket_,
                       parameters_.integer(period.start_s));
}

bool Piece::with_business(const Formula& formula) const {
    return request_.business_error && !formula.business.empty() && source_ != Source::AdViews;
}

std::string Piece::numerator_sql(const Formula& formula) {
    std::string out = sums(formula.numerator);
    if (with_business(formula)) out += " + " + sums(formula.business);
    return out;
}

std::pair<std::string, std::string> Piece::terms(const MetricUse& use, const Formula& formula) {
    if (use.aggregate != Aggregate::Plain) {
        const auto& where = formula.sample.where;
        const auto flag = where.empty() ? std::string("1") : where.text();
        return {parts_.value(
                    fmt::format("toFloat64(if({}, {}, 0))", flag, formula.sample.value.text())),
                parts_.value(fmt::format("toFloat64(if({}, 1, 0))", flag))};
    }
    const auto of_row = [&](const Expression& expression) {
        return expression.write([&](const std::string& column) {
            return "(" + summable_sql(source_, column).value_or("0") + ")";
        });
    };
    std::string x = of_row(formula.numerator);
    if (with_business(formula)) x += " + " + of_row(formula.business);
    const bool ratio = use.metric->form == Form::Ratio;
    return {parts_.value("toFloat64(" + x + ")"),
            parts_.value(ratio ? "toFloat64(" + of_row(formula.denominator) + ")"
                               : std::string("toFloat64(1)"))};
}

std::string Piece::confidence_deviate() {
    if (deviate_.empty()) {
        deviate_ = parameters_.number(normal_quantile(0.5 + request_.confidence / 2));
    }
    return deviate_;
}

std::string Piece::figure_sql(const MetricUse& use) {
    const Formula& formula = formula_of(use, source_, request_);
    const bool plain = use.aggregate == Aggregate::Plain;
    if (plain && use.figure == Figure::SumX) return numerator_sql(formula);
    if (plain && use.figure == Figure::SumY) return sums(formula.denominator);
    if (plain && use.metric->form != Form::Ratio && use.figure == Figure::Samples) {
        return "sum(n)";
    }
    const bool upper = use.figure == Figure::High;
    if (use.aggregate == Aggregate::Percentile && use.figure != Figure::Samples) {
        approximate_ = true;
        const auto value = parts_.value("toFloat64(" + formula.sample.value.text() + ")");
        return percentile_bound_sql(value, where_flag(formula.sample), use.level,
                                    confidence_deviate(), upper);
    }
    const auto [x, y] = terms(use, formula);
    switch (use.figure) {
        case Figure::SumX: return fmt::format("sum({})", x);
        case Figure::SumY: return fmt::format("sum({})", y);
        case Figure::SumXX: return fmt::format("sum({0} * {0})", x);
        case Figure::SumXY: return fmt::format("sum({} * {})", x, y);
        case Figure::SumYY: return fmt::format("sum({0} * {0})", y);
        case Figure::Samples: return samples_sql(x, y);
        default:
            return fmt::format("({}){}", ratio_bound_sql(x, y, confidence_deviate(), upper),
                               plain ? factor(formula.factor) : "");
    }
}

std::string Piece::metric_sql(const MetricUse& use) {
    const Metric& metric = *use.metric;
    const Formula& formula = formula_of(use, source_, request_);
    if (use.figure != Figure::Value) return figure_sql(use);
    if (use.aggregate != Aggregate::Plain) return sample_sql(use, formula.sample);
    if (metric.form == Form::Unique) return unique_sql(metric.unique);
    if (metric.form == Form::Peak) {
        // The sums by minute are made inside; see `peaks_sql`.
        peaks_.push_back(formula.numerator.write(
            [&](const std::string& column) { return "sum(" + parts_.sum(column) + ")"; }));
        return fmt::format("max(k_{})", peaks_.size() - 1);
    }
    const std::string numerator = numerator_sql(formula);
    switch (metric.form) {
        case Form::Ratio:
            return fmt::format("({}){} / nullIf({}, 0)", numerator, factor(formula.factor),
                               sums(formula.denominator));
        case Form::Rate: return fmt::format("({}) / {}", numerator, range_ms());
        case Form::PerUnique:
            return fmt::format("({}){} / nullIf({}, 0)", numerator, factor(formula.factor),
                               unique_sql(metric.unique));
        default: return fmt::format("({}){}", numerator, factor(formula.factor));
    }
}

bool Piece::rollup_possible(const Dictionary& dictionary) const {
    if (kind_ == PieceKind::Rows || request_.qoe_filter) return false;
    bool of_hours = false;
    for (const auto& [use, alias] : groups_) {
        of_hours = of_hours || is_of_time(use);
        if (!use.is("timestamp") && !rollup_has(source_, use)) return false;
    }
    for (const auto& each : request_.filter) {
        of_hours = of_hours || is_of_time(each.dimension);
        if (!rollup_has(source_, each.dimension)) return false;
    }
    for (const auto& column : parts_.columns()) {
        if (column.kind != ColumnKind::Sum || !rollup_has_sum(source_, summed_column(column))) {
            return false;
        }
    }
    // Minutes tell every time of a slice; rows of sessions are by hours of UTC.
    if (source_ == Source::Slices) return true;
    if (!bucket_.empty() && request_.granularity < Granularity::Hour) return false;
    const bool local = !bucket_.empty() || of_hours;
    return !local || dictionary.timezone_whole_hours(request_.timezone);
}

Result<std::string> Piece::inner_sql(const std::vector<TablePart>& tables) {
    if (kind_ == PieceKind::Peak) parts_.minute();
    std::string inner;
    for (const auto& part : tables) {
        auto text = parts_.write(part);
        if (!text) return text;
        inner += (inner.empty() ? "" : " UNION ALL ") + *text;
    }
    return inner;
}

Result<std::string> Piece::write_totals(const std::vector<TablePart>& tables) {
    auto inner = inner_sql(tables);
    if (!inner) return inner;
    return fmt::format(
        "SELECT tuple(sum(n), sum(s_beacons), sum(s_beacons_late), sum(s_beacons_lost), "
        "sum(s_beacons_numbered)) FROM ({})",
        *inner);
}

std::string Piece::group_sql() const {
    std::string out;
    for (const auto& [use, alias] : groups_) out += alias + ", ";
    return out;
}

/// The peaks as the sums that are kept of them: one for each group and day.
PartShape Piece::peak_shape() const {
    PartShape out{source_, false, true, {}, {}, parts_.shape().groups};
    for (std::size_t i = 0; i < peaks_.size(); ++i) {
        out.columns.push_back({"k_" + std::to_string(i), {}, ColumnKind::Sum});
    }
    return out;
}

Result<DayRecipe> Piece::recipe(TablePart part, std::uint64_t customer_id) const {
    DayRecipe out;
    out.details = source_ != Source::Sessions;
    const bool peak = kind_ == PieceKind::Peak;
    auto rows = parts_.shape();
    rows.minute = peak;
    // It outlives this piece and its request.
    out.write = [request = std::make_shared<const QueryRequest>(request_), rows = std::move(rows),
                 kept = peak ? peak_shape() : parts_.shape(), group = group_sql(), peaks = peaks_,
                 part = std::move(part), customer_id,
                 peak](std::int64_t from_s, std::int64_t to_s,
                       std::uint64_t build) -> Result<store::Statement> {
        SqlParameters parameters(customer_id);
        TablePart days = part;
        days.from_s = from_s;
        days.to_s = to_s;
        PartWriter reader(*request, parameters, rows);
        auto by_day = peak ? reader.write(days) : reader.write_by_day(days);
        if (!by_day) return fail(by_day.error());
        if (peak) by_day = peaks_sql(*by_day, group, peaks, true);
        PartWriter writer(*request, parameters, kept);
        auto sql = writer.insert_days(*by_day, build);
        return store::Statement{std::move(sql), parameters.take()};
    };
    const auto statement = out.write(0, kDay_s, 0);
    if (!statement) return fail(statement.error());
    out.key = plan_key(*statement);
    return out;
}

Result<std::string> Piece::write(const std::vector<TablePart>& tables,
                                 const std::vector<KeptRange>& kept, std::size_t columns,
                                 bool beacons) {
    auto rows = inner_sql(tables);
    if (!rows) return rows;
    std::string inner = std::move(*rows);
    const bool peak = kind_ == PieceKind::Peak;
    if (peak && !inner.empty()) inner = peaks_sql(inner, group_sql(), peaks_, false);
    if (!kept.empty()) {
        PartWriter writer(request_, parameters_, peak ? peak_shape() : parts_.shape());
        inner += (inner.empty() ? "" : " UNION ALL ") + writer.write_kept(kept);
    }
    const auto group = group_sql();
    std::string select = group;
    for (std::size_t i = 0; i < columns; ++i) {
        const auto own = std::find_if(values_.begin(), values_.end(),
                                      [&](const auto& value) { return value.first == i; });
        select += fmt::format("{} AS m{}, ", own == values_.end() ? "NULL" : own->second, i);
    }
    if (beacons) {
        for (const auto* column : kBeaconColumns) {
            select += beacons_ ? fmt::format("sum(s_{0}) AS {0}, ", column)
                               : fmt::format("NULL AS {}, ", column);
        }
    }
    if (attempts_ && !group.empty()) select += "sum(n) AS group_rows, ";
    std::string out =
        fmt::format("SELECT {} FROM ({})", select.substr(0, select.size() - 2), inner);
    if (group.empty()) return out;
    out += " GROUP BY " + group.substr(0, group.size() - 2);
    if (!attempts_) return out + " HAVING sum(n) > 0";
    // Attempts of groups without errors count in the windows, and are no rows of their own.
    return fmt::format("SELECT * EXCEPT (group_rows) FROM ({}) WHERE group_rows > 0", out);
}

}  // namespace playhead::query
