#include "query/part.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <set>

#include "query/columns.h"
#include "query/error_rows.h"

namespace playhead::query {

namespace {

const char* sql_of(Operator op) {
    switch (op) {
        case Operator::Greater: return ">";
        case Operator::GreaterEqual: return ">=";
        case Operator::Less: return "<";
        case Operator::LessEqual: return "<=";
        case Operator::NotEqual: return "!=";
        default: return "=";
    }
}

std::string sessions_sql(const Expression& expression) {
    return expression.write([](const std::string& column) {
        return summable_sql(Source::Sessions, column).value_or(column);
    });
}

/// The partition of a day, as the engine names it.
std::string partition_of(std::int64_t epoch_s) {
    return fmt::format("{:%Y%m%d}", fmt::gmtime(static_cast<std::time_t>(epoch_s)));
}

/// Sessions that began in one of these hours: the key of the table tells where they are.
std::string in_hours(SqlParameters& parameters, const std::vector<std::int64_t>& hours) {
    if (hours.empty()) return {};
    std::string list;
    for (const auto hour : hours) {
        list += (list.empty() ? "" : ", ") + parameters.whole_time(hour);
    }
    return fmt::format(" AND toStartOfHour(start_time) IN ({})", list);
}

tl::unexpected<Error> no_session_value(const MetricUse& use) {
    return fail(Error{ErrorCode::Unprocessable,
                      use.name + " has no value of a single session, which qoefilter compares",
                      "qoefilter", use.name,
                      "a metric with a value per session, e.g. latency, bufferingratio, errors"});
}

/// The conditions that keep rows to the part's time.
std::string time_bounds(SqlParameters& parameters, const TablePart& part) {
    // In the column's own type, else every row of it would be converted.
    const auto time = [&](std::int64_t epoch_s) {
        return part.rollup ? parameters.whole_time(epoch_s) : parameters.time(epoch_s);
    };
    const auto within = [&](std::int64_t from_s, std::int64_t to_s) {
        std::string out = fmt::format("{} >= {} AND {} < {}", part.time_column, time(from_s),
                                      part.time_column, time(to_s));
        if (part.time_column == "end_time" && !part.rollup) {
            // Parts and granules are by start: nothing starts after it ends.
            out +=
                fmt::format(" AND start_time >= {} AND start_time < {}",
                            parameters.time(from_s - kSessionLengthMax_s), parameters.time(to_s));
        }
        return out;
    };
    auto out = within(part.from_s, part.to_s);
    if (part.more.empty()) return " AND " + out;
    for (const auto& [from_s, to_s] : part.more) out += " OR " + within(from_s, to_s);
    return " AND (" + out + ")";
}

/// The array of `kept_days` that has the column.
const char* kept_in(const SourceColumn& column, Source source) {
    if (column.kind == ColumnKind::Unique) return "uniques";
    if (column.kind == ColumnKind::Digest) return "digests";
    return is_real_sum(source, summed_column(column)) ? "reals" : "sums";
}

}  // namespace

std::string not_cancelled(SqlParameters& parameters, const TablePart& part,
                          const std::vector<std::int64_t>& hours) {
    const char* row =
        part.source == Source::AdViews ? "(sessionid, ordinal, revision)" : "(sessionid, revision)";
    // They equal what they cancel but for the sign: so they are at the same time.
    const auto cancels = fmt::format("{} AND sign = -1{}{}", scope(part.table, false),
                                     time_bounds(parameters, part), in_hours(parameters, hours));
    return fmt::format(
        " AND sign = 1 AND ((SELECT count() {0}) = 0 OR {1} NOT IN (SELECT {1} {0}))", cancels,
        row);
}

const Formula& formula_of(const MetricUse& use, Source source, const QueryRequest& request) {
    if (source == Source::AdViews) return use.metric->ad;
    const bool of_errors = request.endpoint == Endpoint::Error && source == Source::Slices;
    if (source == Source::Errors || (of_errors && !use.metric->error.empty())) {
        return use.metric->error;
    }
    const auto variant = use.metric->variants.find(request.definition);
    return variant == use.metric->variants.end() ? use.metric->formula : variant->second;
}

bool is_of_error(const DimensionUse& use) noexcept {
    return use.is("errorcode") || use.is("errormessage") || use.is("errortype") ||
           use.is("errorphase");
}

void PartWriter::need(const std::vector<std::string>& columns) {
    shape_.needed.insert(shape_.needed.end(), columns.begin(), columns.end());
}

/// Columns of sessions that the rows of single errors must carry.
std::vector<std::string> PartWriter::session_columns() const {
    std::set<std::string> out(shape_.needed.begin(), shape_.needed.end());
    const auto add = [&](const DimensionUse& use) {
        if (use.dimension == nullptr) {
            out.insert("tags");
        } else if (!is_of_error(use)) {
            for (const auto& column : use.dimension->expression.columns()) out.insert(column);
        }
    };
    for (const auto& each : shape_.groups) add(each.use);
    for (const auto& each : request_.filter) add(each.dimension);
    out.erase("sessionid");
    return {out.begin(), out.end()};
}

std::string PartWriter::sum(const std::string& column) {
    std::string alias = "s_" + column;
    const bool known = std::any_of(shape_.columns.begin(), shape_.columns.end(),
                                   [&](const auto& other) { return other.alias == alias; });
    if (!known) {
        shape_.columns.push_back(
            {alias, summable_sql(shape_.source, column).value_or("0"), ColumnKind::Sum});
    }
    return alias;
}

std::string PartWriter::value(const std::string& sql) {
    for (const auto& column : shape_.columns) {
        if (column.kind == ColumnKind::Row && column.sql == sql) return column.alias;
    }
    std::string alias = "v" + std::to_string(shape_.columns.size());
    shape_.columns.push_back({alias, sql, ColumnKind::Row});
    return alias;
}

std::string PartWriter::state(ColumnKind kind, const std::string& value, const std::string& where) {
    const char* function =
        kind == ColumnKind::Unique ? "uniqCombined64StateIf(17)" : "quantileTDigestStateIf";
    const auto sql = fmt::format("{}({}, {})", function, value, where.empty() ? "1" : where);
    for (const auto& column : shape_.columns) {
        if (column.kind == kind && column.sql == sql) return column.alias;
    }
    std::string alias = "u" + std::to_string(shape_.columns.size());
    shape_.columns.push_back({alias, sql, kind});
    return alias;
}

bool PartShape::has_states() const noexcept {
    return std::any_of(columns.begin(), columns.end(), [](const SourceColumn& column) {
        return column.kind == ColumnKind::Unique || column.kind == ColumnKind::Digest;
    });
}

void PartWriter::dimension(const DimensionUse& use, const std::string& alias, bool any) {
    shape_.groups.push_back({use, alias, any});
}

std::string PartWriter::bucket_sql(const TablePart& part) {
    return fmt::format("toUnixTimestamp({}(toDateTime({}, {})))",
                       bucket_function(request_.granularity), part.time_column,
                       parameters_.text(request_.timezone));
}

std::string PartWriter::dimension_sql(const DimensionUse& use, const TablePart& part) {
    if (use.dimension == nullptr) return "tags[" + parameters_.text(use.tag) + "]";
    if (use.is("timestamp")) return bucket_sql(part);
    return use.dimension->expression.write([&](const std::string& name) {
        if (name == "{time}") return part.time_column;
        if (name == "{timezone}") return parameters_.text(request_.timezone);
        return name;
    });
}

std::string PartWriter::text_condition(const Condition& condition, const std::string& column) {
    const bool negated =
        condition.op == Operator::NotEqual || condition.op == Operator::NotContains;
    if (condition.op == Operator::Equal || condition.op == Operator::NotEqual) {
        std::string list;
        for (const auto& value : condition.values) {
            list += (list.empty() ? "" : ", ") + parameters_.text(value);
        }
        return fmt::format("{} {} ({})", column, negated ? "NOT IN" : "IN", list);
    }
    std::string any;
    for (const auto& value : condition.values) {
        const auto holder = parameters_.text(value);
        if (!any.empty()) any += " OR ";
        switch (condition.op) {
            case Operator::Contains:
            case Operator::NotContains:
                any += fmt::format("position({}, {}) > 0", column, holder);
                break;
            case Operator::StartsWith:
                any += fmt::format("startsWith({}, {})", column, holder);
                break;
            case Operator::Matches: any += fmt::format("match({}, {})", column, holder); break;
            default: any += fmt::format("{} {} {}", column, sql_of(condition.op), holder); break;
        }
    }
    return fmt::format("{}({})", negated ? "NOT " : "", any);
}

std::string PartWriter::number_condition(const Condition& condition, const std::string& column) {
    std::string out;
    const bool none = condition.op == Operator::NotEqual;
    for (const auto& value : condition.values) {
        if (!out.empty()) out += none ? " AND " : " OR ";
        out += fmt::format("toFloat64({}) {} {}", column, sql_of(condition.op),
                           parameters_.number(std::strtod(value.c_str(), nullptr)));
    }
    return "(" + out + ")";
}

std::string PartWriter::condition(const Condition& condition, const TablePart& part) {
    const auto column = dimension_sql(condition.dimension, part);
    const bool is_text = condition.dimension.type() == ValueType::String;
    if (condition.op == Operator::Null || condition.op == Operator::NotNull) {
        return fmt::format("{} {} {}", column,
                           condition.op == Operator::Null ? "=" : "!=", is_text ? "''" : "0");
    }
    return is_text ? text_condition(condition, column) : number_condition(condition, column);
}

Result<std::string> PartWriter::qoe_value(const MetricUse& use, std::string& guard) const {
    const Metric& metric = *use.metric;
    const Formula& formula = formula_of(use, Source::Sessions, request_);
    if (metric.source != Source::Sessions) return no_session_value(use);
    if (!formula.sample.empty()) {
        guard = formula.sample.where.text();
        return formula.sample.value.text();
    }
    const auto numerator = sessions_sql(formula.numerator);
    if (metric.form == Form::Count) {
        guard.clear();
        return fmt::format("({}) * {}", numerator, formula.factor);
    }
    if (metric.form != Form::Ratio) return no_session_value(use);
    const auto denominator = sessions_sql(formula.denominator);
    guard = fmt::format("({}) != 0", denominator);
    return fmt::format("({}) * {} / ({})", numerator, formula.factor, denominator);
}

Result<std::string> PartWriter::qoe(const QoeNode& node) {
    if (node.kind == QoeNode::Kind::Compare) {
        std::string guard;
        auto value = qoe_value(node.metric, guard);
        if (!value) return value;
        const auto comparison =
            fmt::format("({}) {} {}", *value, sql_of(node.op), parameters_.number(node.value));
        return guard.empty() ? comparison : fmt::format("(({}) AND {})", guard, comparison);
    }
    std::string out;
    for (const auto& child : node.children) {
        auto text = qoe(child);
        if (!text) return text;
        if (!out.empty()) out += node.kind == QoeNode::Kind::And ? " AND " : " OR ";
        out += *text;
    }
    return "(" + out + ")";
}

/// The sessions that overlap the period and fulfil `where`, for tables without session totals.
std::string PartWriter::qoe_sessions(const std::string& where) {
    const auto from = parameters_.time(request_.period.start_s);
    const auto to = parameters_.time(request_.period.end_s);
    const auto earliest = parameters_.time(request_.period.start_s - kSessionLengthMax_s);
    const auto overlap = fmt::format(" AND start_time >= {} AND start_time < {} AND end_time >= {}",
                                     earliest, to, from);
    return fmt::format(
        " AND sessionid IN (SELECT sessionid {}{} AND {} UNION ALL "
        "SELECT sessionid {} AND closed = 0{} AND {})",
        scope("sessions", true), overlap, where, scope("live_sessions", true), overlap, where);
}

Result<std::string> PartWriter::conditions(const TablePart& part) {
    std::string out;
    for (const auto& each : request_.filter) {
        // Attempts beside single errors: no attempt has an error's code.
        const bool attempts = shape_.source == Source::Errors && part.source == Source::Slices;
        if (attempts && is_of_error(each.dimension)) continue;
        out += " AND " + condition(each, part);
    }
    if (part.source == Source::Sessions && !request_.all_status) {
        out += " AND viewstatus IN ('ENDED', 'EXITED', 'FAILED', 'DROPPED')";
    }
    if (request_.endpoint == Endpoint::QbrDataLive) out += " AND islive = 1";
    if (!request_.qoe_filter) return out;
    auto where = qoe(*request_.qoe_filter);
    if (!where) return where;
    return out + (part.source == Source::Sessions ? " AND " + *where : qoe_sessions(*where));
}

Result<std::string> PartWriter::from(const TablePart& part) {
    if (part.source == Source::Errors) {
        auto where = conditions(part);
        if (!where) return where;
        return error_rows(parameters_, part, session_columns()) + " WHERE 1" + *where;
    }
    std::string out = scope(part.table, part.live);
    if (part.whole_days) {
        out += fmt::format(" AND _partition_id >= {} AND _partition_id <= {}",
                           parameters_.text(partition_of(part.from_s)),
                           parameters_.text(partition_of(part.to_s - kDay_s)));
    } else {
        out += time_bounds(parameters_, part);
    }
    const bool of_sessions = part.source == Source::Sessions && !part.rollup && !part.live;
    const auto hours = of_sessions ? request_.start_hours : std::vector<std::int64_t>{};
    out += in_hours(parameters_, hours);
    if (part.live) out += " AND closed = 0";
    auto where = conditions(part);
    if (!where) return where;
    out += *where;
    const bool revised = !part.live && !part.rollup && part.source != Source::Slices;
    if (part.whole_rows && revised) out += not_cancelled(parameters_, part, hours);
    return out;
}

/// Attempts beside single errors: the same columns, and no row of its own (n is 0).
Result<std::string> PartWriter::write_attempts(const TablePart& part) {
    // Added up here, minutes and all: millions of rows are not handed on to be grouped by a text.
    std::string select, groups;
    for (const auto& [use, alias, any] : shape_.groups) {
        groups += (groups.empty() ? " GROUP BY " : ", ") + alias;
        select += is_of_error(use) ? fmt::format("'' AS {}, ", alias)
                                   : fmt::format("{} AS {}, ", dimension_sql(use, part), alias);
    }
    for (const auto& column : shape_.columns) {
        select +=
            fmt::format("{} AS {}, ", column.alias == "s_attempts" ? "sum(attempts)" : "toInt64(0)",
                        column.alias);
    }
    auto rest = from(part);
    if (!rest) return rest;
    return fmt::format("SELECT {}toInt64(0) AS n {}{}", select, *rest, groups);
}

Result<std::string> PartWriter::write(const TablePart& part) {
    if (shape_.source == Source::Errors && part.source == Source::Slices)
        return write_attempts(part);
    return write_rows(part, false);
}

Result<std::string> PartWriter::write_rows(const TablePart& part, bool by_day) {
    const bool grouped = by_day || shape_.has_states();
    std::string select, groups;
    const auto add = [&](const std::string& sql, const std::string& alias) {
        select += fmt::format("{}{} AS {}", select.empty() ? "" : ", ", sql, alias);
    };
    const auto summed = [&](const std::string& sql, bool real) {
        auto sum = grouped ? "sum(" + sql + ")" : sql;
        if (!shape_.typed) return sum;
        return fmt::format("{}({})", real ? "toFloat64" : "toInt64", sum);
    };
    if (by_day) {
        add(fmt::format("intDiv(toUnixTimestamp({}), {})", part.time_column, kDay_s), "day");
        groups = "day";
    }
    for (const auto& [use, alias, any] : shape_.groups) {
        const auto sql = dimension_sql(use, part);
        add(any && grouped ? "anyLast(" + sql + ")" : sql, alias);
        if (!any) groups += (groups.empty() ? "" : ", ") + alias;
    }
    const bool is_signed = part.source != Source::Slices && part.source != Source::Errors &&
                           !part.rollup && !part.live && !part.whole_rows;
    for (const auto& column : shape_.columns) {
        if (column.kind == ColumnKind::Sum) {
            const auto sql = part.rollup ? std::string(summed_column(column)) : column.sql;
            add(summed(is_signed ? fmt::format("({}) * sign", sql) : sql,
                       is_real_sum(part.source, summed_column(column))),
                column.alias);
        } else {
            add(column.sql, column.alias);
        }
    }
    if (shape_.minute) add("toStartOfMinute(minute_time)", "minute");
    const bool rollup_rows = part.rollup && part.source == Source::Sessions;
    add(summed(rollup_rows ? "sessions" : is_signed ? "toInt64(sign)" : "toInt64(1)", false), "n");
    auto rest = from(part);
    if (!rest) return rest;
    auto out = fmt::format("SELECT {} {}", select, *rest);
    if (grouped && !groups.empty()) out += " GROUP BY " + groups;
    return out;
}

std::string PartWriter::insert_days(const std::string& by_day, std::uint64_t build) {
    std::map<std::string, std::string> arrays;
    const auto add = [&](const char* array, const std::string& sql) {
        auto& list = arrays[array];
        list += (list.empty() ? "" : ", ") + sql;
    };
    for (const auto& [use, alias, any] : shape_.groups) {
        add(any ? "texts" : "groups", "toString(" + alias + ")");
    }
    for (const auto& column : shape_.columns) {
        add(kept_in(column, shape_.source), column.alias);
    }
    std::string names, values;
    for (const auto& [array, list] : arrays) {
        names += fmt::format(", {}", array);
        values += fmt::format(", [{}]", list);
    }
    return fmt::format(
        "INSERT INTO {} (customerid, build, day, n{}) SELECT {{customer:UInt64}}, {}, day, n{} "
        "FROM ({})",
        kKeptDaysTable, names, parameters_.unsigned_integer(build), values, by_day);
}

std::string PartWriter::write_kept(const std::vector<KeptRange>& ranges) {
    std::string select, where;
    std::map<std::string, int> places;
    const auto add = [&](const char* function, const char* array, const std::string& alias) {
        const auto value = fmt::format("{}[{}]", array, ++places[array]);
        select += *function == '\0' ? fmt::format("{} AS {}, ", value, alias)
                                    : fmt::format("{}({}) AS {}, ", function, value, alias);
    };
    for (const auto& [use, alias, any] : shape_.groups) {
        add(use.type() == ValueType::String ? "" : "toInt64", any ? "texts" : "groups", alias);
    }
    for (const auto& column : shape_.columns) {
        add("", kept_in(column, shape_.source), column.alias);
    }
    for (const auto& range : ranges) {
        where +=
            fmt::format("{}(build = {} AND day >= {} AND day < {})", where.empty() ? "" : " OR ",
                        parameters_.unsigned_integer(range.build),
                        parameters_.integer(range.from_day), parameters_.integer(range.to_day));
    }
    return fmt::format("SELECT {}n {} AND ({})", select, scope(kKeptDaysTable, false), where);
}

}  // namespace playhead::query
