/// How the columns of somebody else's table become the fields of our sessions: a YAML file.
///
///     zone: Europe/Berlin            # of times without an offset; or "+01:00"; UTC when missing
///     "null": ["", "NULL"]           # texts that are no value; the empty text when missing
///     columns:
///       sessionid: view_id
///       start_time: {from: started, format: "%d.%m.%Y %H:%M:%S"}   # or auto, iso, epoch
///       startup_ms: {from: startup, unit: s}
///       viewstatus: {from: outcome, map: {ok: ENDED, error: FAILED}, otherwise: DROPPED}
///       cdn: {value: akamai}
///       tag.plan: plan
///
/// Immutable after `bind`. A named zone is the process's TZ from then on: one mapping a process.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "importers/session_fields.h"

namespace playhead::importers {

class Mapping {
public:
    /// One field of ours and where it comes from.
    struct Rule {
        SessionField field;
        std::string from;      ///< column; empty for a constant
        std::string constant;  ///< without `from`
        double factor = 1;     ///< to the field's unit
        std::string format = "auto";
        std::map<std::string, std::string, std::less<>> values;
        std::optional<std::string> otherwise;  ///< for what `values` does not have
        std::size_t column = 0;                ///< known after `bind`
    };

    static Result<Mapping> load(const std::string& path);
    static Result<Mapping> parse(const std::string& yaml, const std::string& origin);
    /// For sources whose columns are known in advance.
    static Mapping of(std::vector<Rule> rules);

    /// Finds the columns. NotFound for one that is not there, with the nearest.
    Result<void> bind(const std::vector<std::string>& columns);

    /// A row's fields, not finished yet. InvalidArgument for a value that is not of its kind.
    Result<SessionDraft> apply(const std::vector<std::string>& row) const;

    const std::vector<Rule>& rules() const noexcept { return rules_; }
    /// Names of the fields that a rule fills.
    const std::set<std::string, std::less<>>& known() const noexcept { return known_; }
    /// Columns that no rule reads.
    std::vector<std::string> unused(const std::vector<std::string>& columns) const;

private:
    Result<void> set_zone(const std::string& name);
    Result<double> number(const Rule& rule, std::string_view text) const;
    std::optional<std::int64_t> time_ms(const Rule& rule, std::string_view text) const;
    std::int64_t from_local(std::int64_t local_ms) const;

    std::vector<Rule> rules_;
    std::set<std::string, std::less<>> known_;
    std::set<std::string, std::less<>> nulls_{""};
    std::int64_t zone_ms_ = 0;
    bool zone_is_named_ = false;
};

}  // namespace playhead::importers
