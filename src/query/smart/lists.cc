// Lists whose every figure is a metric of the dictionary by one dimension.
#include "query/smart/queries.h"

namespace playhead::query::smart {

namespace {

/// One row per value of the dimension, without the empty value.
Result<Answer> listed(const SmartRequest& request, const Context& context, const char* dimension,
                      const Ask& what) {
    auto query = ask(request, context, what);
    if (!query) return fail(query.error());
    Condition known;
    find_dimension(context.engine.dictionary(), dimension, known.dimension);
    known.op = Operator::NotNull;
    query->filter.push_back(std::move(known));
    return context.engine.run(*query, context.customer_id);
}

/// Worst first: by the direction that the dictionary calls good.
bool best_is_low(const Dictionary& dictionary, const std::string& metric) {
    const auto* found = dictionary.metric(metric);
    return found != nullptr && found->good == "down";
}

Result<Answer> run_subscriber_list(const SmartRequest& request, const Context& context) {
    const auto& order = request.text("orderby");
    return listed(request, context, "subscriberid",
                  {"attempts,viewercount,qualityofexperience,latency,bufferingratio,failurerate,"
                   "errors,exitsbeforestart,playdur",
                   "subscriberid", order, best_is_low(context.engine.dictionary(), order)});
}

Result<Answer> run_content_insights(const SmartRequest& request, const Context& context) {
    return listed(request, context, "assetid",
                  {"assetname,attempts,viewercount,uniqueviewercount,playdur,completionrate,"
                   "abandonmentrate,progressmark,qualityofexperience,bufferingratio,failurerate",
                   "assetid", request.text("orderby"), true});
}

Result<Answer> run_subscriber_sessions(const SmartRequest& request, const Context& context) {
    auto query = ask(request, context,
                     {"starttime,endtime,viewstatus,assetid,assetname,device,platform,country,city,"
                      "isp,cdn,errorcode,attempts,viewercount,qualityofexperience,latency,"
                      "bufferingratio,errors,playdur,progressmark",
                      "sessionid", "starttime", true});
    if (!query) return fail(query.error());
    only(*query, context.engine.dictionary(), "subscriberid", request.text("subscriberid"));
    return context.engine.run(*query, context.customer_id);
}

const char* const kScore = "qualityofexperience:number?:mean playback score, 0-100";
const char* const kBuffering = "bufferingratio:number?:percent";
const char* const kFailures = "failurerate:number?:startup failures, percent of attempts";

}  // namespace

SmartQuery subscriber_list() {
    SmartQuery out;
    out.name = "subscriberlist";
    out.title = "Subscribers, worst-served first";
    out.description =
        "Metrics of the dictionary by subscriber over the sessions that began in the "
        "period; those without a value of orderby stand last.";
    out.inputs = {choice_input("orderby",
                               {"qualityofexperience", "latency", "bufferingratio", "failurerate",
                                "errors", "exitsbeforestart"},
                               "what served badly means")};
    out.row_schema = row_schema(
        {"subscriberid:string:id", "attempts:integer:playback requests",
         "viewercount:integer:plays", kScore, "latency:number?:mean startup time, s", kBuffering,
         kFailures, "errors:integer:fatal errors",
         "exitsbeforestart:integer:left before the first frame", "playdur:number:minutes"});
    out.run = run_subscriber_list;
    return out;
}

SmartQuery content_insights() {
    SmartQuery out;
    out.name = "contentinsights";
    out.title = "Content insights";
    out.description =
        "Metrics of the dictionary by asset over the sessions that began in the period.";
    out.inputs = {choice_input("orderby",
                               {"viewercount", "attempts", "uniqueviewercount", "playdur",
                                "completionrate", "abandonmentrate", "qualityofexperience"},
                               "the largest of this first")};
    out.row_schema = row_schema(
        {"assetid:string:id", "assetname:string:name", "attempts:integer:playback requests",
         "viewercount:integer:plays", "uniqueviewercount:integer:distinct viewers",
         "playdur:number:minutes", "completionrate:number?:percent of plays",
         "abandonmentrate:number?:percent of plays that did not reach 90 %",
         "progressmark:number?:mean of the furthest position, percent", kScore, kBuffering,
         kFailures});
    out.run = run_content_insights;
    return out;
}

SmartQuery subscriber_sessions() {
    SmartQuery out;
    out.name = "subscribersessions";
    out.title = "Sessions of a subscriber";
    out.description =
        "One row per session that began in the period, newest first; an unknown "
        "subscriber has no rows.";
    out.inputs = {id_input("subscriberid", "the subscriber's id")};
    out.row_schema = row_schema({"sessionid:string:id",
                                 "starttime:integer:epoch s",
                                 "endtime:integer:epoch s",
                                 "viewstatus:string:state",
                                 "assetid:string:asset",
                                 "assetname:string:its name",
                                 "device:string:category",
                                 "platform:string:operating system",
                                 "country:string:place",
                                 "city:string:place",
                                 "isp:string:network",
                                 "cdn:string:CDN",
                                 "errorcode:string:last error",
                                 "attempts:integer:1",
                                 "viewercount:integer:1 when it played",
                                 kScore,
                                 "latency:number?:startup time, s",
                                 kBuffering,
                                 "errors:integer:fatal errors",
                                 "playdur:number:minutes",
                                 "progressmark:number?:furthest position, percent"});
    out.run = run_subscriber_sessions;
    return out;
}

}  // namespace playhead::query::smart
