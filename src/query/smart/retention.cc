// Which share of the viewers of a first day or week comes back.
#include <fmt/format.h>

#include "query/smart/queries.h"

namespace playhead::query::smart {

namespace {

Result<Answer> run_retention(const SmartRequest& request, const Context& context) {
    SqlParameters parameters(context.customer_id);
    const bool weekly = request.text("unit") == "week";
    const auto zone = parameters.text(request.common.timezone);
    auto rows = session_rows(request.common, parameters,
                             fmt::format("subscriber AS u, {}(toDate(start_time, {})) AS unit",
                                         weekly ? "toMonday" : "toDate", zone),
                             " AND plays > 0 AND subscriber != 0");
    if (!rows) return fail(rows.error());
    // A subscriber belongs to one cohort and is counted once per unit.
    const auto sql = fmt::format(
        "SELECT toString(cohort) AS c, max(n) OVER (PARTITION BY cohort) AS size, k, n, "
        "n * 100 / size AS rate, count() OVER () AS total FROM (SELECT cohort, "
        "intDiv(toInt64(came) - toInt64(cohort), {}) AS k, count() AS n FROM (SELECT "
        "min(unit) AS cohort, arrayJoin(groupUniqArray(unit)) AS came FROM {} GROUP BY u) "
        "GROUP BY cohort, k) ORDER BY cohort, k",
        weekly ? 7 : 1, *rows);
    return answer_of(request, context, sql, parameters,
                     {text_column("cohort"), count_column("size"), count_column("unit"),
                      count_column("users"), number_column("rate")});
}

}  // namespace

SmartQuery retention() {
    SmartQuery out;
    out.name = "retention";
    out.title = "Retention";
    out.description =
        "Cohorts of subscribers by the day or week (from Monday) of their first play in the "
        "period, "
        "and how many of each played again so many units later. Who played before the period began "
        "counts as new in it. Cells without a viewer have no row.";
    out.inputs = {choice_input("unit", {"day", "week"}, "width of a cohort")};
    out.row_schema = row_schema(
        {"cohort:string:first day of the cohort, in the time zone of the request",
         "size:integer:subscribers in it", "unit:integer:days or weeks later, from 0",
         "users:integer:of them, those with a play then", "rate:number:percent of the cohort"});
    out.run = run_retention;
    return out;
}

}  // namespace playhead::query::smart
