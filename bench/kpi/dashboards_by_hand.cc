// What the dashboards of the vendor's portal ask (scripts/bench has them over HTTP), by hand.
// Alerts are a plain SELECT, and the search for a change's causes has no statement by hand.
#include <fmt/format.h>

#include <string_view>

#include "hand_written.h"

namespace playhead::bench {

namespace {

constexpr const char* kRates =
    "attempts,viewercount,latency,bufferingratio,failurerate,avgbitrate,qualityofexperience";
constexpr const char* kBuffering =
    "sum(stall_ms + seek_stall_ms) * 100 / sum(playing_ms + stall_ms + seek_stall_ms)";
constexpr const char* kPlayTime = "sum(playing_ms + stall_ms + seek_stall_ms) / 60000";
constexpr const char* kScore = "avgIf(score, score >= 0)";
constexpr const char* kStarted = "&sessiontype=started&allstatus=1";

std::string rates_of_hours() {
    return fmt::format(
        "sum(attempts) AS n, sum(plays), sum(startup_sum_ms) / sum(startup_count) / 1000, "
        "{}, sum(startup_failures) * 100 / sum(attempts), sum(bitrate_kbit) / sum(bitrate_ms), "
        "sum(score_sum) / sum(score_count)",
        kBuffering);
}

std::string rates_of_rows() {
    return fmt::format(
        "sum(attempts) AS n, sum(plays), avgIf(startup_ms, startup_ms >= 0) / 1000, {}, "
        "sum(startup_failures) * 100 / sum(attempts), sum(bitrate_kbit) / sum(bitrate_ms), {}",
        kBuffering, kScore);
}

/// SQL over the tables of one customer and period.
class ByHand {
public:
    explicit ByHand(const Subject& subject) : subject_(subject) {}

