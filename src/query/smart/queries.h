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

/// JSON Schema of a row, of lines "name:type:meaning"; type is one of JSON, with `?` or null, or
/// "[name type,…]", an array of objects. Every field is there; others are not, except where `open`.
std::string row_schema(std::initializer_list<const char*> fields, bool open = false);

// Inputs of a query.
Parameter id_input(std::string name, std::string description);  ///< required
Parameter text_input(std::string name, std::string otherwise, std::string description);
Parameter number_input(std::string name, std::string otherwise, std::int64_t least,
                       std::int64_t most, std::string description);
/// The first choice is the default.
Parameter choice_input(std::string name, std::vector<std::string> choices, std::string description);

}  // namespace playhead::query::smart
