#include "query/confidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace playhead::query {

namespace {

constexpr double kGridFirst = 0.0005;
constexpr double kGridRatio = 1.15;

double normal_below(double x) {
    return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

}  // namespace

Moments& Moments::operator+=(const Moments& other) noexcept {
    n += other.n;
    x += other.x;
    y += other.y;
    xx += other.xx;
    xy += other.xy;
    yy += other.yy;
    return *this;
}

double normal_quantile(double p) {
    // Bisection: exact to the last digits, and called once per request.
    double low = -40, high = 40;
    for (int step = 0; step < 200 && low < high; ++step) {
        const double middle = (low + high) / 2;
        (normal_below(middle) < p ? low : high) = middle;
    }
    return (low + high) / 2;
}

double two_sided_p(double z) {
    return std::erfc(std::fabs(z) / std::sqrt(2.0));
}

bool is_proportion(const Moments& m) noexcept {
    return m.xx == m.x && m.yy == m.y && m.xy == m.x;
}

double ratio_variance(const Moments& m) noexcept {
    if (m.y == 0 || m.n < 2) return -1;
    const double ratio = m.x / m.y;
    const double squares = m.xx - 2 * ratio * m.xy + ratio * ratio * m.yy;
    return std::max(squares, 0.0) * m.n / (m.n - 1) / (m.y * m.y);
}

Interval ratio_interval(const Moments& m, double z) noexcept {
    if (m.y <= 0) return {};
    const double ratio = m.x / m.y;
    if (is_proportion(m)) {
        const double n = m.y;
        const double scale = 1 + z * z / n;
        const double centre = (ratio + z * z / (2 * n)) / scale;
        const double half = z * std::sqrt(ratio * (1 - ratio) / n + z * z / (4 * n * n)) / scale;
        return {std::max(centre - half, 0.0), std::min(centre + half, 1.0), true};
    }
    const double variance = ratio_variance(m);
    if (variance < 0) return {};
    const double half = z * std::sqrt(variance);
    return {ratio >= 0 ? std::max(ratio - half, 0.0) : ratio - half, ratio + half, true};
}

double change_p(const Moments& before, const Moments& after) noexcept {
    if (before.y <= 0 || after.y <= 0) return -1;
    const double change = after.x / after.y - before.x / before.y;
    double variance = 0;
    if (is_proportion(before) && is_proportion(after)) {
        const double pooled = (before.x + after.x) / (before.y + after.y);
        variance = pooled * (1 - pooled) * (1 / before.y + 1 / after.y);
    } else {
        const double first = ratio_variance(before);
        const double second = ratio_variance(after);
        if (first < 0 || second < 0) return -1;
        variance = first + second;
    }
    if (variance <= 0) return change == 0 ? 1 : -1;
    return two_sided_p(change / std::sqrt(variance));
}

std::string samples_sql(const std::string& x, const std::string& y) {
    return fmt::format("countIf({} != 0 OR {} != 0)", x, y);
}

std::string ratio_bound_sql(const std::string& x, const std::string& y, const std::string& z,
                            bool upper) {
    const auto n = samples_sql(x, y);
    const auto ratio = fmt::format("(sum({0}) / nullIf(sum({1}), 0))", x, y);
    const auto proportion = fmt::format(
        "sum({0} * {0}) = sum({0}) AND sum({1} * {1}) = sum({1}) AND sum({0} * {1}) = sum({0})", x,
        y);
    const char* sign = upper ? "+" : "-";
    const auto wilson = fmt::format(
        "(({0} + {1} * {1} / (2 * sum({2}))) {3} {1} * sqrt({0} * (1 - {0}) / sum({2}) + {1} * {1} "
        "/ (4 * sum({2}) * sum({2})))) / (1 + {1} * {1} / sum({2}))",
        ratio, z, y, sign);
    const auto wilson_kept =
        fmt::format("{}({}, {})", upper ? "least" : "greatest", wilson, upper ? "1.0" : "0.0");
    const auto delta = fmt::format(
        "{0} {4} {1} * sqrt(greatest(sum({2} * {2}) - 2 * {0} * sum({2} * {3}) + {0} * {0} * "
        "sum({3} * {3}), 0.0) * {5} / nullIf({5} - 1, 0)) / sum({3})",
        ratio, z, x, y, sign, n);
    const auto delta_kept =
        upper ? delta : fmt::format("if({0} >= 0, greatest({1}, 0.0), {1})", ratio, delta);
    // The engine's least and greatest pass over NULL, so what is unknown is told first.
    return fmt::format("multiIf(NOT (sum({}) > 0), NULL, {}, {}, {} < 2, NULL, {})", y, proportion,
                       wilson_kept, n, delta_kept);
}

std::string percentile_bound_sql(const std::string& value, const std::string& flag, double level,
                                 const std::string& z, bool upper) {
    std::string levels;
    int steps = 0;
    for (double offset = kGridFirst;; offset *= kGridRatio) {
        const double at = std::clamp(level + (upper ? offset : -offset), 0.0, 1.0);
        levels += fmt::format("{}{}", levels.empty() ? "" : ", ", at);
        ++steps;
        if (at <= 0 || at >= 1) break;
    }
    const auto step = fmt::format("toInt64(ceil(log({} * sqrt({} / countIf({})) / {}) / log({})))",
                                  z, level * (1 - level), flag, kGridFirst, kGridRatio);
    return fmt::format(
        "if(countIf({1}) = 0, NULL, "
        "arrayElement(quantilesTDigestIf({0})({2}, {1}), toInt64(least(greatest({3}, 0) + 1, "
        "{4}))))",
        levels, flag, value, step, steps);
}

}  // namespace playhead::query
