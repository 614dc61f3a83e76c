// Reads the YAML of the dictionary. Everything unknown is refused: a misspelt field must not become
// a metric that silently answers something else.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "query/columns.h"
#include "query/dictionary.h"
#include "query/embedded.h"

namespace playhead::query {

namespace {

tl::unexpected<Error> refuse(const std::string& key, const std::string& what) {
    return fail_parameter("dictionary", key, "see src/query/dictionary.h",
                          "dictionary: " + key + ": " + what);
}

std::string text_of(const YAML::Node& node, const char* field, std::string otherwise = {}) {
    const auto value = node[field];
    return value ? value.as<std::string>() : std::move(otherwise);
}

std::vector<std::string> list_of(const YAML::Node& node) {
    std::vector<std::string> out;
    for (const auto& item : node) out.push_back(item.as<std::string>());
    return out;
}

Result<void> only_fields(const std::string& key, const YAML::Node& node,
                         const std::vector<std::string_view>& known) {
    for (const auto& field : node) {
        const auto name = field.first.as<std::string>();
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            return refuse(key, "unknown field \"" + name + "\"");
        }
    }
    return {};
}

}  // namespace

class DictionaryReader {
public:
    static constexpr auto kErrors = static_cast<std::size_t>(Source::Errors);

    explicit DictionaryReader(Dictionary& out) : out_(out) {}

    Result<void> read_metrics(const YAML::Node& root) {
        for (const auto& item : root["coefficients"]) {
            coefficients_.emplace_back(item.first.as<std::string>(), item.second.as<std::string>());
            (void)item.second.as<double>();  // throws when it is no number
        }
        out_.quantile_error_ = text_of(root["sketch"], "quantile");
        out_.unique_error_ = text_of(root["sketch"], "unique");
        for (const auto& node : root["metrics"]) {
            if (auto read = read_metric(node); !read) return read;
        }
        return {};
    }

    Result<void> read_dimensions(const YAML::Node& root) {
        for (const auto& node : root["dimensions"]) {
            if (auto read = read_dimension(node); !read) return read;
        }
        return {};
    }

    void read_timezones(const std::string& text) {
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            if (line.empty() || line.front() == '#') continue;
            const bool odd = line.back() == '*';
            if (odd) line.pop_back();
            out_.timezones_.emplace(line, !odd);
            out_.timezone_names_.push_back(line);
        }
    }

