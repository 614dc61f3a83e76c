#include "store/rows.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "base/check.h"

namespace playhead::store {
namespace {

constexpr std::string_view kLowCardinality = "LowCardinality(String)";

// Dimensions with so many values that a dictionary per part costs more than it saves.
constexpr std::array kPlainTexts{model::Dimension::ViewSessionId, model::Dimension::SubscriberId,
                                 model::Dimension::DeviceId,      model::Dimension::StreamUrl,
                                 model::Dimension::IpAddress,     model::Dimension::ErrorMessage,
                                 model::Dimension::VideoId};

constexpr bool is_plain_text(std::size_t dimension) {
    for (const auto plain : kPlainTexts) {
        if (model::index_of(plain) == dimension) return true;
    }
    return false;
}

template <class T>
constexpr ColumnType column_type() {
    if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::uint8_t>) {
        return ColumnType::UInt8;
    } else if constexpr (std::is_same_v<T, std::int8_t>) {
        return ColumnType::Int8;
    } else if constexpr (std::is_same_v<T, std::uint32_t>) {
        return ColumnType::UInt32;
    } else if constexpr (std::is_same_v<T, std::int32_t>) {
        return ColumnType::Int32;
    } else if constexpr (std::is_same_v<T, std::uint64_t>) {
        return ColumnType::UInt64;
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
        return ColumnType::Int64;
    } else if constexpr (std::is_same_v<T, float>) {
        return ColumnType::Float32;
    } else {
        static_assert(std::is_same_v<T, double>);
        return ColumnType::Float64;
    }
}

std::string sql_name(ColumnType type) {
    switch (type) {
        case ColumnType::String: return "String";
        case ColumnType::UInt8: return "UInt8";
        case ColumnType::UInt16: return "UInt16";
        case ColumnType::UInt32: return "UInt32";
        case ColumnType::UInt64: return "UInt64";
        case ColumnType::Int8: return "Int8";
        case ColumnType::Int32: return "Int32";
        case ColumnType::Int64: return "Int64";
        case ColumnType::Float32: return "Float32";
        case ColumnType::Float64: return "Float64";
        case ColumnType::DateTime64: return "DateTime64(3, 'UTC')";
        case ColumnType::Map: return "Map(LowCardinality(String), String)";
    }
    return "";
}

// The two sinks of the column lists below: one collects the schema, one appends a row's values.
class SchemaSink {
public:
    explicit SchemaSink(TableSchema& schema) : schema_(schema) {}
    void text(std::string_view name, std::string_view) { add(name, ColumnType::String); }
    void low(std::string_view name, std::string_view) {
        add(name, ColumnType::String);
        schema_.columns.back().sql_type = kLowCardinality;
    }
    void time(std::string_view name, std::int64_t) { add(name, ColumnType::DateTime64); }
    void map(std::string_view name, const model::Tags&) { add(name, ColumnType::Map); }
    template <class T>
    void number(std::string_view name, std::type_identity_t<T>) {
        add(name, column_type<T>());
    }

private:
    void add(std::string_view name, ColumnType type) {
        schema_.columns.push_back({std::string(name), type, sql_name(type)});
    }
    TableSchema& schema_;
};

class AppendSink {
public:
    explicit AppendSink(ColumnBatch& batch) : next_(batch.columns.data()) {}
    void text(std::string_view, std::string_view value) { (next_++)->append(value); }
    void low(std::string_view, std::string_view value) { (next_++)->append(value); }
    void time(std::string_view, std::int64_t value_ms) { (next_++)->append_signed(value_ms); }
    void map(std::string_view, const model::Tags& value) { (next_++)->append(value); }
    template <class T>
    void number(std::string_view, std::type_identity_t<T> value) {
        if constexpr (std::is_floating_point_v<T>) {
            (next_++)->append_real(value);
        } else if constexpr (std::is_same_v<T, std::uint64_t>) {
            (next_++)->append_unsigned(value);
        } else {
            (next_++)->append_signed(value);
        }
    }

private:
    Column* next_;
};

template <class Sink>
void list_key(Sink& sink, const model::SessionKey& key) {
    sink.template number<std::uint64_t>("customerid", key.customer_id);
    sink.text("sessionid", key.session_id);
}

template <class Sink>
void list_dimensions(Sink& sink, const model::Dimensions& dimensions) {
    for (std::size_t index = 0; index < model::kDimensionCount; ++index) {
        if (is_plain_text(index)) {
            sink.text(model::kDimensionNames[index], dimensions[index]);
        } else {
            sink.low(model::kDimensionNames[index], dimensions[index]);
        }
    }
}

template <class Sink>
void list_counters(Sink& sink, const model::AdditiveCounters& counters) {
    for (const auto& column : model::kCounterColumns) {
        sink.template number<std::int64_t>(column.name, counters.*column.field);
    }
}

// Int32 columns hold values of at most 24 days of ms; longer ones stop at the type's border.
std::int32_t narrow(std::int64_t value) {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(value, INT32_MIN, INT32_MAX));
}

