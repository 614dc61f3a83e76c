#include "hand_written.h"

#include <fmt/format.h>

namespace playhead::bench {

namespace {

constexpr const char* kMetrics =
    "attempts,viewercount,playdur,latency,bufferingratio,failurerate,exitsbeforestart,avgbitrate,"
    "qualityofexperience";
constexpr const char* kAll =
    "attempts,viewercount,playdur,latency,bufferingratio,failurerate,exitsbeforestart,avgbitrate,"
    "qualityofexperience,uniqueviewercount,concurviewmax";
constexpr const char* kSums =
    "sum(attempts), sum(plays), sum(playing_ms + stall_ms + seek_stall_ms) / 60000, "
    "sum(startup_sum_ms) / sum(startup_count) / 1000, "
    "sum(stall_ms + seek_stall_ms) * 100 / sum(playing_ms + stall_ms + seek_stall_ms), "
    "sum(startup_failures) * 100 / sum(attempts), sum(exits_before_start), "
    "sum(bitrate_kbit) / sum(bitrate_ms), sum(score_sum) / sum(score_count)";
constexpr const char* kViewer = "uniqCombined64If(17)(viewer, plays > 0 AND sign = 1)";

struct Group {
    const char* name;
    const char* parameters;
    const char* on_hours;    ///< of sessions_hour
    const char* on_minutes;  ///< of slices_minute
    const char* on_rows;     ///< of sessions
};

constexpr Group kGroups[] = {
    {"totals", "", "", "", ""},
    {"by cdn", "&aggby=cdn", "cdn", "cdn", "cdn"},
    {"by day", "&aggby=timestamp&granularity=day", "toStartOfDay(hour_time)",
     "toStartOfDay(minute_time)", "toStartOfDay(start_time)"},
    {"by hour", "&aggby=timestamp&granularity=hour", "hour_time", "toStartOfHour(minute_time)",
     "toStartOfHour(start_time)"},
};

std::string grouped(const std::string& values, const std::string& from, const std::string& group) {
    if (group.empty()) return fmt::format("SELECT {} FROM {}", values, from);
    return fmt::format("SELECT {0} AS g, {1} FROM {2} GROUP BY g ORDER BY g", group, values, from);
}

}  // namespace

std::string where(const Subject& subject, const char* column, std::int64_t length_s) {
    const auto from_s = length_s == 0 ? subject.from_s : subject.to_s - length_s;
    return fmt::format(
        " WHERE customerid = {0} AND {1} >= toDateTime({2}, 'UTC') AND {1} < "
        "toDateTime({3}, 'UTC')",
        subject.customer_id, column, from_s, subject.to_s);
}

std::vector<KpiQuery> kpi_queries(const Subject& subject) {
    const auto where = [&](const char* column) { return bench::where(subject, column); };
    std::vector<KpiQuery> out;
    for (const auto& group : kGroups) {
        const auto sums = grouped(kSums, "sessions_hour" + where("hour_time"), group.on_hours);
        const auto viewers = grouped(kViewer, "sessions" + where("start_time"), group.on_rows);
        std::string minutes = group.on_minutes;
        const auto peak = grouped(
            "max(present)",
            fmt::format("(SELECT {}minute_time, sum(present) AS present FROM slices_minute{} GROUP "
                        "BY {}minute_time)",
                        minutes == "cdn" ? "cdn, " : "", where("minute_time"),
                        minutes == "cdn" ? "cdn, " : ""),
            minutes);
        const auto parameters = [&](const char* metrics) {
            return fmt::format("metrics={}&sessiontype=started&allstatus=1&limit=0{}", metrics,
                               group.parameters);
        };
        out.push_back(
            {fmt::format("sums {}", group.name), parameters(kMetrics), Asked::Metrics, {sums}});
        out.push_back({fmt::format("all eleven {}", group.name),
                       parameters(kAll),
                       Asked::Metrics,
                       {sums, viewers, peak}});
    }
    out.push_back({"p95 latency",
                   "metrics=p95_latency&sessiontype=started&allstatus=1",
                   Asked::Metrics,
                   {"SELECT quantileTDigestIf(0.95)(startup_ms / 1000, startup_ms >= 0 AND sign = "
                    "1) FROM sessions" +
                    where("start_time")}});
    out.push_back(
        {"sessions, slowest 100",
         "metrics=latency,starttime,assetname,cdn,country,viewstatus&limit=100&"
         "sessiontype=started&allstatus=1",
         Asked::Sessions,
         {"SELECT sessionid, startup_ms / 1000 AS s, start_time, assetname, cdn, country, "
          "viewstatus FROM sessions" +
              where("start_time") + " AND sign = 1 ORDER BY startup_ms DESC LIMIT 100",
          "SELECT sum(sign) FROM sessions" + where("start_time")}});
    return out;
}

}  // namespace playhead::bench
