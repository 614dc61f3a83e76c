#include "query/request.h"

#include <algorithm>
#include <array>
#include <map>

#include "query/confidence.h"
#include "query/nearest.h"
#include "query/text.h"

namespace playhead::query {

namespace {

tl::unexpected<Error> refuse(std::string_view parameter, std::string_view value,
                             std::string expected, std::string message) {
    return fail_parameter(std::string(parameter), cut(value), std::move(expected),
                          std::move(message));
}

class RequestReader {
public:
    RequestReader(Endpoint endpoint, const Dictionary& dictionary, const RequestLimits& limits)
        : dictionary_(dictionary), limits_(limits) {
        request_.endpoint = endpoint;
        request_.started = endpoint != Endpoint::MetricQuery && endpoint != Endpoint::ListSessions;
        request_.all_status = request_.started;
    }

    Result<QueryRequest> read(const Parameters& parameters) {
        const auto known = query_parameters(request_.endpoint);
        if (auto good = check_parameters(known, parameters); !good) return fail(good.error());
        values_.insert(parameters.begin(), parameters.end());
        for (const auto step : {&RequestReader::read_period, &RequestReader::read_view,
                                &RequestReader::read_switches, &RequestReader::read_group_by,
                                &RequestReader::read_metrics, &RequestReader::read_filters,
                                &RequestReader::read_order, &RequestReader::read_paging}) {
            if (auto done = (this->*step)(); !done) return fail(done.error());
        }
        return std::move(request_);
    }

private:
    std::string_view value(std::string_view name) const {
        const auto found = values_.find(name);
        return found == values_.end() ? std::string_view{} : trimmed(found->second);
    }

    Result<void> read_period() {
        std::string text(value("period"));
        if (text.empty() && (!value("start").empty() || !value("end").empty())) {
            text = "start=" + std::string(value("start")) + ",end=" + std::string(value("end"));
        }
        if (text.empty()) {
            return refuse("period", "", "start=<epoch s>,end=<epoch s>", "period is missing");
        }
        auto period = parse_period(text, limits_.now_s, limits_.retention_days);
        if (!period) return fail(period.error());
        request_.period = *period;
        auto granularity = parse_granularity(lower(value("granularity")), *period);
        if (!granularity) return fail(granularity.error());
        request_.granularity = *granularity;
        const auto zone = value("timezone");
        if (zone.empty()) return {};
        if (!dictionary_.timezone_known(zone)) {
            const auto near = nearest_name(zone, dictionary_.timezones());
            return refuse("timezone", zone,
                          "an IANA name" + (near.empty() ? "" : "; did you mean \"" + near + "\"?"),
                          "unknown time zone");
        }
        request_.timezone = std::string(zone);
        return {};
    }

    Result<void> read_view() {
        if (request_.endpoint == Endpoint::ListSessions) request_.view = View::Microscope;
        if (request_.endpoint == Endpoint::QbrDataLive) request_.view = View::Live;
        const auto text = lower(value("dimension"));
        if (text.empty() || request_.endpoint == Endpoint::ListSessions) return {};
        for (const auto view : kViews) {
            if (text == name_of(view)) request_.view = view;
        }
        return {};
    }

    /// What `check_parameters` has found to be well formed.
    Result<void> read_switches() {
        bool cached = true;
        const std::array<std::pair<const char*, bool*>, 6> flags{
            {{"allstatus", &request_.all_status},
             {"concurrency", &request_.concurrency},
             {"businesserror", &request_.business_error},
             {"meta", &request_.meta},
             {"explain", &request_.explain},
             {"querycache", &cached}}};
        for (const auto& [name, target] : flags) {
            if (!value(name).empty()) *target = flag_of(value(name));
        }
        request_.cache = cached ? CacheUse::Allowed : CacheUse::Bypassed;
        if (request_.view == View::Live) request_.concurrency = true;
        const auto type = lower(value("sessiontype"));
        if (!type.empty()) request_.started = type == "started";
        read_confidence();
        if (!value("definition").empty()) request_.definition = lower(value("definition"));
        return {};
    }

    /// `ci=1` with `cilevel`, percent.
    void read_confidence() {
        if (!flag_of(value("ci"))) return;
        const auto percent = number(value("cilevel"));
        request_.confidence = percent.value_or(kConfidenceDefault) / 100;
    }

    Result<void> read_group_by() {
        for (const auto name : split(value("aggby"), ',')) {
            DimensionUse use;
            if (!find_dimension(dictionary_, name, use)) {
                return unknown_name(dictionary_, "aggby", name, "the name of a dimension");
            }
            if (add_unique(request_.group_by, use)) request_.answer_order.push_back(use.name);
        }
        if (request_.group_by.size() > kGroupByMax) {
            return refuse("aggby", value("aggby"), "at most 10 names", "too many names");
        }
        return {};
    }

    static bool add_unique(std::vector<DimensionUse>& list, const DimensionUse& use) {
        for (const auto& known : list) {
            if (known.name == use.name) return false;
        }
        list.push_back(use);
        return true;
    }

