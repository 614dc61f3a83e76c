#include "query/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <set>

#include "query/columns.h"
#include "query/part.h"
#include "query/piece.h"
#include "query/session_rows.h"
#include "query/table_choice.h"
#include "query/views.h"

namespace playhead::query {

namespace {

constexpr std::int64_t kHour_s = 3600;

class Planner {
public:
    Planner(const QueryRequest& request, const Dictionary& dictionary, std::uint64_t customer_id,
            const KeptDays* days)
        : request_(request),
          dictionary_(dictionary),
          customer_id_(customer_id),
          days_(days),
          parameters_(customer_id),
          tables_(request, dictionary, customer_id, days, plan_) {}

    Result<Plan> plan() {
        find_ad_need();
        find_error_need();
        add_groups();
        for (const auto& use : request_.columns) add_column(use.name, use.type());
        for (const auto& use : request_.metrics) {
            if (auto ok = add_metric(use); !ok) return fail(ok.error());
        }
        if (sources_.empty()) {
            sources_.insert(needs_ad_       ? Source::AdViews
                            : needs_errors_ ? Source::Errors
                                            : Source::Sessions);
        }
        if (auto ok = check_dimensions(request_, sources_); !ok) return fail(ok.error());
        if (auto ok = check_buckets(); !ok) return fail(ok.error());
        if (auto ok = write(); !ok) return fail(ok.error());
        plan_.statement.parameters = parameters_.take();
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

    /// Single errors are needed for what only they have. Elsewhere errorcode and errormessage are
    /// the session's last; on /error they are each error's own.
    void find_error_need() {
        const bool endpoint = request_.endpoint == Endpoint::Error;
        slices_know_all_ = endpoint;
        const auto look = [&](const DimensionUse& use) {
            needs_errors_ =
                needs_errors_ || (is_of_error(use) && (endpoint || !use.on(Source::Slices)));
            slices_know_all_ = slices_know_all_ && use.on(Source::Slices);
        };
        for (const auto* list : {&request_.group_by, &request_.columns}) {
            for (const auto& use : *list) look(use);
        }
        for (const auto& each : request_.filter) look(each.dimension);
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
                              "a metric of single ads (e.g. adimpression, adstarts); without ad "
                              "dimensions in aggby, metrics and filter it works in " +
                                  std::string(views_of(metric.source)));
        }
        if (needs_errors_) {
            if (!metric.error.empty() && use.aggregate == Aggregate::Plain) return Source::Errors;
            return impossible(use.name, use.name + " is not known per error",
                              "errors, fatalerrors, warnings, errorrate, affectedsessions, "
                              "affectedusers, failurerate or totalstartupfailure; without "
                              "dimensions of errors it works in " +
                                  std::string(views_of(metric.source)));
        }
        // On /error an error counts when it happens, also without a dimension of its own.
        if (slices_know_all_ && !metric.error.empty() && use.aggregate == Aggregate::Plain) {
            return Source::Slices;
        }
        if (request_.concurrency) {
            if (needs_sessions(use.figure)) {
                return fail(Error{ErrorCode::Unprocessable,
                                  "confidence intervals need whole sessions", "ci", "1",
                                  "concurrency=0, another view than live, or ci=0"});
            }
            if (metric.concurrency && use.aggregate == Aggregate::Plain) return Source::Slices;
            return impossible(use.name, use.name + " is not available with concurrency=1",
                              "concurrency=0: " + std::string(views_of(metric.source)));
        }
        return metric.source;
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

    void add_groups() {
        for (const auto& use : request_.group_by) {
            if (use.is("timestamp")) {
                plan_.series = true;
                plan_.timestamp_column = plan_.columns.size();
            }
            add_column(use.name, use.type());
        }
        plan_.group_columns = plan_.columns.size();
    }

