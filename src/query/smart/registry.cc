#include <fmt/format.h>

#include "base/json_writer.h"
#include "query/smart/queries.h"
#include "query/text.h"

namespace playhead::query::smart {

const std::vector<SmartQuery>& registry() {
    static const std::vector<SmartQuery> all{
        content_paths(),       content_paths_from(), content_paths_to(), subscriber_insight(),
        subscriber_sessions(), subscriber_list(),    content_insights(), content_analysis(),
        retention(),           realtime(),           engagement(),       top_movers_query(),
        root_cause_query(),
    };
    return all;
}

const SmartQuery* find(std::string_view name) {
    for (const auto& query : registry()) {
        if (query.name == lower(name)) return &query;
    }
    return nullptr;
}

std::string names() {
    std::string out;
    for (const auto& query : registry()) out += (out.empty() ? "" : ", ") + query.name;
    return out;
}

std::string row_schema(std::initializer_list<const char*> fields) {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.member("type", "object");
    json.key("properties");
    json.begin_object();
    for (const std::string_view field : fields) {
        const auto first = field.find(':');
        const auto second = field.find(':', first + 1);
        auto type = field.substr(first + 1, second - first - 1);
        const bool nullable = type.ends_with('?');
        if (nullable) type.remove_suffix(1);
        json.key(field.substr(0, first));
        json.begin_object();
        json.key("type");
        if (nullable) {
            json.begin_array();
            json.value(type);
            json.value("null");
            json.end_array();
        } else {
            json.value(type);
        }
        json.member("description", field.substr(second + 1));
        json.end_object();
    }
    json.end_object();
    json.end_object();
    return out;
}

}  // namespace playhead::query::smart
