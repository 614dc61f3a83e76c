#include "query/envelope.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/json_writer.h"
#include "query/series.h"

namespace playhead::query {

namespace {

std::int64_t pages_of(const Answer& answer) {
    if (answer.limit <= 0) return answer.total_records > 0 ? 1 : 0;
    return (answer.total_records + answer.limit - 1) / answer.limit;
}

std::vector<std::size_t> columns_in_order(const Answer& answer) {
    std::vector<std::size_t> out;
    for (const auto& name : answer.field_order) {
        for (std::size_t i = 0; i < answer.columns.size(); ++i) {
            if (answer.columns[i].name == name) out.push_back(i);
        }
    }
    return out;
}

void write_definitions(JsonWriter& json, const AnswerMeta& meta) {
    json.key("definitions");
    json.begin_array();
    for (const auto& used : meta.definitions) {
        json.begin_object();
        json.member("metric", used.metric);
        json.member("definition", used.definition);
        json.member("unit", used.unit);
        json.member("numerator", used.numerator);
        json.member("denominator", used.denominator);
        json.member("source", used.source);
        json.member("text", used.text);
        json.end_object();
    }
    json.end_array();
}

/// Percent with four decimals, null when unknown.
void write_share(JsonWriter& json, const char* name, const std::optional<double>& percent) {
    json.key(name);
    percent ? json.value(std::round(*percent * 1e4) / 1e4) : json.null();
}

void write_meta(JsonWriter& json, const AnswerMeta& meta) {
    json.key("meta");
    json.begin_object();
    json.member("view", meta.view);
    json.key("tables");
    json.begin_array();
    for (const auto& table : meta.tables) json.value(table);
    json.end_array();
    json.member("reason", meta.reason);
    if (!meta.granularity.empty()) {
        json.member("granularity", meta.granularity);
        json.member("filled", meta.filled);
    }
    json.member("timezone", meta.timezone);
    json.member("approximate", meta.approximate);
    json.key("watermark");
    meta.watermark_s > 0 ? json.value(meta.watermark_s) : json.null();
    write_share(json, "latebeacons", meta.late_percent);
    write_share(json, "lostbeacons", meta.lost_percent);
    write_share(json, "numberedbeacons", meta.numbered_percent);
    if (!meta.lost_reason.empty()) json.member("lostbeaconsreason", meta.lost_reason);
    json.member("queryId", meta.query_id);
    json.member("elapsedms", std::round(meta.elapsed_ms * 100) / 100);
    json.member("cached", meta.cached);
    if (meta.cached) json.member("cacheage", meta.cache_age_s);
    json.member("rowsread", meta.rows_read);
    write_definitions(json, meta);
    if (!meta.sql.empty()) json.member("sql", meta.sql);
    for (const auto& [name, text] : meta.extra) {
        json.key(name);
        json.raw(text);
    }
    json.end_object();
}

}  // namespace

void append_cell(std::string& out, const PlanColumn& column, const store::Cell& cell) {
    if (std::holds_alternative<std::monostate>(cell)) {
        out += "null";
    } else if (const auto* text = std::get_if<std::string>(&cell)) {
        append_json_string(out, *text);
    } else if (column.type == ValueType::Boolean) {
        out += number_of(cell, 0) != 0 ? "true" : "false";
    } else if (const auto* whole = std::get_if<std::int64_t>(&cell)) {
        out += std::to_string(*whole);
    } else if (const auto* large = std::get_if<std::uint64_t>(&cell)) {
        out += std::to_string(*large);
    } else {
        const double value = std::get<double>(cell);
        const int decimals = column.integral ? 0 : column.decimals;
        const double scale = std::pow(10.0, decimals);
        const double rounded = std::round(value * scale) / scale;
        append_json_number(out, rounded == 0 ? 0.0 : rounded);
    }
}

/// The meta without what two askings for the same answer differ in. Of the watermark it keeps what
/// says something about the period.
std::string lasting_meta(AnswerMeta meta) {
    meta.query_id.clear();
    meta.elapsed_ms = 0;
    meta.cached = false;
    meta.rows_read = 0;
    // Kept days come and go; what they tell does not change with them.
    meta.tables.clear();
    meta.reason.clear();
    meta.watermark_s = std::min(meta.watermark_s, meta.period_end_s);
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    write_meta(json, meta);
    json.end_object();
    return out;
}

Envelope envelope_of(const Answer& answer) {
    Envelope envelope;
    std::string& out = envelope.body;
    JsonWriter json(out);
    const auto pages = pages_of(answer);
    const auto order = columns_in_order(answer);
    json.begin_object();
    json.member("totalcount", answer.rows.size() + answer.objects.size());
    json.member("pagecount", pages);
    json.member("totalrecords", answer.total_records);
    json.key("response");
    json.begin_array();
    for (const auto& object : answer.objects) json.raw(object);
    for (const auto& row : answer.rows) {
        json.begin_object();
        for (const auto column : order) {
            json.key(answer.columns[column].name);
            std::string cell;
            append_cell(cell, answer.columns[column], row[column]);
            json.raw(cell);
        }
        json.member("totalpages", pages);
        json.end_object();
    }
    json.end_array();
    const auto lasting = answer.with_meta ? lasting_meta(answer.meta) : std::string();
    envelope.tag = fmt::format("{:016x}{:016x}", stable_hash(lasting, stable_hash(out, 1)),
                               stable_hash(lasting, stable_hash(out, 2)));
    if (answer.with_meta) write_meta(json, answer.meta);
    json.end_object();
    return envelope;
}

std::string envelope_json(const Answer& answer) {
    return envelope_of(answer).body;
}

}  // namespace playhead::query