    void add_column(const std::string& name, ValueType type) {
        PlanColumn column;
        column.name = name;
        column.type = type;
        plan_.columns.push_back(column);
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
        metric_sources_.push_back(*source);
        add_column(use.name, ValueType::Number);
        const bool plain = use.aggregate == Aggregate::Plain;
        auto& column = plan_.columns.back();
        column.is_metric = true;
        column.decimals = use.metric->decimals;
        if (use.figure != Figure::Value) {
            column.integral = use.figure == Figure::Samples;
            column.zero_when_empty = column.integral;
            return {};
        }
        column.integral = plain && use.metric->integral();
        column.zero_when_empty =
            plain && use.metric->form != Form::Ratio && use.metric->form != Form::PerUnique;
        const bool variant =
            &formula != &use.metric->error && use.metric->variants.contains(request_.definition);
        std::string numerator = formula.numerator.text();
        const bool business = request_.business_error && *source != Source::AdViews;
        if (business && !formula.business.empty()) numerator += " + " + formula.business.text();
        plan_.definitions.push_back({use.name, variant ? request_.definition : "smartsight",
                                     formula.unit, std::move(numerator), formula.denominator.text(),
                                     formula.definition, name_of(*source)});
        return {};
    }

    Piece& piece_of(Source source, PieceKind kind) {
        for (auto& piece : pieces_) {
            if (piece.source() == source && piece.kind() == kind) return piece;
        }
        auto& piece = pieces_.emplace_back(request_, parameters_, source, kind, days_ != nullptr);
        for (std::size_t i = 0; i < request_.group_by.size(); ++i) {
            piece.group(request_.group_by[i], "d" + std::to_string(i));
        }
        return piece;
    }

    std::size_t first_metric() const { return plan_.group_columns + request_.columns.size(); }

    void add_uses(PieceKind kind, bool sums_as_rows) {
        for (std::size_t i = 0; i < request_.metrics.size(); ++i) {
            const auto& use = request_.metrics[i];
            if (kind_of(use) != kind) continue;
            piece_of(metric_sources_[i], sums_as_rows ? PieceKind::Rows : kind)
                .metric(use, first_metric() + i);
        }
    }

    /// Each kind of metric in the piece that reads least: sums from a rollup where one has all of
    /// them, else together with the rows when those are read anyway.
    void make_pieces() {
        if (!request_.columns.empty()) {
            auto& rows = piece_of(*sources_.begin(), PieceKind::Rows);
            for (std::size_t i = 0; i < request_.columns.size(); ++i) {
                rows.attribute(request_.columns[i], plan_.group_columns + i);
            }
        }
        add_uses(PieceKind::Rows, false);
        const bool rows_are_read = !pieces_.empty() && !needs_errors_;
        add_uses(PieceKind::Sums, false);
        const bool rollup = std::all_of(pieces_.begin(), pieces_.end(), [&](const Piece& piece) {
            return piece.kind() != PieceKind::Sums || piece.rollup_possible(dictionary_);
        });
        if (rows_are_read && !rollup) {
            pieces_.remove_if([](const Piece& piece) { return piece.kind() == PieceKind::Sums; });
            add_uses(PieceKind::Sums, true);
        }
        add_uses(PieceKind::Peak, false);
        if (pieces_.empty()) piece_of(*sources_.begin(), PieceKind::Sums);
        if (request_.meta) add_beacons();
    }

    /// Beacons come from sums; rows alone would have to read three more columns each, so a rollup
    /// is asked beside them where it can.
    void add_beacons() {
        const auto counts = [](const Piece& piece, PieceKind kind) {
            return (piece.source() == Source::Sessions || piece.source() == Source::Slices) &&
                   piece.kind() == kind;
        };
        for (auto& piece : pieces_) {
            if (!counts(piece, PieceKind::Sums)) continue;
            with_beacons_ = true;
            return piece.count_beacons();
        }
        for (auto& piece : pieces_) {
            if (!counts(piece, PieceKind::Rows)) continue;
            with_beacons_ = true;
            auto& sums = piece_of(piece.source(), PieceKind::Sums);
            sums.count_beacons();
            if (sums.rollup_possible(dictionary_)) return;
            pieces_.pop_back();
            return piece.count_beacons();
        }
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
        // A dimension of ads or errors is not in the session's row.
        const bool of_sessions = sources_.size() == 1 && sources_.contains(Source::Sessions);
        if (of_sessions && rows_are_sessions(request_)) {
            if (request_.confidence > 0) {
                return fail(Error{ErrorCode::Unprocessable,
                                  "one session has no confidence interval", "ci", "1",
                                  "a view with groups of sessions, or ci=0"});
            }
            return write_sessions();
        }
        make_pieces();
        std::string inner;
        for (auto& piece : pieces_) {
            const auto kept = tables_.days_of(piece);
            if (!kept) return fail(kept.error());
            const auto tables = tables_.of(piece, *kept);
            for (const auto& part : tables) plan_.reads(part.table);
            auto text = piece.write(tables, *kept, plan_.columns.size(), with_beacons_);
            if (!text) return fail(text.error());
            inner += (inner.empty() ? "" : " UNION ALL ") + *text;
            plan_.approximate = plan_.approximate || piece.approximate();
        }
        plan_.statement.sql = outer_sql(inner);
        if (plan_.series) {
            plan_.statement.sql += fmt::format(" LIMIT {}", kSeriesRowsMax + 1);
            write_buckets();
        } else if (request_.limit > 0) {
            plan_.statement.sql +=
                fmt::format(" LIMIT {} OFFSET {}", request_.limit, request_.offset);
        }
        return {};
    }

