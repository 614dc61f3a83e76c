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

std::string row_schema(std::initializer_list<const char*> fields, bool open) {
    std::string out;
    std::vector<std::string_view> names{"totalpages"};
    JsonWriter json(out);
    json.begin_object();
    json.member("type", "object");
    json.key("properties");
    json.begin_object();
    json.key("totalpages");
    json.raw(R"({"type":"integer","minimum":0})");
    for (const std::string_view field : fields) {
        const auto first = field.find(':');
        const auto second = field.find(':', first + 1);
        auto type = field.substr(first + 1, second - first - 1);
        const bool nullable = type.ends_with('?');
        if (nullable) type.remove_suffix(1);
        names.push_back(field.substr(0, first));
        json.key(names.back());
        json.begin_object();
        json.key("type");
        if (nullable) json.begin_array();
        json.value(type);
        if (nullable) {
            json.value("null");
            json.end_array();
        }
        if (type == "array") {
            json.key("items");
            json.raw(R"({"type":"object"})");
        }
        json.member("description", field.substr(second + 1));
        json.end_object();
    }
    json.end_object();
    json.key("required");
    json.begin_array();
    for (const auto name : names) json.value(name);
    json.end_array();
    json.key("additionalProperties");
    json.raw(open ? R"({"type":["string","number","boolean","null"]})" : "false");
    json.end_object();
    return out;
}

}  // namespace playhead::query::smart
