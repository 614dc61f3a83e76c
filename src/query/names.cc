#include "query/names.h"

#include "base/json_writer.h"
#include "query/nearest.h"
#include "query/text.h"

namespace playhead::query {

namespace {

/// Splits `p95_latency`, `median_latency`, `avg_latency`.
bool take_prefix(std::string_view& name, MetricUse& out) {
    if (name.starts_with("avg_")) {
        name.remove_prefix(4);
        out.aggregate = Aggregate::Average;
        return true;
    }
    if (name.starts_with("median_")) {
        name.remove_prefix(7);
        out.aggregate = Aggregate::Percentile;
        out.level = 0.5;
        return true;
    }
    const auto underscore = name.find('_');
    if (!name.starts_with('p') || underscore == std::string_view::npos) return false;
    const auto percent = number(name.substr(1, underscore - 1));
    if (!percent || *percent <= 0 || *percent >= 100) return false;
    name.remove_prefix(underscore + 1);
    out.aggregate = Aggregate::Percentile;
    out.level = *percent / 100;
    return true;
}

/// Answers in every form name their columns, and JSON and Arrow know UTF-8 only.
bool is_utf8(std::string_view text) {
    constexpr std::string_view kReplaced = "\xEF\xBF\xBD";
    if (text.find(kReplaced) != std::string_view::npos) return false;
    std::string json;
    append_json_string(json, text);
    return json.find(kReplaced) == std::string::npos;
}

bool has_sample(const Metric& metric) {
    return !metric.formula.sample.empty() || !metric.ad.sample.empty();
}

}  // namespace

bool find_metric(const Dictionary& dictionary, std::string_view name, MetricUse& out) {
    const std::string key = lower(name);
    out = {};
    out.name = key;
    out.metric = dictionary.metric(key);
    if (out.metric != nullptr) return true;
    std::string_view base = key;
    if (!take_prefix(base, out)) return false;
    out.metric = dictionary.metric(base);
    return out.metric != nullptr && has_sample(*out.metric);
}

bool find_dimension(const Dictionary& dictionary, std::string_view name, DimensionUse& out) {
    out = {};
    if (name.starts_with("tag.")) {
        out.tag = std::string(name.substr(4));
        out.name = std::string(name);
        return !out.tag.empty() && out.tag.size() <= kTagNameBytesMax && is_utf8(out.tag);
    }
    out.name = lower(name);
    out.dimension = dictionary.dimension(out.name);
    return out.dimension != nullptr;
}

tl::unexpected<Error> unknown_name(const Dictionary& dictionary, std::string_view parameter,
                                   std::string_view name, std::string_view expected) {
    const auto near = nearest_name(lower(name), dictionary.names());
    std::string hint(expected);
    if (!near.empty()) hint += "; did you mean \"" + near + "\"?";
    return fail_parameter(std::string(parameter), cut(name), std::move(hint),
                          "unknown name in " + std::string(parameter));
}

}  // namespace playhead::query