template <class Sink>
void list_columns(Sink& sink, const model::SessionRow& row) {
    list_key(sink, row.key);
    list_dimensions(sink, row.dimensions);
    sink.map("tags", row.tags);
    sink.template number<std::uint32_t>("asn", row.asn);
    sink.template number<float>("latitude", row.latitude);
    sink.template number<float>("longitude", row.longitude);
    sink.template number<bool>("islive", row.is_live);
    sink.template number<float>("fps", row.fps);
    sink.low("viewstatus", model::name_of(row.status));
    sink.template number<std::uint8_t>("protocol", row.protocol);
    sink.time("start_time", row.start_ms);
    sink.time("end_time", row.end_ms);
    sink.time("first_frame_time", row.first_frame_ms);
    sink.time("first_receive_time", row.first_receive_ms);
    sink.time("last_receive_time", row.last_receive_ms);
    sink.template number<std::int32_t>("startup_ms", narrow(row.startup_ms));
    sink.template number<std::int32_t>("ad_startup_ms", narrow(row.ad_startup_ms));
    sink.template number<std::int64_t>("clock_offset_ms", row.clock_offset_ms);
    sink.template number<bool>("clock_rejected", row.clock_rejected);
    sink.template number<double>("position_s", row.position_s);
    sink.template number<double>("entry_s", row.entry_s);
    sink.template number<double>("duration_s", row.duration_s);
    sink.template number<float>("progress_percent", static_cast<float>(row.progress_percent));
    sink.template number<std::uint32_t>("bitrate_last_kbps", row.bitrate_last_kbps);
    sink.template number<std::uint32_t>("bitrate_max_kbps", row.bitrate_max_kbps);
    sink.template number<float>("score", row.score);
    sink.template number<float>("score_lost_startup", row.score_lost_startup);
    sink.template number<float>("score_lost_stalls", row.score_lost_stalls);
    sink.template number<float>("score_lost_quality", row.score_lost_quality);
    sink.template number<float>("score_lost_failure", row.score_lost_failure);
    list_counters(sink, row.counters);
    sink.template number<std::uint32_t>("revision", row.revision);
    sink.template number<std::int8_t>("sign", row.sign);
}

template <class Sink>
void list_live_columns(Sink& sink, const model::SessionRow& row) {
    list_columns(sink, row);
    sink.template number<bool>("closed", row.closed);
}

template <class Sink>
void list_columns(Sink& sink, const model::SliceRow& row) {
    list_key(sink, row.key);
    sink.time("minute_time", row.minute_ms);
    list_dimensions(sink, row.dimensions);
    sink.map("tags", row.tags);
    sink.template number<std::uint32_t>("asn", row.asn);
    sink.template number<bool>("islive", row.is_live);
    sink.template number<std::int64_t>("active_ms", row.active_ms);
    sink.template number<std::int64_t>("present", row.present);
    list_counters(sink, row.counters);
}