    std::string where(const char* column, std::int64_t length_s = 0) const {
        return bench::where(subject_, column, length_s);
    }
    std::string hours(std::string_view group, std::string_view rest) const {
        return fmt::format("SELECT {0}, {1} FROM sessions_hour{2} GROUP BY {0} {3}", group,
                           rates_of_hours(), where("hour_time"), rest);
    }
    std::string rows(std::string_view values, std::string_view more, std::string_view rest) const {
        return fmt::format("SELECT {} FROM sessions{} AND sign = 1{} {}", values,
                           where("start_time"), more, rest);
    }
    std::string minutes(std::string_view group) const {
        return fmt::format(
            "SELECT {0}, sum(fatal_errors), sum(attempts) FROM slices_minute{1} GROUP BY {0}",
            group, where("minute_time"));
    }

private:
    const Subject& subject_;
};

KpiQuery metric(std::string name, const std::string& parameters, std::vector<std::string> sql) {
    return {std::move(name), "metrics=" + parameters + kStarted, Asked::Metrics, std::move(sql)};
}

KpiQuery smart(std::string name, const std::string& parameters, std::vector<std::string> sql) {
    return {std::move(name), "limit=100&queryname=" + parameters, Asked::Smart, std::move(sql)};
}

KpiQuery error(std::string name, const std::string& parameters, std::vector<std::string> sql) {
    return {std::move(name), parameters, Asked::Errors, std::move(sql)};
}

/// Visits by windows: what was watched in each, and what came next.
std::string paths_by_hand(const ByHand& by_hand) {
    constexpr std::int64_t kWeek_s = 7 * 86400;
    const auto plays =
        "SELECT subscriberid AS u, assetid AS a, start_time AS s, end_time AS e, "
        "lagInFrame(toNullable(end_time)) OVER w AS before, leadInFrame(assetid) OVER w AS next, "
        "leadInFrame(start_time) OVER w AS next_s FROM sessions" +
        by_hand.where("start_time", kWeek_s) +
        " AND sign = 1 AND plays > 0 AND subscriberid != '' AND assetid != '' WINDOW w AS "
        "(PARTITION BY subscriberid ORDER BY start_time ROWS BETWEEN UNBOUNDED PRECEDING AND "
        "UNBOUNDED FOLLOWING)";
    const auto visits =
        "SELECT *, sum(before IS NULL OR s > before + INTERVAL 30 MINUTE) OVER (PARTITION BY u "
        "ORDER BY s) AS visit FROM (" +
        plays + ")";
    const auto steps =
        "SELECT *, row_number() OVER (PARTITION BY u, visit ORDER BY s) - 1 AS step, next_s > e + "
        "INTERVAL 30 MINUTE AS last FROM (" +
        visits + ")";
    return "SELECT step, a, if(last, '', next) AS target, count() AS n, uniqExact(u), "
           "median(dateDiff('second', e, next_s)) FROM (" +
           steps + ") WHERE step <= 3 GROUP BY step, a, target ORDER BY n DESC LIMIT 100";
}

std::vector<std::string> subscriber_by_hand(const ByHand& by_hand, const std::string& only,
                                            std::int64_t middle_s) {
    const auto figures = fmt::format(
        "sum(attempts), sum(plays), {}, {}, sum(startup_failures) * 100 / sum(attempts)", kScore,
        kBuffering);
    const auto by = [&](const char* group) {
        return by_hand.rows(fmt::format("{}, {}", group, figures), only,
                            fmt::format("GROUP BY {} ORDER BY 4 DESC LIMIT 100", group));
    };
    return {by_hand.rows(figures +
                             ", avgIf(startup_ms, startup_ms >= 0), sum(fatal_errors), "
                             "sum(exits_before_start), uniqCombined64(deviceid), " +
                             kPlayTime + ", anyLast(subscribertype), anyLast(subscribertag)",
                         only, ""),
            by_hand.rows(
                fmt::format("start_time >= toDateTime({}, 'UTC') AS later, {}", middle_s, figures),
                only, "GROUP BY later"),
            by_hand.rows("start_time, startup_failures, fatal_errors", only,
                         "ORDER BY start_time DESC LIMIT 1"),
            by("device, platform, player"),
            by("country, city, isp"),
            by("toStartOfDay(start_time)"),
            by("errorcode, errormessage")};
}

}  // namespace

std::vector<KpiQuery> dashboard_queries(const Subject& subject) {
    const ByHand by_hand(subject);
    const auto rates = [&](const char* more) { return kRates + std::string(more); };
    const auto asset = fmt::format(" AND assetid = '{}' AND plays > 0 AND progress_percent >= 0",
                                   subject.asset_id);
    const auto only = fmt::format(" AND subscriberid = '{}'", subject.subscriber_id);
    std::vector<KpiQuery> out;
    out.push_back(
        metric("last hour by minute", rates("&aggby=timestamp&granularity=minute&limit=0"),
               {"SELECT toStartOfMinute(start_time) AS m, " + rates_of_rows() + " FROM sessions" +
                by_hand.where("start_time", 3600) + " AND sign = 1 GROUP BY m ORDER BY m"}));
    out.back().length_s = 3600;
    out.push_back(metric("rates by country", rates("&aggby=country&limit=20"),
                         {by_hand.hours("country", "ORDER BY n DESC LIMIT 20")}));
    out.push_back(metric("rates by device and player", rates("&aggby=device,player&limit=20"),
                         {by_hand.hours("device, player", "ORDER BY n DESC LIMIT 20")}));
    out.push_back(
        metric("percentiles of startup", "median_latency,p95_latency",
               {by_hand.rows("quantilesTDigestIf(0.5, 0.95)(startup_ms / 1000, startup_ms >= 0)",
                             "", "")}));
    out.push_back(metric("rates by hour", rates("&aggby=timestamp&granularity=hour&limit=0"),
                         {by_hand.hours("hour_time", "ORDER BY hour_time")}));
    out.push_back(metric(
        "rates by city", rates("&aggby=city&limit=20"),
        {by_hand.rows("city, " + rates_of_rows(), "", "GROUP BY city ORDER BY n DESC LIMIT 20")}));
    const std::string ads =
        "sum(started * sign) AS n, sum(completed * sign) * 100 / n, sumIf(load_ms * sign, load_ms "
        ">= 0) / sumIf(sign, load_ms >= 0) / 1000";
    out.push_back(metric("ads, all",
                         "adstarts,adcompletionrate,aderrorrate,adlatency,adplaydur&dimension=ad",
                         {"SELECT " + ads +
                          ", sum(failed * sign) * 100 / sum(impression * sign), sum(playing_ms * "
                          "sign) / 60000 FROM ad_views" +
                          by_hand.where("start_time")}));
    out.push_back(metric("ads by position",
                         "adstarts,adcompletionrate,adlatency&dimension=ad&aggby=adposition",
                         {"SELECT adposition, " + ads + " FROM ad_views" +
                          by_hand.where("start_time") + " GROUP BY adposition ORDER BY n DESC"}));
    out.push_back(metric(
        "top assets",
        "viewercount,playdur,qualityofexperience&aggby=assetname&orderby=viewercount&limit=20",
        {by_hand.rows(fmt::format("assetname, sum(plays) AS n, {}, {}", kPlayTime, kScore), "",
                      "GROUP BY assetname ORDER BY n DESC LIMIT 20")}));
    out.push_back(smart(
        "content insights", "contentinsights",
        {by_hand.rows(
            fmt::format("assetid, anyLast(assetname), sum(attempts), sum(plays) AS n, "
                        "uniqCombined64If(17)(viewer, plays > 0), {}, sum(completions) * 100 / n, "
                        "avgIf(progress_percent, progress_percent >= 0), {}, {}, "
                        "sum(startup_failures) * 100 / sum(attempts)",
                        kPlayTime, kScore, kBuffering),
            "", "GROUP BY assetid ORDER BY n DESC LIMIT 100")}));
    out.push_back(smart(
        "content analysis", "contentanalysis&assetid=" + subject.asset_id,
        {by_hand.rows("sumMap([floor(progress_percent)], [1]), sumMap([floor(100 * position_s / "
                      "duration_s)], [1]), sumMap([floor(100 * entry_s / duration_s)], [1])",
                      asset, ""),
         "SELECT floor(far) AS p, count() FROM (" +
             by_hand.rows("argMin(progress_percent, start_time) AS far", asset,
                          "GROUP BY if(subscriber != 0, subscriber, viewer)") +
             ") GROUP BY p"}));
    out.push_back(smart("content paths", "contentpaths", {paths_by_hand(by_hand)}));
    out.back().length_s = std::int64_t{7} * 86400;
    out.push_back(smart("subscriber insight",
                        "subscriberinsight&subscriberid=" + subject.subscriber_id,
                        subscriber_by_hand(by_hand, only, (subject.from_s + subject.to_s) / 2)));
    out.push_back(smart(
        "subscriber's sessions", "subscribersessions&subscriberid=" + subject.subscriber_id,
        {by_hand.rows("sessionid, start_time, end_time, viewstatus, assetid, assetname, device, "
                      "platform, country, city, isp, cdn, errorcode, attempts, plays, score, "
                      "startup_ms, stall_ms, fatal_errors, playing_ms, progress_percent, count() "
                      "OVER ()",
                      only, "ORDER BY start_time DESC LIMIT 100")}));
    out.push_back(
        error("top errors", "metrics=errors,errorrate&aggby=errorcode",
              {"SELECT errorcode, count() AS n, n * 100 / (SELECT sum(attempts) FROM "
               "slices_minute" +
               by_hand.where("minute_time") + ") FROM events" + by_hand.where("event_time") +
               " AND kind = 31 AND severity = 1 GROUP BY errorcode ORDER BY n DESC"}));
    out.push_back(error("heatmap, day and hour", "dimension=heatmap&aggby=dayofweek,hourofday",
                        {by_hand.minutes("toDayOfWeek(minute_time), toHour(minute_time)")}));
    out.push_back(error("heatmap, cdn and device", "dimension=heatmap&aggby=cdn,device",
                        {by_hand.minutes("cdn, device")}));
    return out;
}

}  // namespace playhead::bench
