// What the named queries share: requests of metrics, rows of sessions, answers of statements.
#include <fmt/format.h>

#include "query/part.h"
#include "query/series.h"
#include "query/smart/smart_query.h"

namespace playhead::query::smart {

Result<QueryRequest> ask(const SmartRequest& request, const Context& context, const Ask& what) {
    const auto& common = request.common;
    Parameters parameters{
        {"metrics", what.metrics},
        {"period", fmt::format("start={},end={}", common.period.start_s, common.period.end_s)}};
    if (!what.group_by.empty()) parameters.emplace_back("aggby", what.group_by);
    if (!what.order_by.empty()) parameters.emplace_back("orderby", what.order_by);
    parameters.emplace_back("order", what.descending ? "desc" : "asc");
    auto out = context.engine.parse(parameters, Endpoint::QbrData);
    if (!out) return out;
    out->period = common.period;
    out->filter = common.filter;
    out->qoe_filter = common.qoe_filter;
    out->timezone = common.timezone;
    out->granularity = common.granularity;
    out->definition = common.definition;
    out->business_error = common.business_error;
    out->limit = common.limit;
    out->offset = common.offset;
    out->explain = common.explain;
    out->meta = common.meta;
    out->query_id = common.query_id;
    out->cache = common.cache;
    return out;
}

void only(QueryRequest& request, const Dictionary& dictionary, std::string_view dimension,
          const std::string& value) {
    Condition condition;
    find_dimension(dictionary, dimension, condition.dimension);
    condition.values.push_back(value);
    request.filter.push_back(std::move(condition));
}

Result<std::string> session_rows(const QueryRequest& request, SqlParameters& parameters,
                                 const std::string& columns, const std::string& extra) {
    PartWriter parts(request, parameters, Source::Sessions);
    std::string out;
    for (const bool live : {false, true}) {
        const TablePart part{Source::Sessions,
                             live ? "live_sessions" : "sessions",
                             "start_time",
                             request.period.start_s,
                             request.period.end_s,
                             true,
                             false,
                             live};
        auto from = parts.from(part);
        if (!from) return from;
        out += fmt::format("{}SELECT {} {}{}", live ? " UNION ALL " : "(", columns, *from, extra);
    }
    return out + ")";
}

Result<Answer> answer_of(const SmartRequest& request, const Context& context,
                         const std::string& sql, SqlParameters& parameters,
                         std::vector<PlanColumn> columns, std::optional<Reach> reach) {
    const auto& common = request.common;
    if (!reach) reach = Reach{common.period.start_s, common.period.end_s, false};
    store::Statement statement;
    statement.parameters = parameters.take();
    statement.sql = sql + fmt::format(" LIMIT {} OFFSET {}", common.limit, common.offset);
    auto fetched = context.engine.table(statement, common, context.customer_id, *reach);
    if (!fetched) return fail(fetched.error());
    Answer out;
    out.meta.cached = true;
    add_reading(out.meta, *fetched);
    if (fetched->table->rows.empty() && common.offset > 0) {
        // Past the end no row tells the total.
        store::Statement head{sql + " LIMIT 1", statement.parameters};
        auto first = context.engine.table(head, common, context.customer_id, *reach);
        if (!first) return fail(first.error());
        const auto& rows = first->table->rows;
        if (!rows.empty()) {
            out.total_records = static_cast<std::int64_t>(number_of(rows[0].back(), 0));
        }
    }
    for (auto& row : fetched->take_rows()) {
        if (row.size() != columns.size() + 1) {
            return fail(ErrorCode::Internal, "the store answered another number of columns");
        }
        out.total_records = static_cast<std::int64_t>(number_of(row.back(), 0));
        row.pop_back();
        out.rows.push_back(std::move(row));
    }
    for (const auto& column : columns) out.field_order.push_back(column.name);
    out.columns = std::move(columns);
    out.meta.tables = {"sessions", "live_sessions"};
    if (common.explain) out.meta.sql = statement.sql;
    return out;
}

Result<Answer> run(const SmartRequest& request, const Context& context) {
    auto answer = request.query->run(request, context);
    if (!answer) return answer;
    const auto& common = request.common;
    answer->limit = common.limit;
    answer->with_meta = common.meta;
    answer->explain = common.explain;
    answer->meta.view = request.query->name;
    answer->meta.reason = request.query->description;
    answer->meta.timezone = common.timezone;
    answer->meta.query_id = common.query_id;
    answer->meta.period_end_s = common.period.end_s;
    return answer;
}

PlanColumn text_column(std::string name) {
    return {std::move(name), ValueType::String};
}

PlanColumn count_column(std::string name) {
    return {std::move(name), ValueType::Number, true, true, true, 0};
}

PlanColumn number_column(std::string name, int decimals) {
    return {std::move(name), ValueType::Number, true, false, false, decimals};
}

}  // namespace playhead::query::smart
