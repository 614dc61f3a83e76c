// What changed against an earlier period, and which combinations of dimensions explain it.
#include "query/change.h"
#include "query/smart/queries.h"

namespace playhead::query::smart {

namespace {

Result<ChangeRequest> change_of(const SmartRequest& request, const Context& context) {
    auto change =
        change_request(request.common, context.engine.dictionary(), request.text("metrics"),
                       request.text("aggby"), request.text("baseline"), context.now_s);
    if (!change) return change;
    change->search.depth = static_cast<int>(request.integer("depth"));
    change->search.least_sessions = static_cast<double>(request.integer("minsessions"));
    change->search.limit = kCombinationsMax;
    change->confidence = flag_of(request.text("ci"));
    return change;
}

Result<Answer> run_root_cause(const SmartRequest& request, const Context& context) {
    auto change = change_of(request, context);
    if (!change) return fail(change.error());
    change->search.least_explained = static_cast<double>(request.integer("minexplained")) / 100;
    return root_cause(context.engine, *change, context.customer_id);
}

Result<Answer> run_top_movers(const SmartRequest& request, const Context& context) {
    auto change = change_of(request, context);
    if (!change) return fail(change.error());
    return top_movers(context.engine, *change, context.customer_id);
}

void describe(SmartQuery& query, const char* metrics, const char* depth) {
    query.inputs = {
        {.name = "metrics",
         .type = ParameterType::Names,
         .description = "metrics that are sums or ratios of sums over sessions, or avg_ of one",
         .otherwise = metrics,
         .example = "bufferingratio",
         .bytes_max = kTextBytesMax,
         .names = "Metric",
         .required = metrics[0] == '\0'},
        {.name = "aggby",
         .type = ParameterType::Names,
         .description = "dimensions to look into, at most 8; those of the default are answered "
                        "from a rollup",
         .otherwise = kChangeDimensions,
         .example = "cdn,device",
         .bytes_max = kTextBytesMax,
         .names = "Dimension"},
        text_input("baseline", "",
                   "the period compared with, written like `period`; default: the equal period "
                   "before"),
        number_input("depth", depth, 1, kCauseDepthMax, "most dimensions in one combination"),
        number_input("minsessions", "30", 1, 1'000'000'000,
                     "combinations with fewer sessions in both periods together are left out"),
        {.name = "ci",
         .type = ParameterType::Flag,
         .description = "1: p-values of every metric, which reads rows of sessions; proportions "
                        "have them anyway",
         .otherwise = "0"}};
    query.row_schema = row_schema(
        {"rank:integer:from 1", "metric:string:name of the metric",
         ("cause:string:the combination, as `filter` takes it; besides, one member for each "
          "name of aggby: its value, null where it is any"),
         "explained:number?:percent of the metric's total change that the combination's effect is",
         "explainednew:number?:of it, what rows of lower rank have not explained",
         ("effect:number:rateeffect + mixeffect, in the metric's unit; effects of all values of a "
          "dimension add up to the total change"),
         "rateeffect:number:mean share x change of the combination's own value",
         "mixeffect:number:change of its share x distance of its value from the total",
         "before:number?:the metric of the combination in the baseline", "after:number?:now",
         "weightbefore:number:its percent of the metric's denominator (of a count: of the count)",
         "weightafter:number:now", "totalbefore:number?:the metric of all sessions",
         "totalafter:number?:now", "sessionsbefore:integer:in the combination",
         "sessions:integer:now",
         ("pvalue:number?:two-sided, of before = after, sessions taken as independent, not "
          "corrected for the number of combinations; null when not computed (see ci)"),
         "direction:string:better or worse; up or down where the metric has no good direction"},
        true);
}

}  // namespace

SmartQuery root_cause_query() {
    SmartQuery out;
    out.name = "rootcause";
    out.title = "Root cause";
    out.description =
        "Combinations of dimension values that explain more of a metric's change than their weight "
        "would if everything had changed alike, the highest excess first; what the rows before "
        "have "
        "explained is not counted again. Ratios are decomposed into rate and mix effects.";
    describe(out, "", "3");
    out.inputs.push_back(number_input("minexplained", "5", 1, 100,
                                      "percent of the change that a combination must explain"));
    out.run = run_root_cause;
    return out;
}

SmartQuery top_movers_query() {
    SmartQuery out;
    out.name = "topmovers";
    out.title = "Top movers";
    out.description =
        "Values of dimensions that moved a metric furthest from what an even change would have "
        "been, relative to the metric, in either direction; the largest first.";
    describe(out,
             "attempts,failurerate,exitsbeforestartrate,latency,bufferingratio,"
             "qualityofexperience",
             "1");
    out.run = run_top_movers;
    return out;
}

}  // namespace playhead::query::smart
