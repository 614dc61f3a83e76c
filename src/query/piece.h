/// The aggregating half of a statement: metrics of one source that are computed in the same way,
/// so that each kind reads the cheapest table it can. Internal to the planner.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "query/part.h"

namespace playhead::query {

/// How the metrics of a piece read their rows.
enum class PieceKind : std::uint8_t {
    Sums,  ///< additive: rows with their sign, or a rollup
    Rows,  ///< uniques, percentiles, attributes: each row once
    Peak,  ///< sums by minute, of which the largest counts
};

PieceKind kind_of(const MetricUse& use) noexcept;

/// True when sums and states of days can answer: several whole days, groups that are few and the
/// same for all rows of a day, no figures that need single sessions.
bool suits_days(const QueryRequest& request);

/// The beacons behind an answer, for `meta`; columns of every statement after those of the plan.
inline constexpr std::array kBeaconColumns{"beacons", "beacons_late", "beacons_lost",
                                           "beacons_numbered"};

class Piece {
public:
    /// `by_state`: uniques and percentiles from states of groups, so that kept days can stand
    /// beside rows; only for requests that `suits_days`.
    Piece(const QueryRequest& request, SqlParameters& parameters, Source source, PieceKind kind,
          bool by_state = false)
        : request_(request),
          parameters_(parameters),
          source_(source),
          kind_(kind),
          by_state_(by_state),
          parts_(request, parameters, source) {
        if (by_state) parts_.typed();
    }

    Source source() const noexcept { return source_; }
    /// True for single errors that are set against attempts: those are read beside them.
    bool needs_attempts() const noexcept { return attempts_; }
    /// True when a rollup of slices can answer the attempts beside single errors.
    bool attempts_from_rollup() const;
    PieceKind kind() const noexcept { return kind_; }
    bool empty() const noexcept { return values_.empty(); }

    void group(const DimensionUse& use, const std::string& alias);
    /// Any value of the group's rows.
    void attribute(const DimensionUse& use, std::size_t column);
    void metric(const MetricUse& use, std::size_t column);
    void count_beacons();

    /// Uses sketches, so the answer is approximate.
    bool approximate() const noexcept { return approximate_; }
    /// True when a rollup of the source can answer: columns, groups, filters and buckets.
    bool rollup_possible(const Dictionary& dictionary) const;

    /// One SELECT with the group's columns and m0..m<columns-1> (NULL where another piece has it),
    /// and the beacons when `beacons`.
    Result<std::string> write(const std::vector<TablePart>& tables,
                              const std::vector<KeptRange>& kept, std::size_t columns,
                              bool beacons);
    /// How the days of this piece are made from `part`, whose times are not read. Only `by_state`.
    Result<DayRecipe> recipe(TablePart part, std::uint64_t customer_id) const;
    /// `SELECT tuple(rows, beacons, late, lost, numbered)` of a piece without groups.
    Result<std::string> write_totals(const std::vector<TablePart>& tables);

private:
    std::string metric_sql(const MetricUse& use);
    bool with_business(const Formula& formula) const;
    std::string numerator_sql(const Formula& formula);
    std::string figure_sql(const MetricUse& use);
    std::string confidence_deviate();
    /// Columns of a session's numerator and denominator.
    std::pair<std::string, std::string> terms(const MetricUse& use, const Formula& formula);
    std::string sums(const Expression& expression);
    std::string attempts_sql();
    std::string sample_sql(const MetricUse& use, const Sample& sample);
    std::string unique_sql(const Sample& unique);
    std::string where_flag(const Sample& sample);
    std::string range_ms();
    std::string group_sql() const;
    PartShape peak_shape() const;
    Result<std::string> inner_sql(const std::vector<TablePart>& tables);

    const QueryRequest& request_;
    SqlParameters& parameters_;
    Source source_;
    PieceKind kind_;
    bool by_state_;
    PartWriter parts_;
    std::vector<std::pair<DimensionUse, std::string>> groups_;
    std::string bucket_;
    std::string deviate_;  ///< bound once: the normal deviate of the confidence level
    std::vector<std::pair<std::size_t, std::string>> values_;
    std::vector<std::string> peaks_;  ///< of PieceKind::Peak: over the sums of a minute
    bool beacons_ = false;
    bool attempts_ = false;  ///< of Errors: a share of all attempts is asked for
    bool approximate_ = false;
};

}  // namespace playhead::query
