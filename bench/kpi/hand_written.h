// The SQL that somebody who knows the tables would write for each KPI query.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace playhead::bench {

/// What of the API is asked.
enum class Asked : std::uint8_t { Metrics, Sessions, Errors, Smart };

struct KpiQuery {
    std::string name;
    std::string parameters;  ///< of the API, without the period
    Asked asked = Asked::Metrics;
    std::vector<std::string> sql;  ///< run one after the other
    std::int64_t length_s = 0;  ///< of the period, which ends as the others do; 0 = as the others
};

/// Whose rows, and when.
struct Subject {
    std::uint64_t customer_id = 0;
    std::int64_t from_s = 0, to_s = 0;  ///< whole hours
    std::string asset_id, subscriber_id;
};

/// ` WHERE …` that keeps a time column to the customer and the period, or to the last `length_s`
/// seconds of it.
std::string where(const Subject& subject, const char* column, std::int64_t length_s = 0);

/// The KPIs: sums, uniques and peaks, whole and by group.
std::vector<KpiQuery> kpi_queries(const Subject& subject);
/// What dashboards ask besides; needs a store filled with --dashboards.
std::vector<KpiQuery> dashboard_queries(const Subject& subject);

}  // namespace playhead::bench
