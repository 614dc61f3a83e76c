/// The dictionary of metrics and dimensions: data from `dictionary/*.yaml`, checked at load.
/// Immutable after load; safe from any thread. The YAML library stays in the `.cc`.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/expression.h"

namespace playhead::query {

/// The shapes of rows that a metric can be computed from. `Sessions` stands for closed and open
/// sessions together.
enum class Source : std::uint8_t {
    Sessions,
    Slices,
    AdViews,
    Errors,  ///< single errors of `events`, with the dimensions of their sessions
};
inline constexpr std::array kSources{Source::Sessions, Source::Slices, Source::AdViews,
                                     Source::Errors};
inline constexpr std::size_t kSourceCount = kSources.size();

const char* name_of(Source source) noexcept;

/// How a metric is put together from its expressions.
enum class Form : std::uint8_t {
    Count,      ///< sum(numerator) x factor
    Ratio,      ///< sum(numerator) x factor / sum(denominator); null when the denominator is 0
    Rate,       ///< sum(numerator) / length of the range (of the bucket) in ms
    Peak,       ///< largest sum(numerator) of one minute
    Unique,     ///< distinct unique.value where unique.where
    PerUnique,  ///< sum(numerator) x factor / distinct
};

/// A quantity of one row: a value, and where the row has one.
struct Sample {
    Expression value;
    Expression where;
    bool empty() const noexcept { return value.empty(); }
};

/// The arithmetic of a metric on one source.
struct Formula {
    Expression numerator;
    Expression denominator;
    Expression business;  ///< added to the numerator by businesserror
    Sample sample;        ///< for avg_, median_, p<NN>_
    double factor = 1;
    std::string definition;
    std::string unit;
    bool empty() const noexcept { return numerator.empty(); }
};

struct Metric {
    std::string key;
    std::vector<std::string> aliases;
    std::string title, unit, category, definition;
    std::string good;  ///< up, down or none
    Form form = Form::Count;
    Source source = Source::Sessions;
    Formula formula;  ///< on `source`
    Formula ad;       ///< on ad_views; empty = not available there
    Formula error;    ///< by single errors and their time; empty = not available there
    Sample unique;
    std::map<std::string, Formula> variants;  ///< by definition
    int decimals = 4;
    bool concurrency = false;  ///< can be answered from slices (concurrency=1)
    bool integral() const noexcept {
        return form == Form::Unique || form == Form::Peak ||
               (form == Form::Count && formula.factor == 1);
    }
};

enum class ValueType : std::uint8_t { String, Number, Boolean, Time };

struct Dimension {
    std::string key;
    std::vector<std::string> aliases;
    std::string title, category;
    ValueType type = ValueType::String;
    std::array<bool, kSourceCount> sources{};
    Expression expression;
    bool on(Source source) const noexcept { return sources[static_cast<std::size_t>(source)]; }
};

/// The definitions that `definition=` knows.
inline constexpr std::array kDefinitions{"smartsight", "cta2066", "mux", "conviva"};

struct DictionaryText {
    std::string metrics, dimensions, timezones;
};

class Dictionary {
public:
    /// The dictionary built into the binary, or of a folder with the same file names (a file that
    /// is missing there comes from the binary). InvalidArgument naming the entry and the fault:
    /// unreadable YAML, unknown field, duplicate key, unknown column, expression not allowed.
    static Result<Dictionary> load(const std::string& override_folder = {});
    static Result<Dictionary> parse(const DictionaryText& text);

    const std::vector<Metric>& metrics() const noexcept { return metrics_; }
    const std::vector<Dimension>& dimensions() const noexcept { return dimensions_; }
    /// By key or alias, lower case; null when there is none.
    const Metric* metric(std::string_view name) const;
    const Dimension* dimension(std::string_view name) const;
    /// Every key and alias, for suggestions.
    const std::vector<std::string>& names() const noexcept { return names_; }
    /// IANA names; `whole_hours` = its offset is always a whole number of hours.
    bool timezone_known(std::string_view name) const;
    bool timezone_whole_hours(std::string_view name) const;
    const std::vector<std::string>& timezones() const noexcept { return timezone_names_; }
    const std::string& sketch_error() const noexcept { return quantile_error_; }
    const std::string& unique_error() const noexcept { return unique_error_; }

private:
    friend class DictionaryReader;
    Result<void> index();

    std::vector<Metric> metrics_;
    std::vector<Dimension> dimensions_;
    std::map<std::string, std::size_t, std::less<>> metric_index_;
    std::map<std::string, std::size_t, std::less<>> dimension_index_;
    std::map<std::string, bool, std::less<>> timezones_;
    std::vector<std::string> names_;
    std::vector<std::string> timezone_names_;
    std::string quantile_error_, unique_error_;
};

}  // namespace playhead::query