template <class Sink>
void list_columns(Sink& sink, const model::EventRow& row) {
    list_key(sink, row.key);
    sink.time("event_time", row.event_ms);
    sink.time("receive_time", row.receive_ms);
    sink.low("name", row.name);
    sink.template number<std::uint8_t>("kind", row.kind);
    sink.template number<std::uint8_t>("severity", row.severity);
    sink.low("phase", row.phase);
    sink.template number<double>("position_s", row.position_s);
    sink.template number<double>("value", row.value);
    sink.low("errorcode", row.error_code);
    sink.text("errormessage", row.error_message);
    sink.low("errorfingerprint", row.error_fingerprint);
    sink.text("text", row.text);
}

template <class Sink>
void list_columns(Sink& sink, const model::AdViewRow& row) {
    list_key(sink, row.key);
    sink.template number<std::uint32_t>("ordinal", row.ordinal);
    list_dimensions(sink, row.dimensions);
    sink.map("tags", row.tags);
    sink.template number<std::uint32_t>("asn", row.asn);
    sink.template number<bool>("islive", row.is_live);
    sink.low("adid", row.id);
    sink.low("adtitle", row.title);
    sink.low("adclient", row.client);
    sink.low("adsystem", row.system);
    sink.low("adposition", row.position);
    sink.low("adcreativeid", row.creative_id);
    sink.low("adcreativetype", row.creative_type);
    sink.low("adresolution", row.resolution);
    sink.low("adlinear", row.linear);
    sink.template number<std::int32_t>("adpodindex", row.pod_index);
    sink.template number<std::int32_t>("adpodposition", row.pod_position);
    sink.template number<bool>("isbumper", row.is_bumper);
    sink.template number<double>("adduration_s", row.duration_s);
    sink.time("start_time", row.start_ms);
    sink.time("end_time", row.end_ms);
    sink.template number<std::int64_t>("load_ms", row.load_ms);
    sink.template number<std::int64_t>("playing_ms", row.playing_ms);
    sink.template number<std::int64_t>("stall_ms", row.stall_ms);
    sink.template number<std::int64_t>("stall_count", row.stall_count);
    sink.template number<std::int64_t>("pause_ms", row.pause_ms);
    sink.template number<bool>("impression", row.impression);
    sink.template number<bool>("started", row.started);
    sink.template number<bool>("first_quartile", row.first_quartile);
    sink.template number<bool>("midpoint", row.midpoint);
    sink.template number<bool>("third_quartile", row.third_quartile);
    sink.template number<bool>("completed", row.completed);
    sink.template number<bool>("ended", row.ended);
    sink.template number<bool>("skipped", row.skipped);
    sink.template number<bool>("clicked", row.clicked);
    sink.template number<bool>("failed", row.failed);
    sink.low("aderrorcode", row.error_code);
    sink.text("aderrormessage", row.error_message);
    sink.template number<std::uint32_t>("revision", row.revision);
    sink.template number<std::int8_t>("sign", row.sign);
}

template <class Sink>
void list_columns(Sink& sink, const model::AppEventRow& row) {
    list_key(sink, row.key);
    sink.time("event_time", row.event_ms);
    sink.time("receive_time", row.receive_ms);
    sink.low("name", row.name);
    sink.low("eventtype", row.event_type);
    sink.low("screen", row.screen);
    sink.text("subscriberid", row.subscriber_id);
    sink.low("subscribertype", row.subscriber_type);
    sink.low("subscribertag", row.subscriber_tag);
    sink.text("deviceid", row.device_id);
    sink.low("devicetype", row.device_type);
    sink.low("appname", row.app_name);
    sink.low("appversion", row.app_version);
    sink.low("sdkversion", row.sdk_version);
    sink.low("platform", row.platform);
    sink.low("osversion", row.os_version);
    sink.low("browser", row.browser);
    sink.low("country", row.country);
    sink.low("region", row.region);
    sink.low("city", row.city);
    sink.text("ipaddress", row.ip_address);
    sink.low("profileid", row.profile_id);
    sink.low("referralid", row.referral_id);
    sink.template number<bool>("isgraceful", row.is_graceful);
    sink.map("data", row.data);
    sink.map("tags", row.tags);
}

