// The SQL that somebody who knows the tables would write for each KPI query.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace playhead::bench {

struct KpiQuery {
    std::string name;
    std::string parameters;  ///< of the API, without the period
    bool list_sessions = false;
    std::vector<std::string> sql;  ///< run one after the other
};

/// `from_s` and `to_s` are whole hours.
std::vector<KpiQuery> kpi_queries(std::uint64_t customer_id, std::int64_t from_s,
                                  std::int64_t to_s);

}  // namespace playhead::bench
