// `/mm-apis/session?sessionid=`: everything of one session.
#include "query/session_detail.h"

#include <fmt/format.h>

#include "base/json_writer.h"
#include "query/engine.h"
#include "query/series.h"
#include "query/session_lists.h"
#include "query/sql.h"
#include "store/rows.h"

namespace playhead::query {

namespace {

constexpr int kRowsMax = 10'000;

std::int64_t whole_of(const store::Cell& cell) {
    return static_cast<std::int64_t>(number_of(cell, 0));
}

Holds holds_of(store::ColumnType type) {
    switch (type) {
        case store::ColumnType::String: return Holds::Text;
        case store::ColumnType::Float32:
        case store::ColumnType::Float64: return Holds::Number;
        case store::ColumnType::DateTime64: return Holds::Time;
        case store::ColumnType::Map: return Holds::Tags;
        default: return Holds::Integer;
    }
}

using Shown = std::vector<std::pair<std::string_view, Holds>>;

/// What is shown of a table: read, written and described in this order.
Shown shown_of(store::Table table) {
    Shown out;
    for (const auto& column : store::schema_of(table).columns) {
        const auto& name = column.name;
        if (name == "sign" || name == "closed" || name == "customerid") continue;
        out.emplace_back(name, holds_of(column.type));
    }
    return out;
}

/// The columns shown: times as epoch ms, tags as JSON.
std::string selected(store::Table table) {
    std::string out;
    for (const auto& [name, holds] : shown_of(table)) {
        const auto column = store::quoted_identifier(name);
        const char* function = holds == Holds::Time   ? "toUnixTimestamp64Milli"
                               : holds == Holds::Tags ? "toJSONString"
                                                      : nullptr;
        out += out.empty() ? " " : ", ";
        out += function == nullptr ? column : fmt::format("{}({}) AS {}", function, column, column);
    }
    return out;
}

void write_object(JsonWriter& json, const Shown& shown, const std::vector<store::Cell>& row) {
    json.begin_object();
    std::size_t i = 0;
    for (const auto& [name, holds] : shown) {
        if (i < row.size()) write_member(json, name, holds, row[i++]);
    }
    json.end_object();
}

void write_array(JsonWriter& json, const char* name, store::Table table,
                 const store::ResultTable& rows) {
    json.key(name);
    json.begin_array();
    const auto shown = shown_of(table);
    for (const auto& row : rows.rows) write_object(json, shown, row);
    json.end_array();
}

std::vector<SessionEvent> events_of(const store::ResultTable& table) {
    std::vector<SessionEvent> out;
    for (const auto& row : table.rows) {
        SessionEvent event;
        const auto text = [&](std::size_t i) {
            const auto* found = std::get_if<std::string>(&row[i]);
            return found == nullptr ? std::string() : *found;
        };
        for (std::size_t i = 0; i < table.columns.size() && i < row.size(); ++i) {
            const auto& name = table.columns[i].name;
            if (name == "event_time") event.time_ms = whole_of(row[i]);
            if (name == "kind") event.kind = static_cast<int>(whole_of(row[i]));
            if (name == "severity") event.severity = static_cast<int>(whole_of(row[i]));
            if (name == "position_s") event.position_s = number_of(row[i], 0);
            if (name == "value") event.value = number_of(row[i], 0);
            if (name == "name") event.name = text(i);
            if (name == "phase") event.phase = text(i);
            if (name == "errorcode") event.error_code = text(i);
            if (name == "errormessage") event.error_message = text(i);
            if (name == "text") event.text = text(i);
        }
        out.push_back(std::move(event));
    }
    return out;
}

store::Statement by_session(store::Table table, const std::string& extra,
                            std::string_view session_id, std::uint64_t customer_id) {
    SqlParameters parameters(customer_id);
    // Slices and events are never revised.
    const bool revised = table != store::Table::Slices && table != store::Table::Events;
    store::Statement out;
    out.sql = "SELECT" + selected(table) + " " + scope(store::name_of(table), revised) +
              " AND sessionid = " + parameters.text(session_id) + extra + " LIMIT " +
              std::to_string(kRowsMax);
    out.parameters = parameters.take();
    return out;
}

/// The column of the only row, as a number; 0 when there is none.
double figure(const store::ResultTable& table, std::string_view name) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        if (table.columns[i].name != name) continue;
        if (const auto* real = std::get_if<double>(&table.rows.front()[i])) return *real;
    }
    return 0;
}