TableSchema make_schema(Table table) {
    TableSchema schema{std::string(name_of(table)), {}};
    SchemaSink sink(schema);
    switch (table) {
        case Table::Sessions: list_columns(sink, model::SessionRow{}); break;
        case Table::LiveSessions: list_live_columns(sink, model::SessionRow{}); break;
        case Table::Slices: list_columns(sink, model::SliceRow{}); break;
        case Table::Events: list_columns(sink, model::EventRow{}); break;
        case Table::AdViews: list_columns(sink, model::AdViewRow{}); break;
        case Table::AppEvents: list_columns(sink, model::AppEventRow{}); break;
    }
    return schema;
}

template <class Row>
void append_columns(ColumnBatch& batch, const Row& row, Table table) {
    PH_CHECK(batch.columns.size() == schema_of(table).columns.size());
    AppendSink sink(batch);
    list_columns(sink, row);
}

}  // namespace

std::string_view name_of(Table table) noexcept {
    switch (table) {
        case Table::Sessions: return "sessions";
        case Table::LiveSessions: return "live_sessions";
        case Table::Slices: return "slices";
        case Table::Events: return "events";
        case Table::AdViews: return "ad_views";
        case Table::AppEvents: return "app_events";
    }
    return "";
}

const TableSchema& schema_of(Table table) {
    static const std::array<TableSchema, std::size(kTables)> schemas = [] {
        std::array<TableSchema, std::size(kTables)> all;
        for (std::size_t index = 0; index < all.size(); ++index) {
            all[index] = make_schema(kTables[index]);
        }
        return all;
    }();
    return schemas[static_cast<std::size_t>(table)];
}

ColumnBatch batch_of(Table table) {
    const auto& schema = schema_of(table);
    ColumnBatch batch{schema.name, {}};
    batch.columns.reserve(schema.columns.size());
    for (const auto& column : schema.columns) batch.columns.emplace_back(column.name, column.type);
    return batch;
}

void append_session(ColumnBatch& batch, const model::SessionRow& row) {
    append_columns(batch, row, Table::Sessions);
}

void append_live_session(ColumnBatch& batch, const model::SessionRow& row) {
    PH_CHECK(batch.columns.size() == schema_of(Table::LiveSessions).columns.size());
    AppendSink sink(batch);
    list_live_columns(sink, row);
}

void append(ColumnBatch& batch, const model::SliceRow& row) {
    append_columns(batch, row, Table::Slices);
}
void append(ColumnBatch& batch, const model::EventRow& row) {
    append_columns(batch, row, Table::Events);
}
void append(ColumnBatch& batch, const model::AdViewRow& row) {
    append_columns(batch, row, Table::AdViews);
}
void append(ColumnBatch& batch, const model::AppEventRow& row) {
    append_columns(batch, row, Table::AppEvents);
}

std::vector<ColumnBatch> batches_of(const model::RowBlock& block) {
    std::vector<ColumnBatch> batches;
    const auto add = [&batches](Table table, const auto& rows, const auto& append_row) {
        if (rows.empty()) return;
        batches.push_back(batch_of(table));
        for (const auto& row : rows) append_row(batches.back(), row);
    };
    const auto append_any = [](ColumnBatch& batch, const auto& row) { append(batch, row); };
    add(Table::Sessions, block.sessions, append_session);
    add(Table::LiveSessions, block.live_sessions, append_live_session);
    add(Table::Slices, block.slices, append_any);
    add(Table::Events, block.events, append_any);
    add(Table::AdViews, block.ad_views, append_any);
    add(Table::AppEvents, block.app_events, append_any);
    return batches;
}

}  // namespace playhead::store
