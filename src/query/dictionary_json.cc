#include <array>

#include "base/json_writer.h"
#include "query/envelope.h"

namespace playhead::query {

namespace {

template <class List>
void write_list(JsonWriter& json, std::string_view name, const List& list) {
    json.key(name);
    json.begin_array();
    for (const auto& item : list) json.value(std::string_view(item));
    json.end_array();
}

const char* name_of(Form form) {
    switch (form) {
        case Form::Count: return "count";
        case Form::Ratio: return "ratio of sums";
        case Form::Rate: return "time average";
        case Form::Peak: return "peak of a minute";
        case Form::Unique: return "distinct";
        case Form::PerUnique: return "per distinct";
    }
    return "count";
}

const char* name_of(ValueType type) {
    switch (type) {
        case ValueType::String: return "string";
        case ValueType::Number: return "number";
        case ValueType::Boolean: return "boolean";
        case ValueType::Time: return "time";
    }
    return "string";
}

void write_formula(JsonWriter& json, const Formula& formula) {
    json.member("numerator", formula.numerator.text());
    json.member("denominator", formula.denominator.text());
    json.member("factor", formula.factor);
    json.member("unit", formula.unit);
    json.member("definition", formula.definition);
}

void write_metric(JsonWriter& json, const Metric& metric) {
    const bool ads_only = metric.source == Source::AdViews;
    const Formula& formula = ads_only ? metric.ad : metric.formula;
    json.begin_object();
    json.member("key", metric.key);
    write_list(json, "aliases", metric.aliases);
    json.member("title", metric.title);
    json.member("category", metric.category);
    json.member("form", name_of(metric.form));
    json.member("good", metric.good);
    json.member("decimals", metric.integral() ? 0 : metric.decimals);
    json.member("concurrency", metric.concurrency);
    json.member("distribution", !formula.sample.empty());
    json.member("perad", !metric.ad.empty());
    json.member("pererror", !metric.error.empty());
    json.member("source", name_of(metric.source));
    write_formula(json, formula);
    json.key("definitions");
    json.begin_object();
    for (const auto& [name, variant] : metric.variants) {
        json.key(name);
        json.begin_object();
        write_formula(json, variant);
        json.end_object();
    }
    json.end_object();
    json.end_object();
}

void write_dimension(JsonWriter& json, const Dimension& dimension) {
    json.begin_object();
    json.member("key", dimension.key);
    write_list(json, "aliases", dimension.aliases);
    json.member("title", dimension.title);
    json.member("type", name_of(dimension.type));
    json.member("category", dimension.category);
    json.key("tables");
    json.begin_array();
    for (const auto source : kSources) {
        if (dimension.on(source)) json.value(name_of(source));
    }
    json.end_array();
    json.end_object();
}

}  // namespace

std::string dictionary_json(const Dictionary& dictionary, std::string_view tags) {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.key("metrics");
    json.begin_array();
    for (const auto& metric : dictionary.metrics()) write_metric(json, metric);
    json.end_array();
    json.key("dimensions");
    json.begin_array();
    for (const auto& dimension : dictionary.dimensions()) write_dimension(json, dimension);
    json.end_array();
    json.key("tags");
    json.raw(tags);
    constexpr std::array<const char*, 11> operators{
        "=", "!=", ">", ">=", "<", "<=", "~", "!~", "^", "=~", "null"};
    write_list(json, "operators", operators);
    constexpr std::array<const char*, 8> views{"all", "microscope", "subscriber", "asset",
                                               "geo", "ad",         "live",       "heatmap"};
    write_list(json, "views", views);
    write_list(json, "definitions", kDefinitions);
    constexpr std::array<const char*, 6> granularities{"auto",     "minute", "5minute",
                                                       "10minute", "hour",   "day"};
    write_list(json, "granularities", granularities);
    constexpr std::array<const char*, 3> prefixes{"avg_", "median_", "p<NN>_"};
    write_list(json, "prefixes", prefixes);
    json.member("percentileerror", dictionary.sketch_error());
    json.member("uniqueerror", dictionary.unique_error());
    json.end_object();
    return out;
}

}  // namespace playhead::query
