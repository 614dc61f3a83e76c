#include "query/contribution.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <tuple>

namespace playhead::query {

namespace {

/// A product of cardinalities up to this is indexed by a plain array.
constexpr std::uint64_t kDenseIndexMax = 1U << 20U;

double share(double part, double whole) {
    return whole == 0 ? 0 : part / whole;
}

/// The whole of both periods, and what every effect is measured against.
struct Whole {
    Moments before, after;
    bool ratio = true;
    double value_before = 0, value_after = 0;
    double change = 0;  ///< 0 when there is none to explain

    explicit Whole(const Cube& cube) : ratio(cube.ratio) {
        for (const auto& cell : cube.before) before += cell;
        for (const auto& cell : cube.after) after += cell;
        const double none = std::numeric_limits<double>::quiet_NaN();
        value_before = !ratio ? before.x : before.y > 0 ? before.x / before.y : none;
        value_after = !ratio ? after.x : after.y > 0 ? after.x / after.y : none;
        const double difference = value_after - value_before;
        const double scale = std::fabs(value_after) + std::fabs(value_before);
        const bool told = std::isfinite(difference) && std::fabs(difference) > 1e-12 * scale;
        change = told ? difference : 0;
    }

    double weight_before(const Moments& m) const {
        return ratio ? share(m.y, before.y) : share(m.x, before.x);
    }
    double weight_after(const Moments& m) const {
        return ratio ? share(m.y, after.y) : share(m.x, after.x);
    }
    double weight(const Moments& first, const Moments& second) const {
        if (!ratio) return share(first.x + second.x, before.x + after.x);
        return (weight_before(first) + weight_after(second)) / 2;
    }
    double effect(const Moments& first, const Moments& second) const {
        return effect_of(first, second, before, after, ratio).total();
    }
};

/// Sums of one combination.
struct Group {
    Moments before, after;
    double rising = 0;  ///< share explained by those of its cells that push the same way
    double left_effect = 0, left_weight = 0;  ///< of cells that nothing accepted covers
    std::size_t cell = 0;                     ///< one of its cells, for its values
    bool alive = true;
};

/// All combinations of one set of dimensions.
struct Lattice {
    std::uint32_t mask = 0;
    std::vector<Group> groups;
    std::vector<std::int32_t> of_cell;  ///< group of each cell; -1 = not formed
};

class Search {
public:
    Search(const Cube& cube, const SearchOptions& options, bool prune)
        : cube_(cube), options_(options), prune_(prune), whole_(cube) {
        out_.before = whole_.value_before;
        out_.after = whole_.value_after;
        effects_.reserve(cube.cells());
        weights_.reserve(cube.cells());
        for (std::size_t i = 0; i < cube.cells(); ++i) {
            effects_.push_back(whole_.effect(cube.before[i], cube.after[i]));
            weights_.push_back(whole_.weight(cube.before[i], cube.after[i]));
        }
    }

    void form() {
        const std::uint32_t masks = 1U << cube_.dimensions();
        by_mask_.assign(masks, nullptr);
        std::vector<std::uint32_t> order;
        for (std::uint32_t mask = 1; mask < masks; ++mask) {
            if (std::popcount(mask) <= options_.depth) order.push_back(mask);
        }
        std::stable_sort(order.begin(), order.end(), [](std::uint32_t a, std::uint32_t b) {
            return std::popcount(a) < std::popcount(b);
        });
        lattices_.reserve(order.size());
        for (const auto mask : order) {
            lattices_.push_back(form(mask));
            by_mask_[mask] = &lattices_.back();
            out_.examined += lattices_.back().groups.size();
        }
    }

    Contribution causes() {
        if (whole_.change == 0) return std::move(out_);
        form();
        std::vector<bool> covered(cube_.cells(), false);
        while (out_.combinations.size() < options_.limit) {
            const auto [lattice, group, score] = best();
            if (group == nullptr) break;
            auto next = combination(*lattice, *group);
            next.explained_new = group->left_effect / whole_.change;
            next.score = score;
            out_.combinations.push_back(std::move(next));
            cover(*lattice, static_cast<std::int32_t>(group - lattice->groups.data()), covered);
        }
        return std::move(out_);
    }

