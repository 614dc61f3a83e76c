/// The inner half of a statement: the same columns from every table of one source, to be joined
/// with UNION ALL. Internal to the planner.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/kept_days.h"
#include "query/planner.h"
#include "query/sql.h"

namespace playhead::query {

/// One physical table within [from, to).
struct TablePart {
    Source source = Source::Sessions;
    std::string table;
    std::string time_column;
    std::int64_t from_s = 0, to_s = 0;
    bool whole_rows = false;  ///< no cancelled rows (uniques, percentiles); else sums with sign
    bool rollup = false;
    bool live = false;        ///< live_sessions
    bool whole_days = false;  ///< of UTC: told by the partition
    /// Further times, [first, second): one read of a table costs less than several.
    std::vector<std::pair<std::int64_t, std::int64_t>> more = {};
};

/// What a column of the inner statement is.
enum class ColumnKind : std::uint8_t {
    Row,     ///< a value of each row
    Sum,     ///< to be summed
    Unique,  ///< a state of uniqCombined64(17)
    Digest,  ///< a state of quantileTDigest
};

/// A column that the inner statement hands out.
struct SourceColumn {
    std::string alias;
    std::string sql;  ///< over the table's columns
    ColumnKind kind = ColumnKind::Row;
};

/// What a sum is of: its alias is s_<column>, so that a rollup has it by name.
inline std::string_view summed_column(const SourceColumn& column) {
    return std::string_view(column.alias).substr(2);
}

/// What the parts of a source hand out, without what it is bound to. Plain value.
struct PartShape {
    struct Group {
        DimensionUse use;
        std::string alias;
        bool any = false;  ///< no group: any of its values
    };
    Source source = Source::Sessions;
    bool minute = false;
    bool typed = false;  ///< sums have the types of `kept_days`
    std::vector<SourceColumn> columns;
    std::vector<std::string> needed;
    std::vector<Group> groups;
    bool has_states() const noexcept;
};

class PartWriter {
public:
    /// Both references must outlive it.
    PartWriter(const QueryRequest& request, SqlParameters& parameters, PartShape shape)
        : request_(request), parameters_(parameters), shape_(std::move(shape)) {}
    PartWriter(const QueryRequest& request, SqlParameters& parameters, Source source)
        : PartWriter(request, parameters, PartShape{source, false, false, {}, {}, {}}) {}

    /// Registers columns; the answer is the alias. The same request gives the same alias.
    std::string sum(const std::string& column);
    std::string value(const std::string& sql);
    /// A state over the rows of a group: `where` is a condition, empty for all rows. With a state
    /// among the columns a part hands out one row per group, and no Row columns may be registered.
    std::string state(ColumnKind kind, const std::string& value, const std::string& where);
    /// A group column, or with `any` one of the values of the group; the source must have it.
    void dimension(const DimensionUse& use, const std::string& alias, bool any = false);

    /// Adds the column `minute`.
    void minute() { shape_.minute = true; }
    /// Gives sums the types that they have in `kept_days`, so that these can stand beside them.
    void typed() { shape_.typed = true; }

    /// Columns of the session that values of single errors read, beside dimensions and filters.
    void need(const std::vector<std::string>& columns);

    const std::vector<SourceColumn>& columns() const noexcept { return shape_.columns; }
    const PartShape& shape() const noexcept { return shape_; }

    /// `SELECT … FROM table …` of one part, with the filters of the request.
    Result<std::string> write(const TablePart& part);
    /// The sums and states of a part by `day` (since the epoch) and group.
    Result<std::string> write_by_day(const TablePart& part) { return write_rows(part, true); }
    /// The INSERT that makes rows of `kept_days` of what `write_by_day` or its like hands out.
    std::string insert_days(const std::string& by_day, std::uint64_t build);
    /// The same columns as `write`, from days that were made so.
    std::string write_kept(const std::vector<KeptRange>& ranges);
    /// `FROM table WHERE …` of one part: customer, time, filters.
    Result<std::string> from(const TablePart& part);

    /// SQL of a dimension on a part.
    std::string dimension_sql(const DimensionUse& use, const TablePart& part);
    /// The conditions of the request's filters on a part, each with a leading " AND ".
    Result<std::string> conditions(const TablePart& part);
    /// `qoefilter` on rows of sessions.
    Result<std::string> qoe(const QoeNode& node);

private:
    std::string condition(const Condition& condition, const TablePart& part);
    std::string text_condition(const Condition& condition, const std::string& column);
    std::string number_condition(const Condition& condition, const std::string& column);
    Result<std::string> qoe_value(const MetricUse& use, std::string& guard) const;
    std::string bucket_sql(const TablePart& part);
    std::string qoe_sessions(const std::string& where);
    std::vector<std::string> session_columns() const;
    Result<std::string> write_attempts(const TablePart& part);
    Result<std::string> write_rows(const TablePart& part, bool by_day);

    const QueryRequest& request_;
    SqlParameters& parameters_;
    PartShape shape_;
};

/// ` AND …` that leaves out rows which a revision cancelled and the rows that cancel. A revised
/// session stands in the table as its old row, a row that cancels it (in the same partition) and
/// the new row, until the engine merges them. Cheaper than FINAL: where nothing was revised, and
/// that is told by one thin column, no ids are read.
/// `hours` as QueryRequest::start_hours: a row and what cancels it began in the same hour.
std::string not_cancelled(SqlParameters& parameters, const TablePart& part,
                          const std::vector<std::int64_t>& hours);

/// True for what belongs to a single error, not to a session: its code, message, type and phase.
bool is_of_error(const DimensionUse& use) noexcept;

/// Formula of a metric use on a source under the request's definition.
const Formula& formula_of(const MetricUse& use, Source source, const QueryRequest& request);

}  // namespace playhead::query
