/// Which combinations of dimensions explain the change of a metric between two periods. Pure.
///
/// A metric is R = N/D, a ratio of sums, or N alone. With w = D_e/D, an element's share of the
/// denominator, and r = N_e/D_e, its own ratio, the change from R0 to R1 is, exactly, the sum over
/// the elements of any partition of
///     rate effect  (w0+w1)/2 (r1-r0)                     the element itself changed
///     mix effect   ((r0+r1)/2 - (R0+R1)/2) (w1-w0)       there is more or less of it
/// Their sum, the effect, is additive over cells: a combination's is the sum of its cells'. An
/// element that is in one period only has no rate effect. Of a count the effect is N1-N0 and w the
/// share of N.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "query/confidence.h"

namespace playhead::query {

inline constexpr std::size_t kCubeDimensionsMax = 8;
inline constexpr std::size_t kCubeCellsMax = 200'000;
inline constexpr int kCauseDepthMax = 3;
/// Most combinations that are listed of one metric.
inline constexpr std::size_t kCombinationsMax = 100;

/// The finest cells of some dimensions; in order of their values, so equal for any order of rows.
struct Cube {
    std::vector<std::vector<std::string>> values;  ///< by dimension: code -> value
    std::vector<std::uint32_t> codes;              ///< of cell i at [i * dimensions(), …)
    std::vector<Moments> before, after;            ///< by cell
    bool ratio = true;                             ///< else a count: x alone
    std::size_t dimensions() const noexcept { return values.size(); }
    std::size_t cells() const noexcept { return before.size(); }
};

/// Collects rows into a cube; rows of the same values are added up.
class CubeBuilder {
public:
    explicit CubeBuilder(std::size_t dimensions) : indexes_(dimensions), names_(dimensions) {}
    /// `values` has one value per dimension.
    void add(const std::vector<std::string>& values, bool is_after, const Moments& moments);
    Cube finish(bool ratio);

private:
    struct Row {
        std::vector<std::uint32_t> codes;
        bool is_after;
        Moments moments;
    };
    std::vector<std::unordered_map<std::string, std::uint32_t>> indexes_;
    std::vector<std::vector<std::string>> names_;
    std::vector<Row> rows_;
};

struct Effect {
    double rate = 0, mix = 0;
    double total() const noexcept { return rate + mix; }
};

/// The effect of an element within the whole.
Effect effect_of(const Moments& before, const Moments& after, const Moments& all_before,
                 const Moments& all_after, bool ratio) noexcept;

/// One value of one dimension.
struct Element {
    std::size_t dimension = 0;
    std::uint32_t code = 0;
    bool operator==(const Element&) const = default;
};

struct Combination {
    std::vector<Element> elements;  ///< by dimension
    Moments before, after;
    Effect effect;
    double explained = 0;      ///< effect of the total change; NaN when nothing changed in all
    double explained_new = 0;  ///< of it, what the combinations before it have not explained
    double weight_before = 0, weight_after = 0;  ///< shares of the denominator
    double score = 0;                            ///< what the list is ordered by
};

struct SearchOptions {
    int depth = kCauseDepthMax;
    std::size_t limit = 20;
    double least_explained = 0.05;  ///< elements that could not explain so much are not pursued
    double least_sessions = 30;     ///< of both periods together
};

struct Contribution {
    double before = 0, after = 0;  ///< the whole metric; NaN without denominator
    std::vector<Combination> combinations;
    std::size_t examined = 0;  ///< combinations that were formed
};

/// Root causes: combinations that explain more of the change than their weight would if everything
/// had changed alike (`score` = that excess, less kDepthPenalty for each further dimension), the
/// highest first. Each must explain something that those before it do not: what it shares with them
/// is not counted again, so children that explain no more than their parent, and parents that
/// explain no more than their child, are left out. A combination is formed only when every part of
/// it can reach `least_explained` with its rising cells alone (Apriori, exact). Nothing when the
/// metric did not change.
Contribution find_causes(const Cube& cube, const SearchOptions& options);

/// Movers: every combination up to the depth by |effect - weight x change|, either direction; also
/// when the whole did not change.
Contribution find_movers(const Cube& cube, const SearchOptions& options);

/// Excess that a cause must have at least.
inline constexpr double kExcessLeast = 0.02;
/// Excess that one more dimension must bring.
inline constexpr double kDepthPenalty = 0.03;

}  // namespace playhead::query
