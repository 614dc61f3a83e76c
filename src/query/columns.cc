#include "query/columns.h"

#include <algorithm>
#include <array>

#include "model/rows.h"

namespace playhead::query {

namespace {

struct MadeColumn {
    Source source;
    std::string_view name;
    std::string_view sql;
    bool in_rollup;
    bool is_real = false;  ///< its sums are no whole numbers
};

constexpr std::array kMadeColumns{
    MadeColumn{Source::Sessions, "sessions", "1", true},
    MadeColumn{Source::Sessions, "startup_sum_ms", "if(startup_ms >= 0, toInt64(startup_ms), 0)",
               true},
    MadeColumn{Source::Sessions, "startup_count", "toInt64(startup_ms >= 0)", true},
    MadeColumn{Source::Sessions, "score_sum", "if(score >= 0, toFloat64(score), 0)", true, true},
    MadeColumn{Source::Sessions, "score_count", "toInt64(score >= 0)", true},
    MadeColumn{Source::Sessions, "first_picture_sum_ms",
               "if(startup_ms >= 0, toInt64(if(ad_startup_ms >= 0 AND ad_startup_ms < startup_ms, "
               "ad_startup_ms, startup_ms)), 0)",
               false},
    MadeColumn{Source::Sessions, "ad_startup_sum_ms",
               "if(ad_startup_ms >= 0, toInt64(ad_startup_ms), 0)", false},
    MadeColumn{Source::Sessions, "ad_startup_count", "toInt64(ad_startup_ms >= 0)", false},
    MadeColumn{Source::Sessions, "lost_startup_sum",
               "if(score >= 0, toFloat64(score_lost_startup), 0)", false, true},
    MadeColumn{Source::Sessions, "lost_stalls_sum",
               "if(score >= 0, toFloat64(score_lost_stalls), 0)", false, true},
    MadeColumn{Source::Sessions, "lost_quality_sum",
               "if(score >= 0, toFloat64(score_lost_quality), 0)", false, true},
    MadeColumn{Source::Sessions, "lost_failure_sum",
               "if(score >= 0, toFloat64(score_lost_failure), 0)", false, true},
    MadeColumn{Source::Sessions, "progress_sum",
               "if(progress_percent >= 0, toFloat64(progress_percent), 0)", false, true},
    MadeColumn{Source::Sessions, "progress_count", "toInt64(progress_percent >= 0)", false},
    MadeColumn{Source::Sessions, "duration_sum_s", "if(duration_s > 0, duration_s, 0)", false,
               true},
    // An error is no attempt: those are read beside the errors.
    MadeColumn{Source::Errors, "attempts", "toInt64(0)", false},
    MadeColumn{Source::AdViews, "ads", "1", false},
    MadeColumn{Source::AdViews, "load_sum_ms", "if(load_ms >= 0, load_ms, 0)", false},
    MadeColumn{Source::AdViews, "load_count", "toInt64(load_ms >= 0)", false},
    MadeColumn{Source::AdViews, "adduration_sum_s", "if(adduration_s > 0, adduration_s, 0)", false,
               true},
    MadeColumn{Source::AdViews, "adduration_count", "toInt64(adduration_s > 0)", false},
};

constexpr std::array<std::string_view, 14> kAdColumns{
    "playing_ms", "stall_ms",       "stall_count", "pause_ms",       "impression",
    "started",    "first_quartile", "midpoint",    "third_quartile", "completed",
    "ended",      "skipped",        "clicked",     "failed"};
constexpr std::array<std::string_view, 16> kSessionNumbers{"startup_ms",
                                                           "ad_startup_ms",
                                                           "clock_offset_ms",
                                                           "clock_rejected",
                                                           "position_s",
                                                           "duration_s",
                                                           "progress_percent",
                                                           "bitrate_last_kbps",
                                                           "bitrate_max_kbps",
                                                           "score",
                                                           "score_lost_startup",
                                                           "score_lost_stalls",
                                                           "score_lost_quality",
                                                           "score_lost_failure",
                                                           "fps",
                                                           "revision"};
constexpr std::array<std::string_view, 8> kSessionOnly{
    "latitude",   "longitude", "viewstatus",       "protocol",
    "start_time", "end_time",  "first_frame_time", "last_receive_time"};
constexpr std::array<std::string_view, 18> kAdOnly{
    "adid",           "adtitle",        "adclient",     "adsystem", "adposition",
    "adcreativeid",   "adcreativetype", "adresolution", "adlinear", "adpodindex",
    "adpodposition",  "isbumper",       "adduration_s", "load_ms",  "aderrorcode",
    "aderrormessage", "start_time",     "end_time"};
constexpr std::array<std::string_view, 4> kEverywhere{"customerid", "sessionid", "asn", "islive"};
constexpr std::array<std::string_view, 7> kRollupDimensions{
    "cdn", "country", "device", "platform", "player", "islive", "viewstatus"};

// Of single errors: all are counters of slices as well, so that a formula works on both.
constexpr std::array<std::string_view, 5> kErrorCounters{
    "fatal_errors", "warnings", "ad_errors", "startup_failures", "startup_business_failures"};

template <class List>
bool listed(const List& list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

bool is_counter(std::string_view name) {
    return std::any_of(model::kCounterColumns.begin(), model::kCounterColumns.end(),
                       [&](const auto& column) { return name == column.name; });
}

const MadeColumn* made(Source source, std::string_view name) {
    const auto* found = std::find_if(
        kMadeColumns.begin(), kMadeColumns.end(),
        [&](const MadeColumn& column) { return column.source == source && column.name == name; });
    return found == kMadeColumns.end() ? nullptr : found;
}

bool is_plain_sum(Source source, std::string_view name) {
    switch (source) {
        case Source::Sessions: return is_counter(name);
        case Source::Slices: return is_counter(name) || name == "active_ms" || name == "present";
        case Source::AdViews: return listed(kAdColumns, name);
        case Source::Errors: return listed(kErrorCounters, name);
    }
    return false;
}

}  // namespace

std::optional<std::string> summable_sql(Source source, std::string_view column) {
    if (const auto* found = made(source, column)) return std::string(found->sql);
    if (is_plain_sum(source, column)) return std::string(column);
    return std::nullopt;
}

bool is_real_sum(Source source, std::string_view column) {
    const auto* found = made(source, column);
    return found != nullptr && found->is_real;
}

bool has_column(Source source, std::string_view column) {
    if (is_plain_sum(source, column) || listed(kEverywhere, column) ||
        model::dimension_named(column)) {
        return true;
    }
    // Made by the engine from texts of the row (migration 0007).
    if (column == "viewer") return source == Source::Sessions || source == Source::Slices;
    if (source == Source::Sessions) {
        return listed(kSessionNumbers, column) || listed(kSessionOnly, column);
    }
    if (source == Source::Errors) return column == "errortype" || column == "errorphase";
    return source == Source::AdViews && listed(kAdOnly, column);
}

bool rollup_has_sum(Source source, std::string_view column) {
    if (source == Source::AdViews || source == Source::Errors) return false;
    const auto* found = made(source, column);
    return found != nullptr ? found->in_rollup : is_plain_sum(source, column);
}

bool rollup_has_dimension(Source source, std::string_view key) {
    if (source == Source::AdViews || source == Source::Errors) return false;
    if (source == Source::Slices && key == "viewstatus") return false;
    return listed(kRollupDimensions, key);
}

}  // namespace playhead::query