    Result<void> read_metrics() {
        const bool heatmap = request_.view == View::Heatmap;
        if (heatmap && request_.group_by.size() != 2) {
            return refuse("aggby", value("aggby"), "two names: the rows and columns of the heatmap",
                          "a heatmap has two dimensions");
        }
        const auto given = value("metrics");
        const auto names = split(heatmap && given.empty() ? "errors" : given, ',');
        if (names.empty() || names.size() > kMetricsMax) {
            return refuse("metrics", value("metrics"), "1 to 100 names", "metrics is missing");
        }
        std::vector<DimensionUse> columns;
        for (const auto name : names) {
            MetricUse metric;
            DimensionUse dimension;
            if (find_metric(dictionary_, name, metric)) {
                const auto& order = request_.answer_order;
                if (std::find(order.begin(), order.end(), metric.name) != order.end()) continue;
                request_.answer_order.push_back(metric.name);
                request_.metrics.push_back(metric);
                if (request_.confidence > 0) add_confidence(metric);
            } else if (find_dimension(dictionary_, name, dimension)) {
                add_unique(columns, dimension);
            } else {
                return unknown_name(dictionary_, "metrics", name, "the name of a metric");
            }
        }
        place_columns(columns);
        return {};
    }

    /// `<metric>_lo`, `<metric>_hi` of what is estimated, `<metric>_n` of what sessions have. A
    /// count is counted, not estimated; what is not summed over sessions has neither.
    void add_confidence(const MetricUse& metric) {
        if (metric.metric->source == Source::Slices) return;
        const bool estimate =
            metric.aggregate != Aggregate::Plain || metric.metric->form == Form::Ratio;
        const std::array<std::pair<const char*, Figure>, 3> figures{
            {{"_lo", Figure::Low}, {"_hi", Figure::High}, {"_n", Figure::Samples}}};
        for (const auto& [suffix, figure] : figures) {
            if (!estimate && figure != Figure::Samples) continue;
            MetricUse use = metric;
            use.figure = figure;
            use.name += suffix;
            request_.answer_order.push_back(use.name);
            request_.metrics.push_back(std::move(use));
        }
    }

    /// Where dimensions named in `metrics` go. Without `aggby` they group (the trend of the older
    /// API: `metrics=timestamp,…`); one row per session, or per group of `aggby`, has them as
    /// attributes. `timestamp` groups unless rows are sessions.
    void place_columns(const std::vector<DimensionUse>& columns) {
        const bool by_view = add_view_group();
        const bool grouped = !request_.group_by.empty() && !by_view;
        const bool sessions = request_.view == View::Microscope;
        for (const auto& column : columns) {
            if (request_.groups_by(column.name)) continue;
            const bool groups = column.is("timestamp") ? !sessions : !grouped && !sessions;
            (groups ? request_.group_by : request_.columns).push_back(column);
            request_.answer_order.push_back(column.name);
        }
    }

    /// The views that name what they group by, when `aggby` does not.
    bool add_view_group() {
        if (!request_.group_by.empty()) return false;
        const char* key = request_.view == View::Microscope   ? "sessionid"
                          : request_.view == View::Subscriber ? "subscriberid"
                          : request_.view == View::Asset      ? "assetid"
                          : request_.view == View::Geo        ? "country"
                                                              : nullptr;
        if (key == nullptr) return false;
        DimensionUse use;
        if (!find_dimension(dictionary_, key, use)) return false;
        request_.group_by.push_back(use);
        request_.answer_order.insert(request_.answer_order.begin(), use.name);
        return true;
    }

    Result<void> read_filters() {
        const auto text = value("filter");
        if (!text.empty()) {
            auto filter = parse_filter(text, dictionary_);
            if (!filter) return fail(filter.error());
            request_.filter = std::move(*filter);
        }
        const auto qoe = value("qoefilter");
        if (qoe.empty()) return {};
        auto node = parse_qoe_filter(qoe, dictionary_);
        if (!node) return fail(node.error());
        request_.qoe_filter = std::move(*node);
        return {};
    }

    Result<void> read_order() {
        const auto direction = lower(value("order").empty() ? value("orderas") : value("order"));
        request_.order.descending = direction != "asc";
        const auto name = lower(value("orderby"));
        if (name.empty()) return {};
        const auto& fields = request_.answer_order;
        if (std::find(fields.begin(), fields.end(), name) == fields.end()) {
            MetricUse metric;
            if (!find_metric(dictionary_, name, metric)) {
                const auto near = nearest_name(name, fields);
                return refuse("orderby", name,
                              "a name that metrics or aggby lists" +
                                  (near.empty() ? "" : "; did you mean \"" + near + "\"?"),
                              "cannot order by a name that the rows do not have");
            }
            request_.metrics.push_back(std::move(metric));
            request_.answer_order.push_back(name);
        }
        request_.order.name = name;
        return {};
    }

    Result<void> read_paging() {
        request_.format = lower(value("format"));
        request_.query_id = std::string(value("queryId"));
        if (!value("limit").empty()) request_.limit = integer_of(value("limit"));
        if (!value("offset").empty()) request_.offset = integer_of(value("offset"));
        return {};
    }

    const Dictionary& dictionary_;
    const RequestLimits& limits_;
    std::map<std::string, std::string, std::less<>> values_;
    QueryRequest request_;
};

}  // namespace

const char* name_of(View view) noexcept {
    switch (view) {
        case View::All: return "all";
        case View::Microscope: return "microscope";
        case View::Subscriber: return "subscriber";
        case View::Asset: return "asset";
        case View::Geo: return "geo";
        case View::Ad: return "ad";
        case View::Live: return "live";
        case View::Heatmap: return "heatmap";
    }
    return "all";
}

bool QueryRequest::groups_by(std::string_view key) const {
    return std::any_of(group_by.begin(), group_by.end(),
                       [&](const DimensionUse& use) { return use.name == key; });
}

Result<QueryRequest> parse_request(const Parameters& parameters, Endpoint endpoint,
                                   const Dictionary& dictionary, const RequestLimits& limits) {
    return RequestReader(endpoint, dictionary, limits).read(parameters);
}

}  // namespace playhead::query
