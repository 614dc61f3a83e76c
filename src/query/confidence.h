/// Confidence intervals of metrics from sums over sessions. A session is the unit of sampling:
/// sessions are taken as independent, what happens within one is not. Pure.
#pragma once

#include <string>

namespace playhead::query {

/// Sums over `n` sessions of a ratio's numerator x and denominator y; all additive.
struct Moments {
    double n = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;
    Moments& operator+=(const Moments& other) noexcept;
};

struct Interval {
    double low = 0, high = 0;
    bool known = false;
};

/// The levels that `cilevel` may ask for, percent.
inline constexpr double kConfidenceLeast = 50, kConfidenceMost = 99.99, kConfidenceDefault = 95;

/// The value that a standard normal variable stays below with probability p, 0 < p < 1.
double normal_quantile(double p);

/// Two-sided p-value of a standard normal deviate.
double two_sided_p(double z);

/// True when x and y are 0 or 1 in every session and x is a part of y: the ratio is a proportion.
bool is_proportion(const Moments& moments) noexcept;

/// Variance of x/y by the delta method with the small sample factor n/(n-1); of a mean, where y is
/// 1, the squared standard error. Negative when unknown (y = 0, n < 2).
double ratio_variance(const Moments& moments) noexcept;

/// Interval of x/y at the normal deviate z: Wilson's for a proportion, else the delta method's, not
/// below 0 for a ratio that is not.
Interval ratio_interval(const Moments& moments, double z) noexcept;

/// Two-sided p-value of equal ratios in two samples (proportions: pooled variance); negative when
/// unknown.
double change_p(const Moments& before, const Moments& after) noexcept;

/// The same in SQL: names of the per-session columns x and y, z as SQL, one bound.
std::string ratio_bound_sql(const std::string& x, const std::string& y, const std::string& z,
                            bool upper);
std::string samples_sql(const std::string& x, const std::string& y);

/// Bound of a percentile by order statistics: the percentile at level -+ z sqrt(p(1-p)/n), where
/// the engine's digest gives it; the level is rounded outwards to a grid of steps of 15 %.
std::string percentile_bound_sql(const std::string& value, const std::string& flag, double level,
                                 const std::string& z, bool upper);

}  // namespace playhead::query
