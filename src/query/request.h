/// Decoded parameters of a metrics request, checked and resolved. Pure; no I/O.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "query/filter.h"
#include "query/names.h"
#include "query/parameters.h"
#include "query/period.h"

namespace playhead::query {

/// The endpoint a request came through; it sets the defaults.
enum class Endpoint : std::uint8_t {
    QbrData,       ///< older: every status, sessions counted at their start
    QbrDataLive,   ///< the same over live content, from slices
    MetricQuery,   ///< newest: sessiontype=ended, allstatus=0
    ListSessions,  ///< one row per session
    Error,         ///< as QbrData, but errors count at their own time, and as single ones
};

enum class View : std::uint8_t { All, Microscope, Subscriber, Asset, Geo, Ad, Live, Heatmap };

inline constexpr std::array kViews{View::All, View::Microscope, View::Subscriber, View::Asset,
                                   View::Geo, View::Ad,         View::Live,       View::Heatmap};

const char* name_of(View view) noexcept;

/// What may be made of answers that are kept.
enum class CacheUse : std::uint8_t {
    Allowed,
    Bypassed,  ///< querycache=0
    Only,      ///< Conflict when none is kept: nothing is run
};

struct OrderBy {
    std::string name;  ///< a metric or column of the answer; empty = the planner's choice
    bool descending = true;
};

struct QueryRequest {
    Endpoint endpoint = Endpoint::MetricQuery;
    std::vector<MetricUse> metrics;
    std::vector<DimensionUse> columns;  ///< dimensions named in `metrics`, not in `aggby`
    std::vector<DimensionUse> group_by;
    std::vector<std::string> answer_order;  ///< names of the row's fields, as asked for
    View view = View::All;
    Period period;
    std::string timezone = "UTC";
    Granularity granularity = Granularity::Hour;
    Filter filter;
    std::optional<QoeNode> qoe_filter;
    OrderBy order;
    /// When not empty: the sessions that pass the filter began in these hours (epoch s). Whoever
    /// asks again and again for the same few found them out before; it changes no answer.
    std::vector<std::int64_t> start_hours;
    std::int64_t limit = 1000;  ///< 0 = no limit (streaming formats)
    std::int64_t offset = 0;
    bool started = false;  ///< sessiontype=started: attributed by start
    bool all_status = false;
    bool concurrency = false;
    bool business_error = false;
    std::string definition = "smartsight";
    double confidence = 0;  ///< level of ci=1, 0-1; 0 = not asked for
    bool meta = true;
    bool explain = false;
    CacheUse cache = CacheUse::Allowed;
    std::string format;  ///< as given; the API decides with the Accept header
    std::string query_id;

    bool groups_by(std::string_view key) const;
};

struct RequestLimits {
    std::int64_t now_s = 0;
    std::int64_t retention_days = 400;
};

inline constexpr std::size_t kMetricsMax = 100;
inline constexpr std::size_t kGroupByMax = 10;
inline constexpr std::int64_t kLimitMax = 1'000'000'000;

/// The one table of the parameters of a metrics request; the API's contract is made from it. Those
/// of `planlevel` are the API's business.
std::vector<Parameter> query_parameters(Endpoint endpoint);

/// InvalidArgument (400) names parameter, value and what was expected; an unknown parameter gets
/// the nearest known name, one of another generation of the API is ignored. A parameter given
/// twice is an error.
Result<QueryRequest> parse_request(const Parameters& parameters, Endpoint endpoint,
                                   const Dictionary& dictionary, const RequestLimits& limits);

}  // namespace playhead::query
