#include <fmt/format.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/json_writer.h"
#include "engine/measurements.h"
#include "load/sessions.h"
#include "model/dimensions.h"
#include "store/chdb/chdb_store.h"
#include "store/chdb/engine_library.h"
#include "store/rows.h"
#include "wire/produce.h"

namespace playhead::bench {
namespace {

/// What a plain table of beacons would be: identity, times, every dimension, measures.
std::string create_table() {
    std::string sql =
        "CREATE TABLE beacons (customerid UInt64, sessionid String, event_time Int64, "
        "receive_time Int64, name LowCardinality(String), position_s Float64, "
        "measures Map(LowCardinality(String), Float64)";
    for (const auto& column : store::schema_of(store::Table::Sessions).columns) {
        const auto& names = model::kDimensionNames;
        if (std::find(std::begin(names), std::end(names), column.name) == std::end(names)) continue;
        sql += ", " + column.name + ' ' + column.sql_type;
    }
    return sql + ") ENGINE = MergeTree ORDER BY (customerid, sessionid, event_time)";
}

void append_row(const model::Event& event, std::string& out) {
    JsonWriter json(out);
    json.begin_object();
    json.member("customerid", event.customer_id);
    json.member("sessionid", event.session_id);
    json.member("event_time", event.client_ms);
    json.member("receive_time", event.receive_ms);
    json.member("name", event.name);
    json.member("position_s", std::isnan(event.position_s) ? 0.0 : event.position_s);
    for (const auto& attribute : event.attributes) {
        json.member(model::kDimensionNames[model::index_of(attribute.id)], attribute.value);
    }
    json.key("measures");
    json.begin_object();
    for (const auto& measure : event.measures) {
        json.member(std::to_string(static_cast<int>(measure.id)), measure.value);
    }
    json.end_object();
    json.end_object();
    out += '\n';
}

std::vector<std::string> make_statements(std::uint64_t events, std::uint64_t batch) {
    const auto patterns = make_patterns(1, 900100200, 200);
    Audience audience(patterns, 5000, 1, 1'780'000'000'000);
    std::vector<std::string> statements;
    std::string body;
    unsigned octet = 0;
    for (std::uint64_t made = 0; made < events; ++made) {
        if (made % batch == 0) statements.emplace_back("INSERT INTO beacons FORMAT JSONEachRow ");
        body.clear();
        audience.take(body, octet);
        const auto decoded = wire::decode_produce(body, 1'780'000'000'000);
        if (!decoded) die(decoded.error().message);
        for (const auto& event : decoded->events) append_row(event, statements.back());
    }
    return statements;
}

}  // namespace

int measure_json_insert(std::uint64_t events, std::uint64_t batch) {
    std::string directory = std::filesystem::temp_directory_path() / "playhead_bench_XXXXXX";
    if (mkdtemp(directory.data()) == nullptr) die("no temporary directory");
    if (const auto done = store::chdb::prepare_process(); !done) die(done.error().message);
    store::chdb::ChdbOptions options;
    options.directory = directory;
    options.readers = 1;
    auto opened = store::chdb::open_chdb_store(options);
    if (!opened) die(opened.error().message);
    store::Store& store = **opened;
    if (const auto done = store.execute({create_table(), {}}); !done) die(done.error().message);
    const auto statements = make_statements(events, batch);
    const double before = own_cpu_s();
    for (const auto& sql : statements) {
        if (const auto done = store.execute({sql, {}}); !done) die(done.error().message);
    }
    const double inserted = own_cpu_s() - before;
    std::this_thread::sleep_for(std::chrono::seconds(2));
    const double settled = own_cpu_s() - before;
    fmt::print(
        "{{\"events\":{},\"batch\":{},\"cpu_s\":{:.3f},\"cpu_settled_s\":{:.3f},"
        "\"events_per_cpu_s\":{:.0f}}}\n",
        events, batch, inserted, settled, static_cast<double>(events) / settled);
    opened->reset();
    std::filesystem::remove_all(directory);
    return 0;
}

}  // namespace playhead::bench
