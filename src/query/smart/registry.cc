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

namespace {

/// The members of an object schema: of "number?", or of "[name type,…]", an array of objects.
void write_type(JsonWriter& json, std::string_view type);

void write_members(JsonWriter& json, const std::vector<std::string_view>& names, bool open) {
    json.key("required");
    json.begin_array();
    for (const auto name : names) json.value(name);
    json.end_array();
    json.key("additionalProperties");
    json.raw(open ? R"({"type":["string","number","boolean","null"]})" : "false");
}

void write_items(JsonWriter& json, std::string_view members) {
    std::vector<std::string_view> names;
    json.key("items");
    json.begin_object();
    json.member("type", "object");
    json.key("properties");
    json.begin_object();
    for (const auto member : split(members, ',')) {
        const auto blank = member.find(' ');
        names.push_back(member.substr(0, blank));
        json.key(names.back());
        json.begin_object();
        write_type(json, member.substr(blank + 1));
        json.end_object();
    }
    json.end_object();
    write_members(json, names, false);
    json.end_object();
}

void write_type(JsonWriter& json, std::string_view type) {
    if (type.starts_with('[')) {
        json.member("type", "array");
        return write_items(json, type.substr(1, type.size() - 2));
    }
    json.key("type");
    if (!type.ends_with('?')) return json.value(type);
    type.remove_suffix(1);
    json.begin_array();
    json.value(type);
    json.value("null");
    json.end_array();
}

}  // namespace

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
        names.push_back(field.substr(0, first));
        json.key(names.back());
        json.begin_object();
        write_type(json, field.substr(first + 1, second - first - 1));
        json.member("description", field.substr(second + 1));
        json.end_object();
    }
    json.end_object();
    write_members(json, names, open);
    json.end_object();
    return out;
}

}  // namespace playhead::query::smart
