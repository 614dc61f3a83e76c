/// The queries, each with its file. Internal to the registry.
#pragma once

#include "query/smart/smart_query.h"

namespace playhead::query::smart {

SmartQuery content_paths();        ///< paths.cc
SmartQuery content_paths_from();   ///< paths.cc
SmartQuery content_paths_to();     ///< paths.cc
SmartQuery subscriber_insight();   ///< subscriber_insight.cc
SmartQuery subscriber_sessions();  ///< lists.cc
SmartQuery subscriber_list();      ///< lists.cc
SmartQuery content_insights();     ///< lists.cc
SmartQuery content_analysis();     ///< content_analysis.cc
SmartQuery retention();            ///< retention.cc
SmartQuery realtime();             ///< realtime.cc
SmartQuery engagement();           ///< engagement.cc
SmartQuery root_cause_query();     ///< changes.cc
SmartQuery top_movers_query();     ///< changes.cc

/// `{"type":"object","properties":{…}}` of lines "name:type:meaning"; type is string, integer,
/// number or number? (may be null).
std::string row_schema(std::initializer_list<const char*> fields);

}  // namespace playhead::query::smart
