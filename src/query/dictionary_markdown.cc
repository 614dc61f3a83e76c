#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "query/envelope.h"

namespace playhead::query {

namespace {

template <class Entry>
std::vector<std::string> categories_of(const std::vector<Entry>& entries) {
    std::vector<std::string> out;
    for (const auto& entry : entries) {
        if (std::find(out.begin(), out.end(), entry.category) == out.end()) {
            out.push_back(entry.category);
        }
    }
    return out;
}

/// Text inside a cell of a table.
std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
    return out;
}

std::string names(const std::string& key, const std::vector<std::string>& aliases) {
    std::string out = "`" + key + "`";
    for (const auto& alias : aliases) out += ", `" + alias + "`";
    return out;
}

std::string formula_text(const Formula& formula) {
    std::string out = formula.numerator.text();
    if (formula.factor != 1) out = fmt::format("({}) × {:.4g}", out, formula.factor);
    if (!formula.denominator.empty()) out += " ÷ (" + formula.denominator.text() + ")";
    return out;
}

std::string made_of(const Metric& metric) {
    const bool ads_only = metric.source == Source::AdViews;
    const Formula& formula = ads_only ? metric.ad : metric.formula;
    auto distinct = "distinct " + metric.unique.value.text() +
                    (metric.unique.where.empty() ? "" : " where " + metric.unique.where.text());
    switch (metric.form) {
        case Form::Unique: return distinct;
        case Form::PerUnique: return formula_text(formula) + " ÷ " + distinct;
        case Form::Rate: return formula_text(formula) + " ÷ length of the range";
        case Form::Peak: return "largest of a minute: " + formula_text(formula);
        default: return formula_text(formula);
    }
}

std::string where_asked(const Metric& metric) {
    std::string out;
    if (metric.concurrency) out += "c";
    if (!metric.formula.sample.empty() || !metric.ad.sample.empty()) out += "p";
    if (!metric.ad.empty()) out += "a";
    if (!metric.error.empty()) out += "e";
    return out;
}

void add_metric(std::string& out, const Metric& metric) {
    out += fmt::format("| {} | {} | {} | {} | `{}` | {} |\n", names(metric.key, metric.aliases),
                       cell(metric.title), metric.unit, where_asked(metric), cell(made_of(metric)),
                       cell(metric.definition));
    for (const auto& [definition, formula] : metric.variants) {
        out += fmt::format("| ↳ `definition={}` | | {} | | `{}` | {} |\n", definition, formula.unit,
                           cell(formula_text(formula)), cell(formula.definition));
    }
}

}  // namespace

std::string dictionary_markdown(const Dictionary& dictionary) {
    std::string out =
        "# Dictionary\n\n"
        "Made by `dictionary_doc` from `dictionary/*.yaml`; do not edit. "
        "`GET /mm-apis/dictionary/{customerId}` answers the same as JSON.\n\n"
        "Ratios are ratios of sums. *c*: also with `concurrency=1`. *p*: also as `avg_`, "
        "`median_` and `p<NN>_` (e.g. `p95_latency`, `p99.9_latency`). *a*: also per ad "
        "(`aggby` or `filter` with an ad dimension). *e*: also per error (with errortype or "
        "errorphase, and on `/mm-apis/error`). Columns are those of "
        "`src/store/migrations`.\n\n";
    out += "Percentiles: " + dictionary.sketch_error() + ". Uniques: " + dictionary.unique_error() +
           ".\n\n## Metrics\n";
    for (const auto& category : categories_of(dictionary.metrics())) {
        out += "\n### " + category +
               "\n\n| key | title | unit | | made of | definition |\n|---|---|---|---|---|---|\n";
        for (const auto& metric : dictionary.metrics()) {
            if (metric.category == category) add_metric(out, metric);
        }
    }
    out += "\n## Dimensions\n\nAlso `tag.<name>` for any custom tag.\n";
    for (const auto& category : categories_of(dictionary.dimensions())) {
        out += "\n### " + category + "\n\n| key | title | type | known in |\n|---|---|---|---|\n";
        for (const auto& dimension : dictionary.dimensions()) {
            if (dimension.category != category) continue;
            static constexpr const char* kTypes[] = {"string", "number", "boolean", "time"};
            std::string tables;
            for (const auto source : kSources) {
                if (!dimension.on(source)) continue;
                tables += (tables.empty() ? "" : ", ") + std::string(name_of(source));
            }
            out += fmt::format("| {} | {} | {} | {} |\n", names(dimension.key, dimension.aliases),
                               cell(dimension.title),
                               kTypes[static_cast<std::size_t>(dimension.type)], tables);
        }
    }
    return out;
}

}  // namespace playhead::query
