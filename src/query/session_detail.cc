// `/mm-apis/session?sessionid=`: everything of one session.
#include "base/json_writer.h"
#include "query/engine.h"
#include "query/series.h"
#include "query/session_lists.h"
#include "query/sql.h"

namespace playhead::query {

namespace {

constexpr int kRowsMax = 10'000;

void write_cell(JsonWriter& json, const store::Cell& cell) {
    std::visit(
        [&](const auto& value) {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<T, std::monostate>) {
                json.null();
            } else if constexpr (std::is_same_v<T, std::string>) {
                json.value(std::string_view(value));
            } else {
                json.value(value);
            }
        },
        cell);
}

std::int64_t whole_of(const store::Cell& cell) {
    return static_cast<std::int64_t>(number_of(cell, 0));
}

void write_object(JsonWriter& json, const store::ResultTable& table,
                  const std::vector<store::Cell>& row) {
    json.begin_object();
    for (std::size_t i = 0; i < table.columns.size() && i < row.size(); ++i) {
        const auto& name = table.columns[i].name;
        if (name == "sign" || name == "closed" || name == "customerid") continue;
        if (name.ends_with("_time")) {
            write_time(json, name, whole_of(row[i]));
            continue;
        }
        json.key(name);
        const auto* text = std::get_if<std::string>(&row[i]);
        if (name == "tags" && text != nullptr) {
            json.raw(*text);
        } else {
            write_cell(json, row[i]);
        }
    }
    json.end_object();
}

void write_array(JsonWriter& json, const char* name, const store::ResultTable& table) {
    json.key(name);
    json.begin_array();
    for (const auto& row : table.rows) write_object(json, table, row);
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

const std::string& times() {
    // DateTime64 leaves as epoch ms, tags as JSON.
    static const std::string text =
        " * REPLACE (toUnixTimestamp64Milli(start_time) AS start_time, "
        "toUnixTimestamp64Milli(end_time) AS end_time, "
        "toJSONString(tags) AS tags";
    return text;
}

std::string session_times() {
    return times() +
           ", toUnixTimestamp64Milli(first_frame_time) AS first_frame_time, "
           "toUnixTimestamp64Milli(first_receive_time) AS first_receive_time, "
           "toUnixTimestamp64Milli(last_receive_time) AS last_receive_time)";
}

store::Statement by_session(const std::string& columns, std::string_view table, bool final_rows,
                            const std::string& extra, std::string_view session_id,
                            std::uint64_t customer_id) {
    SqlParameters parameters(customer_id);
    store::Statement out;
    out.sql = "SELECT" + columns + " " + scope(table, final_rows) +
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

void write_score(JsonWriter& json, const store::ResultTable& session) {
    json.key("scorebreakdown");
    json.begin_object();
    // Points of 100 that each part took; null where there was nothing to judge.
    const double score = figure(session, "score");
    json.key("score");
    score < 0 ? json.null() : json.value(score);
    for (const auto* part : {"startup", "stalls", "quality", "failure"}) {
        json.member(part, figure(session, std::string("score_lost_") + part));
    }
    json.end_object();
}

}  // namespace

Result<std::string> Engine::session_json(std::string_view session_id,
                                         std::uint64_t customer_id) const {
    const auto options = options_of({}, customer_id);
    const auto ask = [&](const std::string& columns, std::string_view table, bool final_rows,
                         const std::string& extra) {
        return store_.query(by_session(columns, table, final_rows, extra, session_id, customer_id),
                            options);
    };
    auto session = ask(session_times(), "live_sessions", true, " AND closed = 0");
    if (session && session->rows.empty()) {
        session = ask(session_times(), "sessions", true, " ORDER BY revision DESC");
    }
    if (!session) return fail(session.error());
    if (session->rows.empty()) {
        return fail(Error{ErrorCode::NotFound, "there is no such session", "sessionid",
                          std::string(session_id.substr(0, 100)), "the id of a session"});
    }
    session->rows.resize(1);
    const auto slices =
        ask(" * REPLACE (toUnixTimestamp64Milli(minute_time) AS minute_time, "
            "toJSONString(tags) AS tags)",
            "slices", false, " ORDER BY minute_time");
    if (!slices) return fail(slices.error());
    const auto events =
        ask(" * REPLACE (toUnixTimestamp64Milli(event_time) AS event_time, "
            "toUnixTimestamp64Milli(receive_time) AS receive_time)",
            "events", false, " ORDER BY event_time");
    if (!events) return fail(events.error());
    const auto ads = ask(times() + ")", "ad_views", true, " ORDER BY ordinal");
    if (!ads) return fail(ads.error());
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.key("session");
    write_object(json, *session, session->rows.front());
    write_score(json, *session);
    write_session_lists(json, events_of(*events));
    write_array(json, "ads", *ads);
    write_array(json, "events", *events);
    write_array(json, "slices", *slices);
    json.end_object();
    return out;
}

}  // namespace playhead::query
