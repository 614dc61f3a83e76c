#include <algorithm>

#include "query/confidence.h"
#include "query/request.h"

namespace playhead::query {

namespace {

Parameter flag(std::string name, std::string description, bool otherwise) {
    return {.name = std::move(name),
            .type = ParameterType::Flag,
            .description = std::move(description),
            .otherwise = otherwise ? "1" : "0"};
}

Parameter choice(std::string name, std::string description, std::vector<std::string> choices,
                 std::string otherwise) {
    return {.name = std::move(name),
            .type = ParameterType::Choice,
            .description = std::move(description),
            .otherwise = std::move(otherwise),
            .choices = std::move(choices)};
}

void add_what(std::vector<Parameter>& out, Endpoint endpoint) {
    const bool errors = endpoint == Endpoint::Error;
    out.push_back({.name = "metrics",
                   .type = ParameterType::Names,
                   .description = "Metrics, also `avg_`, `median_` and `p<NN>_` of those with a "
                                  "distribution. Dimensions become columns; at most 100 names.",
                   .example = errors ? "errors,errorrate" : "attempts,viewercount,latency",
                   .names = "MetricOrDimension",
                   // A heatmap does without.
                   .required = !errors});
    out.push_back({.name = "aggby",
                   .type = ParameterType::Names,
                   .description = "Dimensions to group by, at most 10; `timestamp` makes a time "
                                  "series.",
                   .example = errors ? "errorcode" : "cdn",
                   .names = "Dimension"});
    out.push_back({.name = "filter",
                   .description = "`[country=US|Canada][platform=Android]`: brackets are AND, `|` "
                                  "is OR. Also `city=Berlin, device=phone`. Operators `= != > >= < "
                                  "<= ~ !~ ^ =~` and the value `null`.",
                   .example = "[device!=tv]",
                   .bytes_max = kFilterBytesMax});
    out.push_back({.name = "qoefilter",
                   .description = "Keeps sessions by their own totals, e.g. `latency>3 AND "
                                  "(bufferingratio>5 OR errors>=1)`.",
                   .example = "latency>3",
                   .bytes_max = kQoeFilterBytesMax});
}

void add_when(std::vector<Parameter>& out) {
    out.push_back({.name = "period",
                   .description = "Half open: `start=<t>,end=<t>` (epoch seconds, milliseconds or "
                                  "ISO 8601) or `last=<n><s|m|h|d|w>`. Needed unless `start` and "
                                  "`end` are given.",
                   .example = "last=24h"});
    out.push_back({.name = "start",
                   .description = "With `end`, in place of `period`: epoch seconds or ISO 8601."});
    out.push_back({.name = "end", .description = "See `start`."});
    out.push_back({.name = "timezone",
                   .description = "IANA name: where `hour` and `day` begin.",
                   .otherwise = "UTC",
                   .example = "Europe/Berlin"});
    out.push_back(choice("granularity",
                         "Of a time series. `auto`: up to 3 h minute, 12 h 5minute, 24 h 10minute, "
                         "15 d hour, else day.",
                         {"auto", "minute", "5minute", "10minute", "hour", "day"}, "auto"));
}

void add_how(std::vector<Parameter>& out, Endpoint endpoint) {
    std::vector<std::string> views;
    for (const auto view : kViews) {
        if (view != View::Heatmap || endpoint == Endpoint::Error) views.emplace_back(name_of(view));
    }
    const bool older = endpoint != Endpoint::MetricQuery && endpoint != Endpoint::ListSessions;
    out.push_back(choice("dimension", "The view: what a row is.", std::move(views),
                         endpoint == Endpoint::ListSessions  ? "microscope"
                         : endpoint == Endpoint::QbrDataLive ? "live"
                                                             : "all"));
    out.push_back(choice("sessiontype", "Whether a session counts at its end or at its start.",
                         {"ended", "started"}, older ? "started" : "ended"));
    out.push_back(flag("allstatus", "1: open sessions too.", older));
    out.push_back(
        flag("concurrency", "1: only what happened inside the period, by minute.", false));
    out.push_back(flag("businesserror", "1: business exceptions count as failures.", false));
    out.push_back(choice("definition", "Whose definition where vendors differ.",
                         {kDefinitions.begin(), kDefinitions.end()}, "smartsight"));
    out.push_back(flag("ci",
                       "1: `<metric>_lo`, `<metric>_hi` and `<metric>_n` beside each metric that "
                       "is an estimate.",
                       false));
    out.push_back({.name = "cilevel",
                   .type = ParameterType::Number,
                   .description = "Of `ci=1`, percent.",
                   .otherwise = "95",
                   .low = kConfidenceLeast,
                   .high = kConfidenceMost});
    out.push_back({.name = "orderby",
                   .description =
                       "A metric or a column of the answer; without it the first metric, "
                       "a series by time.",
                   .example = "attempts"});
    out.push_back(choice("order", "Of `orderby`.", {"asc", "desc"}, "desc"));
    out.push_back(choice("orderas", "The same as `order`.", {"asc", "desc"}, "desc"));
    out.push_back({.name = "limit",
                   .type = ParameterType::Integer,
                   .description = "Rows; 0 is no limit.",
                   .otherwise = "1000",
                   .example = "20",
                   .most = kLimitMax});
    out.push_back({.name = "offset",
                   .type = ParameterType::Integer,
                   .description = "Rows left out at the front.",
                   .otherwise = "0",
                   .most = kLimitMax});
}

void add_form(std::vector<Parameter>& out) {
    out.push_back(choice("format", "Of the answer; without it the `Accept` header decides.",
                         {"json", "ndjson", "csv", "arrow", "parquet"}, "json"));
    out.push_back(flag("meta", "0: without `meta`.", true));
    out.push_back(flag("explain", "1: with the SQL in `meta`.", false));
    out.push_back(flag("querycache", "0: computes from rows and rollups, whatever is kept.", true));
    out.push_back(
        {.name = "queryId", .type = ParameterType::Id, .description = "Your id of this query."});
    for (const char* name :
         {"planlevel", "count", "agg", "token_info", "queryname", "customerId"}) {
        out.push_back({.name = name, .ignored = true});
    }
}

}  // namespace

std::vector<Parameter> query_parameters(Endpoint endpoint) {
    std::vector<Parameter> out;
    add_what(out, endpoint);
    add_when(out);
    add_how(out, endpoint);
    add_form(out);
    return out;
}

}  // namespace playhead::query