private:
    Result<Expression> expression(const std::string& key, Source source, const std::string& text,
                                  bool linear) {
        auto parsed = Expression::parse(text, linear);
        if (!parsed) return refuse(key, parsed.error().message);
        for (const auto& [name, number] : coefficients_) parsed->substitute(name, number);
        for (const auto& column : parsed->columns()) {
            const bool known =
                linear ? summable_sql(source, column).has_value() : has_column(source, column);
            if (!known) {
                return refuse(key,
                              "column \"" + column + "\" does not exist on " + name_of(source));
            }
        }
        return parsed;
    }

    Result<void> read_expression(Expression& target, const std::string& key, Source source,
                                 const YAML::Node& node, const char* field, bool linear) {
        const auto text = text_of(node, field);
        if (text.empty()) return {};
        auto parsed = expression(key, source, text, linear);
        if (!parsed) return fail(parsed.error());
        target = *parsed;
        return {};
    }

    Result<void> read_sample(Sample& target, const std::string& key, Source source,
                             const YAML::Node& node) {
        if (!node) return {};
        if (auto known = only_fields(key, node, {"value", "where"}); !known) return known;
        if (auto read = read_expression(target.value, key, source, node, "value", false); !read) {
            return read;
        }
        return read_expression(target.where, key, source, node, "where", false);
    }

    Result<void> read_formula(Formula& target, const std::string& key, Source source,
                              const YAML::Node& node) {
        if (auto read = read_expression(target.numerator, key, source, node, "numerator", true);
            !read) {
            return read;
        }
        if (auto read = read_expression(target.denominator, key, source, node, "denominator", true);
            !read) {
            return read;
        }
        if (auto read = read_expression(target.business, key, source, node, "business", true);
            !read) {
            return read;
        }
        if (node["factor"]) target.factor = node["factor"].as<double>();
        target.definition = text_of(node, "definition", target.definition);
        target.unit = text_of(node, "unit", target.unit);
        return read_sample(target.sample, key, source, node["sample"]);
    }

    Result<void> read_shape(Metric& metric, const YAML::Node& node) {
        static const std::map<std::string, Form> kForms{
            {"count", Form::Count}, {"ratio", Form::Ratio},   {"rate", Form::Rate},
            {"peak", Form::Peak},   {"unique", Form::Unique}, {"per_unique", Form::PerUnique}};
        const auto form = kForms.find(text_of(node, "form"));
        if (form == kForms.end()) return refuse(metric.key, "unknown form");
        metric.form = form->second;
        const auto source = text_of(node, "source", "sessions");
        if (source != "sessions" && source != "slices" && source != "ad_views") {
            return refuse(metric.key, "unknown source \"" + source + "\"");
        }
        if (source == "slices") metric.source = Source::Slices;
        if (source == "ad_views") metric.source = Source::AdViews;
        metric.good = text_of(node, "good");
        if (metric.good != "up" && metric.good != "down" && metric.good != "none") {
            return refuse(metric.key, "good must be up, down or none");
        }
        metric.decimals = node["decimals"] ? node["decimals"].as<int>() : 4;
        if (metric.decimals < 0 || metric.decimals > 4) {
            return refuse(metric.key, "decimals must be 0 to 4");
        }
        metric.concurrency = node["concurrency"] && node["concurrency"].as<bool>();
        return {};
    }

    Result<void> read_variants(Metric& metric, const YAML::Node& node) {
        for (const auto& item : node["variants"]) {
            const auto name = item.first.as<std::string>();
            const std::string key = metric.key + " (" + name + ")";
            if (std::find(kDefinitions.begin(), kDefinitions.end(), name) == kDefinitions.end()) {
                return refuse(key, "unknown definition");
            }
            if (auto known = only_fields(key, item.second,
                                         {"numerator", "denominator", "business", "factor",
                                          "sample", "unit", "definition"});
                !known) {
                return known;
            }
            Formula formula = metric.formula;
            if (auto read = read_formula(formula, key, metric.source, item.second); !read) {
                return read;
            }
            metric.variants.emplace(name, std::move(formula));
        }
        return {};
    }

    Result<void> check(const Metric& metric) {
        const bool needs_unique = metric.form == Form::Unique || metric.form == Form::PerUnique;
        if (needs_unique != !metric.unique.empty())
            return refuse(metric.key, "unique and form disagree");
        const Formula& main = metric.source == Source::AdViews ? metric.ad : metric.formula;
        if (metric.form != Form::Unique && main.empty()) return refuse(metric.key, "no numerator");
        if ((metric.form == Form::Ratio) == main.denominator.empty()) {
            return refuse(metric.key, "denominator and form disagree");
        }
        if (metric.definition.empty()) return refuse(metric.key, "no definition");
        if (!metric.concurrency) return {};
        for (const auto* part : {&metric.formula.numerator, &metric.formula.denominator}) {
            for (const auto& column : part->columns()) {
                if (!summable_sql(Source::Slices, column)) {
                    return refuse(metric.key, "concurrency, but no \"" + column + "\" on slices");
                }
            }
        }
        return {};
    }

    Result<void> read_metric(const YAML::Node& node) {
        Metric metric;
        metric.key = text_of(node, "key");
        if (auto known =
                only_fields(metric.key, node,
                            {"key",    "aliases",   "title",       "unit",        "category",
                             "form",   "numerator", "denominator", "factor",      "sample",
                             "unique", "business",  "variants",    "ad",          "error",
                             "source", "good",      "decimals",    "concurrency", "definition"});
            !known) {
            return known;
        }
        metric.aliases = list_of(node["aliases"]);
        metric.title = text_of(node, "title");
        metric.unit = text_of(node, "unit");
        metric.category = text_of(node, "category");
        metric.definition = text_of(node, "definition");
        if (auto read = read_shape(metric, node); !read) return read;
        metric.formula.unit = metric.unit;
        metric.formula.definition = metric.definition;
        if (auto read = read_formula(metric.formula, metric.key, metric.source, node); !read) {
            return read;
        }
        metric.ad.unit = metric.unit;
        metric.ad.definition = metric.definition;
        metric.ad.factor = metric.formula.factor;
        if (node["ad"]) {
            if (auto read = read_formula(metric.ad, metric.key, Source::AdViews, node["ad"]);
                !read) {
                return read;
            }
        }
        metric.error.unit = metric.unit;
        metric.error.definition = metric.definition;
        metric.error.factor = metric.formula.factor;
        metric.error.business = metric.formula.business;
        if (node["error"]) {
            if (auto read = read_formula(metric.error, metric.key, Source::Errors, node["error"]);
                !read) {
                return read;
            }
        }
        if (auto read = read_sample(metric.unique, metric.key, metric.source, node["unique"]);
            !read) {
            return read;
        }
        if (auto read = read_variants(metric, node); !read) return read;
        if (auto checked = check(metric); !checked) return checked;
        out_.metrics_.push_back(std::move(metric));
        return {};
    }

    Result<void> read_dimension(const YAML::Node& node) {
        Dimension dimension;
        dimension.key = text_of(node, "key");
        if (auto known = only_fields(
                dimension.key, node,
                {"key", "aliases", "title", "type", "category", "tables", "expression"});
            !known) {
            return known;
        }
        dimension.aliases = list_of(node["aliases"]);
        dimension.title = text_of(node, "title");
        dimension.category = text_of(node, "category");
        static const std::map<std::string, ValueType> kTypes{{"string", ValueType::String},
                                                             {"number", ValueType::Number},
                                                             {"boolean", ValueType::Boolean},
                                                             {"time", ValueType::Time}};
        const auto type = kTypes.find(text_of(node, "type"));
        if (type == kTypes.end()) return refuse(dimension.key, "unknown type");
        dimension.type = type->second;
        const auto text = text_of(node, "expression", dimension.key);
        for (const auto& table : list_of(node["tables"])) {
            bool known = false;
            for (const auto source : kSources) {
                if (table != name_of(source)) continue;
                known = true;
                // What is known of a session's minutes is known of the errors in them.
                if (source == Source::Slices) dimension.sources[kErrors] = true;
                dimension.sources[static_cast<std::size_t>(source)] = true;
                if (dimension.key == "timestamp") continue;  // made by the planner
                auto parsed = expression(dimension.key, source, text, false);
                if (!parsed) return fail(parsed.error());
                dimension.expression = *parsed;
            }
            if (!known) return refuse(dimension.key, "unknown table \"" + table + "\"");
        }
        out_.dimensions_.push_back(std::move(dimension));
        return {};
    }

    Dictionary& out_;
    std::vector<std::pair<std::string, std::string>> coefficients_;
};