/// The parts that took points of 100.
constexpr std::string_view kScoreParts[] = {"startup", "stalls", "quality", "failure"};

void write_score(JsonWriter& json, const store::ResultTable& session) {
    json.key("scorebreakdown");
    json.begin_object();
    // Null where there was nothing to judge.
    const double score = figure(session, "score");
    write_member(json, "score", Holds::NumberOrNull, score < 0 ? store::Cell() : score);
    for (const auto part : kScoreParts) {
        write_member(json, part, Holds::Number,
                     figure(session, fmt::format("score_lost_{}", part)));
    }
    json.end_object();
}

std::string score_schema() {
    Shown members{{"score", Holds::NumberOrNull}};
    for (const auto part : kScoreParts) members.emplace_back(part, Holds::Number);
    return members_schema(members);
}

/// The members of a detail and the schema of each: of all of it, or of an item of its list.
constexpr struct {
    std::string_view name, schema;
    bool is_list;
} kMembers[] = {{"session", "Session", false},    {"scorebreakdown", "ScoreBreakdown", false},
                {"stalls", "Stall", true},        {"pauses", "Interval", true},
                {"seeks", "Interval", true},      {"renditions", "Rendition", true},
                {"errors", "SessionError", true}, {"ads", "SessionAd", true},
                {"events", "SessionEvent", true}, {"slices", "SessionSlice", true}};

std::string detail_schema() {
    std::vector<NamedSchema> members;
    for (const auto& member : kMembers) {
        const auto one = fmt::format(R"({{"$ref":"#/components/schemas/{}"}})", member.schema);
        members.emplace_back(member.name, member.is_list
                                              ? fmt::format(R"({{"type":"array","items":{}}})", one)
                                              : one);
    }
    return closed_object(members);
}

}  // namespace

Result<std::string> Engine::session_json(std::string_view session_id,
                                         std::uint64_t customer_id) const {
    const auto options = options_of({}, customer_id);
    const auto ask = [&](store::Table table, const std::string& extra) {
        return store_.query(by_session(table, extra, session_id, customer_id), options);
    };
    auto session = ask(store::Table::LiveSessions, " AND closed = 0");
    if (session && session->rows.empty()) {
        session = ask(store::Table::Sessions, " ORDER BY revision DESC");
    }
    if (!session) return fail(session.error());
    if (session->rows.empty()) {
        return fail(Error{ErrorCode::NotFound, "there is no such session", "sessionid",
                          std::string(session_id.substr(0, 100)), "the id of a session"});
    }
    session->rows.resize(1);
    const auto slices = ask(store::Table::Slices, " ORDER BY minute_time");
    if (!slices) return fail(slices.error());
    const auto events = ask(store::Table::Events, " ORDER BY event_time");
    if (!events) return fail(events.error());
    const auto ads = ask(store::Table::AdViews, " ORDER BY ordinal");
    if (!ads) return fail(ads.error());
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.key("session");
    write_object(json, shown_of(store::Table::Sessions), session->rows.front());
    write_score(json, *session);
    write_session_lists(json, events_of(*events));
    write_array(json, "ads", store::Table::AdViews, *ads);
    write_array(json, "events", store::Table::Events, *events);
    write_array(json, "slices", store::Table::Slices, *slices);
    json.end_object();
    return out;
}

std::vector<NamedSchema> session_detail_schemas() {
    auto out = session_list_schemas();
    for (const auto& [name, table] : {std::pair{"Session", store::Table::Sessions},
                                      std::pair{"SessionAd", store::Table::AdViews},
                                      std::pair{"SessionEvent", store::Table::Events},
                                      std::pair{"SessionSlice", store::Table::Slices}}) {
        out.emplace_back(name, members_schema(shown_of(table)));
    }
    out.emplace_back("ScoreBreakdown", score_schema());
    out.emplace_back("SessionDetail", detail_schema());
    return out;
}

}  // namespace playhead::query