    /// Puts the pieces of a group side by side: of each column one piece has a value.
    std::string outer_sql(const std::string& inner) const {
        const bool joined = pieces_.size() > 1;
        std::string sql = "SELECT ";
        std::string group;
        for (std::size_t i = 0; i < plan_.columns.size(); ++i) {
            if (i < plan_.group_columns) {
                sql += fmt::format("d{0} AS c{0}, ", i);
                group += fmt::format("{}d{}", group.empty() ? "" : ", ", i);
            } else if (!joined) {
                sql += fmt::format("m{0} AS c{0}, ", i);
            } else {
                const bool zero = plan_.columns[i].zero_when_empty;
                sql += fmt::format(
                    fmt::runtime(zero ? "ifNull(any(m{0}), 0) AS c{0}, " : "any(m{0}) AS c{0}, "),
                    i);
            }
        }
        sql += "count() OVER () AS total_rows";
        for (const auto* column : kBeaconColumns) {
            const char* text = !with_beacons_ ? ", NULL AS {}"
                               : joined       ? ", sum(sum({0})) OVER () AS {0}"
                                              : ", sum({0}) OVER () AS {0}";
            sql += fmt::format(fmt::runtime(text), column);
        }
        sql += fmt::format(" FROM ({})", inner);
        if (joined && !group.empty()) sql += " GROUP BY " + group;
        if (const auto order = order_sql(); !order.empty()) sql += " ORDER BY " + order;
        return sql;
    }

    Result<void> write_sessions() {
        const auto closed =
            tables_.closed_part(request_.period.start_s, request_.period.end_s, true);
        const auto open = tables_.open_part();
        Piece sums(request_, parameters_, Source::Sessions, PieceKind::Sums);
        sums.count_beacons();
        auto totals = sums.write_totals(tables_.of(sums, {}));
        if (!totals) return fail(totals.error());
        auto sql = write_session_rows(request_, parameters_, plan_, *totals, closed, open);
        if (!sql) return fail(sql.error());
        plan_.statement.sql = std::move(*sql);
        plan_.reads(closed.table);
        plan_.reads(open.table);
        plan_.because("one row per session: no groups, and only the columns of the rows shown");
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
    const KeptDays* days_;
    SqlParameters parameters_;
    Plan plan_;
    TableChoice tables_;
    std::set<Source> sources_;
    std::vector<Source> metric_sources_;
    std::list<Piece> pieces_;
    bool needs_ad_ = false;
    bool needs_errors_ = false;
    bool slices_know_all_ = false;
    bool with_beacons_ = false;
};

}  // namespace

void Plan::reads(const std::string& table) {
    if (std::find(tables.begin(), tables.end(), table) == tables.end()) tables.push_back(table);
}

void Plan::because(const std::string& why) {
    if (reason.find(why) != std::string::npos) return;
    reason += (reason.empty() ? "" : "; ") + why;
}

Result<Plan> plan_query(const QueryRequest& request, const Dictionary& dictionary,
                        std::uint64_t customer_id, const KeptDays* days) {
    if (days == nullptr || !suits_days(request) || rows_are_sessions(request)) {
        return Planner(request, dictionary, customer_id, nullptr).plan();
    }
    auto by_day = Planner(request, dictionary, customer_id, days).plan();
    if (!by_day || by_day->from_days) return by_day;
    // Without a day that stands, states of groups would only be work.
    auto plain = Planner(request, dictionary, customer_id, nullptr).plan();
    if (plain) plain->wishes = std::move(by_day->wishes);
    return plain;
}

}  // namespace playhead::query