Result<Dictionary> Dictionary::parse(const DictionaryText& text) {
    Dictionary out;
    try {
        DictionaryReader reader(out);
        if (auto read = reader.read_metrics(YAML::Load(text.metrics)); !read) {
            return fail(read.error());
        }
        if (auto read = reader.read_dimensions(YAML::Load(text.dimensions)); !read) {
            return fail(read.error());
        }
        reader.read_timezones(text.timezones);
    } catch (const YAML::Exception& exception) {
        return refuse("yaml", exception.what());
    }
    if (auto indexed = out.index(); !indexed) return fail(indexed.error());
    return out;
}

Result<Dictionary> Dictionary::load(const std::string& override_folder) {
    const auto text_of_file = [&](const char* name, std::string_view built_in) {
        const std::filesystem::path file = std::filesystem::path(override_folder) / name;
        std::error_code error;
        if (override_folder.empty() || !std::filesystem::exists(file, error)) {
            return std::string(built_in);
        }
        std::ifstream in(file, std::ios::binary);
        std::ostringstream text;
        text << in.rdbuf();
        return text.str();
    };
    return parse({text_of_file("metrics.yaml", embedded_metrics()),
                  text_of_file("dimensions.yaml", embedded_dimensions()),
                  text_of_file("timezones.txt", embedded_timezones())});
}

}  // namespace playhead::query