    Contribution movers() {
        form();
        struct Ranked {
            const Lattice* lattice;
            const Group* group;
            double score;
        };
        std::vector<Ranked> all;
        for (const auto& lattice : lattices_) {
            for (const auto& group : lattice.groups) {
                if (!group.alive) continue;
                const double expected = whole_.weight(group.before, group.after) * whole_.change;
                const double score = std::fabs(whole_.effect(group.before, group.after) - expected);
                if (score > 0) all.push_back({&lattice, &group, score});
            }
        }
        std::stable_sort(all.begin(), all.end(),
                         [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
        if (all.size() > options_.limit) all.resize(options_.limit);
        for (const auto& each : all) {
            auto next = combination(*each.lattice, *each.group);
            next.score = each.score;
            next.explained_new = next.explained;
            out_.combinations.push_back(std::move(next));
        }
        return std::move(out_);
    }

private:
    struct Best {
        Lattice* lattice = nullptr;
        Group* group = nullptr;
        double score = 0;
    };

    std::uint32_t code(std::size_t cell, std::size_t dimension) const {
        return cube_.codes[cell * cube_.dimensions() + dimension];
    }

    /// True when each combination with one dimension less is alive at the cell.
    bool parents_alive(std::uint32_t mask, std::size_t cell) const {
        if (std::popcount(mask) < 2) return true;
        for (std::uint32_t rest = mask; rest != 0; rest &= rest - 1) {
            const std::uint32_t parent = mask & ~(rest & (~rest + 1));
            const Lattice& lattice = *by_mask_[parent];
            const auto group = lattice.of_cell[cell];
            if (group < 0 || !lattice.groups[static_cast<std::size_t>(group)].alive) return false;
        }
        return true;
    }

    Lattice form(std::uint32_t mask) const {
        Lattice out;
        out.mask = mask;
        out.of_cell.assign(cube_.cells(), -1);
        std::uint64_t size = 1;
        for (std::size_t d = 0; d < cube_.dimensions(); ++d) {
            if ((mask >> d & 1U) != 0) size *= cube_.values[d].size();
        }
        std::vector<std::int32_t> dense;
        std::unordered_map<std::uint64_t, std::int32_t> sparse;
        if (size <= kDenseIndexMax) dense.assign(size, -1);
        for (std::size_t cell = 0; cell < cube_.cells(); ++cell) {
            if (!parents_alive(mask, cell)) continue;
            std::uint64_t key = 0;
            for (std::size_t d = 0; d < cube_.dimensions(); ++d) {
                if ((mask >> d & 1U) != 0) key = key * cube_.values[d].size() + code(cell, d);
            }
            auto& found = dense.empty() ? sparse.try_emplace(key, -1).first->second : dense[key];
            if (found < 0) {
                found = static_cast<std::int32_t>(out.groups.size());
                out.groups.emplace_back().cell = cell;
            }
            out.of_cell[cell] = found;
            add(out.groups[static_cast<std::size_t>(found)], cell);
        }
        for (auto& group : out.groups) {
            group.alive = group.before.n + group.after.n >= options_.least_sessions &&
                          (!prune_ || group.rising >= options_.least_explained);
        }
        return out;
    }

    void add(Group& group, std::size_t cell) const {
        group.before += cube_.before[cell];
        group.after += cube_.after[cell];
        group.left_effect += effects_[cell];
        group.left_weight += weights_[cell];
        if (whole_.change != 0) group.rising += std::max(effects_[cell] / whole_.change, 0.0);
    }

    /// The alive group with the highest score; of equals the one with the fewest dimensions.
    Best best() {
        Best out;
        for (auto& lattice : lattices_) {
            const double penalty = kDepthPenalty * (std::popcount(lattice.mask) - 1);
            for (auto& group : lattice.groups) {
                if (!group.alive) continue;
                const double explained = group.left_effect / whole_.change;
                const double score = explained - group.left_weight - penalty;
                if (explained < options_.least_explained || score < kExcessLeast) continue;
                if (out.group == nullptr || score > out.score + 1e-12) {
                    out = {&lattice, &group, score};
                }
            }
        }
        return out;
    }

    /// Takes the cells of an accepted group out of everyone's remainder.
    void cover(Lattice& accepted, std::int32_t group, std::vector<bool>& covered) {
        for (std::size_t cell = 0; cell < cube_.cells(); ++cell) {
            if (covered[cell] || accepted.of_cell[cell] != group) continue;
            covered[cell] = true;
            for (auto& lattice : lattices_) {
                if (lattice.of_cell[cell] < 0) continue;
                auto& other = lattice.groups[static_cast<std::size_t>(lattice.of_cell[cell])];
                other.left_effect -= effects_[cell];
                other.left_weight -= weights_[cell];
            }
        }
        accepted.groups[static_cast<std::size_t>(group)].alive = false;
    }

    Combination combination(const Lattice& lattice, const Group& group) const {
        Combination out;
        for (std::size_t d = 0; d < cube_.dimensions(); ++d) {
            if ((lattice.mask >> d & 1U) != 0) out.elements.push_back({d, code(group.cell, d)});
        }
        out.before = group.before;
        out.after = group.after;
        out.effect =
            effect_of(group.before, group.after, whole_.before, whole_.after, whole_.ratio);
        out.explained = whole_.change == 0 ? std::numeric_limits<double>::quiet_NaN()
                                           : out.effect.total() / whole_.change;
        out.weight_before = whole_.weight_before(group.before);
        out.weight_after = whole_.weight_after(group.after);
        return out;
    }

    const Cube& cube_;
    const SearchOptions& options_;
    bool prune_;
    Whole whole_;
    std::vector<double> effects_, weights_;  ///< by cell
    std::vector<Lattice> lattices_;
    std::vector<Lattice*> by_mask_;
    Contribution out_;
};

}  // namespace

void CubeBuilder::add(const std::vector<std::string>& values, bool is_after,
                      const Moments& moments) {
    Row row{{}, is_after, moments};
    row.codes.reserve(values.size());
    for (std::size_t d = 0; d < indexes_.size(); ++d) {
        const auto next = static_cast<std::uint32_t>(names_[d].size());
        const auto [found, fresh] = indexes_[d].try_emplace(values[d], next);
        if (fresh) names_[d].push_back(values[d]);
        row.codes.push_back(found->second);
    }
    rows_.push_back(std::move(row));
}

Cube CubeBuilder::finish(bool ratio) {
    Cube out;
    out.ratio = ratio;
    std::vector<std::vector<std::uint32_t>> rank(names_.size());
    for (std::size_t d = 0; d < names_.size(); ++d) {
        out.values.push_back(names_[d]);
        std::sort(out.values[d].begin(), out.values[d].end());
        for (const auto& name : names_[d]) {
            const auto at = std::lower_bound(out.values[d].begin(), out.values[d].end(), name);
            rank[d].push_back(static_cast<std::uint32_t>(at - out.values[d].begin()));
        }
    }
    for (auto& row : rows_) {
        for (std::size_t d = 0; d < rank.size(); ++d) row.codes[d] = rank[d][row.codes[d]];
    }
    // By the sums too, so that rows of the same cell are added in one order.
    std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
        return std::tie(a.codes, a.is_after, a.moments.x, a.moments.y, a.moments.n) <
               std::tie(b.codes, b.is_after, b.moments.x, b.moments.y, b.moments.n);
    });
    const std::vector<std::uint32_t>* last = nullptr;
    for (const auto& row : rows_) {
        if (last == nullptr || *last != row.codes) {
            out.codes.insert(out.codes.end(), row.codes.begin(), row.codes.end());
            out.before.emplace_back();
            out.after.emplace_back();
        }
        last = &row.codes;
        (row.is_after ? out.after : out.before).back() += row.moments;
    }
    return out;
}

Effect effect_of(const Moments& before, const Moments& after, const Moments& all_before,
                 const Moments& all_after, bool ratio) noexcept {
    if (!ratio) return {after.x - before.x, 0};
    const double change = share(after.x, all_after.y) - share(before.x, all_before.y);
    if (before.y == 0 && after.y == 0) return {change, 0};
    const double middle = (share(all_before.x, all_before.y) + share(all_after.x, all_after.y)) / 2;
    const double first = before.y != 0 ? before.x / before.y : after.x / after.y;
    const double second = after.y != 0 ? after.x / after.y : first;
    const double own = (first + second) / 2;
    const double shift = share(after.y, all_after.y) - share(before.y, all_before.y);
    return {change - own * shift, (own - middle) * shift};
}

Contribution find_causes(const Cube& cube, const SearchOptions& options) {
    return Search(cube, options, true).causes();
}

Contribution find_movers(const Cube& cube, const SearchOptions& options) {
    return Search(cube, options, false).movers();
}

}  // namespace playhead::query
