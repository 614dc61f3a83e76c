// See README.md beside this file.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "derived.h"
#include "simulator/rows.h"
#include "store/chdb/chdb_store.h"
#include "store/chdb/engine_library.h"
#include "store/rows.h"

namespace {

using namespace playhead;

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs = 24 * kHourMs;
constexpr std::size_t kBaseBatchRows = 20'000;

struct Options {
    std::string data_dir;
    std::uint64_t sessions = 5'000'000;
    std::int64_t days = 30;
    std::int64_t slice_days = 0;
    std::uint64_t copies = 20;
    std::uint64_t customer_id = 900100200;
    std::uint64_t seed = 1;
    std::int64_t until_s = 0;  ///< 0 = the last full hour
    bool beside = false;       ///< others' sessions may be there already
    bool dashboards = false;   ///< also events, ad views and the minute rollup
};

/// What decides the rows; `until` left out, so that a directory is reused on another day.
std::string signature(const Options& options) {
    return fmt::format(
        "sessions={} days={} slice_days={} copies={} customer={} seed={} dashboards={} format=2",
        options.sessions, options.days, options.slice_days, options.copies, options.customer_id,
        options.seed, options.dashboards);
}

[[noreturn]] void die(const std::string& why) {
    fmt::print(stderr, "bench_fill: {}\n", why);
    std::exit(1);
}

void check(const Result<void>& done) {
    if (!done) die(done.error().message);
}

double now_s() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// The base: one simulated session for `copies` rows, in tables of their own.
class Base {
public:
    Base(store::Store& store, const Options& options) : store_(store), options_(options) {
        for (const char* table : {"sessions", "slices"}) {
            check(store_.execute({fmt::format("DROP TABLE IF EXISTS fill_{}", table), {}}));
            check(store_.execute({fmt::format("CREATE TABLE fill_{0} AS {0} ENGINE = MergeTree "
                                              "ORDER BY tuple()",
                                              table),
                                  {}}));
        }
        start_batches();
    }
    ~Base() {
        for (const char* table : {"sessions", "slices"}) {
            check(store_.execute({fmt::format("DROP TABLE IF EXISTS fill_{} SYNC", table), {}}));
        }
    }
    Base(const Base&) = delete;
    Base& operator=(const Base&) = delete;

    void generate(std::int64_t from_ms, std::int64_t until_ms) {
        const simulator::World world({.seed = options_.seed});
        simulator::TrafficOptions traffic;
        traffic.seed = options_.seed;
        traffic.from_ms = from_ms;
        traffic.until_ms = until_ms;
        traffic.sessions = (options_.sessions + options_.copies - 1) / options_.copies;
        traffic.writer.customer_id = options_.customer_id;
        const std::int64_t slices_from =
            options_.dashboards ? from_ms : until_ms - options_.slice_days * kDayMs;
        simulator::Arrivals arrivals(world, traffic.seed, from_ms, until_ms, traffic.sessions);
        std::uint64_t ordinal = 0;
        std::int64_t start_ms = 0;
        std::vector<model::SliceRow> slices;
        while (arrivals.next(start_ms)) {
            const auto session = simulator::make_session(world, traffic, ordinal++, start_ms);
            const auto truth =
                simulator::make_truth(world, options_.customer_id, session.playback, session.plan);
            store::append_session(sessions_, simulator::make_session_row(truth, world));
            if (start_ms >= slices_from) {
                slices.clear();
                simulator::make_slice_rows(truth, world, slices);
                for (const auto& slice : slices) store::append(slices_, slice);
            }
            if (std::max(sessions_.rows(), slices_.rows()) >= kBaseBatchRows) flush();
        }
        flush();
    }

private:
    void start_batches() {
        sessions_ = store::batch_of(store::Table::Sessions);
        sessions_.table = "fill_sessions";
        slices_ = store::batch_of(store::Table::Slices);
        slices_.table = "fill_slices";
    }
    void flush() {
        check(store_.insert(sessions_, fmt::format("base-{}", number_)));
        check(store_.insert(slices_, fmt::format("base-{}", number_++)));
        start_batches();
    }

    store::Store& store_;
    const Options& options_;
    store::ColumnBatch sessions_, slices_;
    std::uint64_t number_ = 0;
};

/// `column` in a copy: ids of their own, times moved together.
std::string copied(const std::string& column, bool is_slice) {
    if (column == "sessionid" || column == "viewsessionid") {
        return fmt::format("lower(hex(sipHash128({}, copy)))", column);
    }
    // Twenty sessions of one viewer in a month for every original one would be too many.
    if (column == "subscriberid" || column == "deviceid") {
        return fmt::format("if({0} = '', '', concat({0}, '-', toString(copy % 5)))", column);
    }
    // Slices stay on minutes; the engine's clamp keeps "no first frame" at zero.
    if (is_slice && column == "minute_time") {
        return "toStartOfMinute(addMilliseconds(minute_time, shift_ms))";
    }
    if (!is_slice && column.ends_with("_time")) {
        return fmt::format(
            "if(toUnixTimestamp64Milli({0}) = 0, {0}, "
            "addMilliseconds({0}, shift_ms))",
            column);
    }
    return column;
}

std::string copy_statement(store::Table table, std::uint64_t copies, std::int64_t from_ms,
                           std::int64_t until_ms) {
    const auto& schema = store::schema_of(table);
    const bool is_slice = table == store::Table::Slices;
    std::string names;
    std::string values;
    for (const auto& column : schema.columns) {
        names += (names.empty() ? "" : ", ") + column.name;
        values += (values.empty() ? "" : ", ") + copied(column.name, is_slice);
    }
    // The alias `shift_ms` is not a column, so it may stand in the list below.
    return fmt::format(
        "INSERT INTO {0} ({1}) WITH toInt64(sipHash64(sessionid, copy) % 3600000) - 1800000 AS "
        "shift_ms SELECT {2} FROM fill_{0} ARRAY JOIN range(toUInt64({3})) AS copy "
        "WHERE {4} >= fromUnixTimestamp64Milli({5}) AND {4} < fromUnixTimestamp64Milli({6}) "
        "SETTINGS max_insert_threads = 2, max_threads = 2, prefer_column_name_to_alias = 1, "
        "max_partitions_per_insert_block = 0",
        schema.name, names, values, copies, is_slice ? "minute_time" : "start_time", from_ms,
        until_ms);
}

/// One day at a time: parts of a day are few and large.
void copy(store::Store& store, const Options& options, std::int64_t from_ms,
          std::int64_t until_ms) {
    const double began = now_s();
    for (std::int64_t day = from_ms; day < until_ms; day += kDayMs) {
        const std::int64_t end = std::min(day + kDayMs, until_ms);
        check(
            store.execute({copy_statement(store::Table::Sessions, options.copies, day, end), {}}));
        if (day >= until_ms - options.slice_days * kDayMs) {
            check(store.execute(
                {copy_statement(store::Table::Slices, options.copies, day, end), {}}));
        }
        fmt::print(stderr, "bench_fill: day {} of {}, {:.0f} s\n", (day - from_ms) / kDayMs + 1,
                   options.days, now_s() - began);
    }
}

void fill(const Options& options) {
    const std::string directory = std::filesystem::absolute(options.data_dir);
    const std::string mark =
        directory + (options.beside ? fmt::format("/filled-{}", options.customer_id) : "/filled");
    {
        std::ifstream file(mark);
        std::stringstream text;
        text << file.rdbuf();
        if (text.str().starts_with(signature(options) + "\n")) {
            fmt::print("{} is filled already: {}", directory, text.str());
            return;
        }
    }
    if (!options.beside && std::filesystem::exists(directory + "/store")) {
        die(fmt::format("{} holds other data; remove it first", directory));
    }
    check(store::chdb::prepare_process());
    store::chdb::ChdbOptions store_options;
    store_options.directory = directory + "/store";
    store_options.readers = 1;
    auto store = store::chdb::open_chdb_store(store_options);
    if (!store) die(store.error().message);
    check((*store)->migrate());
    const std::int64_t now = options.until_s > 0 ? options.until_s * 1000 : SystemClock().now_ms();
    const std::int64_t until_ms = now - now % kHourMs;
    const std::int64_t from_ms = until_ms - options.days * kDayMs;
    const double began = now_s();
    {
        Base base(**store, options);
        base.generate(from_ms, until_ms);
        fmt::print(stderr, "bench_fill: base of {} sessions, {:.0f} s\n",
                   options.sessions / options.copies, now_s() - began);
        copy(**store, options, from_ms, until_ms);
        if (options.dashboards) {
            bench::fill_minutes(**store, "fill_slices");
            bench::fill_events(**store);
            bench::fill_ad_views(**store);
            fmt::print(stderr, "bench_fill: minutes, events, ad views, {:.0f} s\n",
                       now_s() - began);
        }
    }
    std::ofstream(mark) << signature(options) << "\nfrom_ms=" << from_ms << " until_ms=" << until_ms
                        << "\n";
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    fmt::print("{} sessions in {:.0f} s, {} CPU s\n", options.sessions, now_s() - began,
               usage.ru_utime.tv_sec + usage.ru_stime.tv_sec);
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("Fills a data directory with sessions for the query benches");
    app.add_option("--data-dir", options.data_dir, "a directory of its own")->required();
    app.add_option("--sessions", options.sessions)->capture_default_str();
    app.add_option("--days", options.days)->capture_default_str();
    app.add_option("--slice-days", options.slice_days, "the last days get slices too")
        ->capture_default_str();
    app.add_flag("--dashboards", options.dashboards,
                 "also error events, ad views and the minute rollup");
    app.add_option("--copies", options.copies, "rows per simulated session")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_option("--customer", options.customer_id)->capture_default_str();
    app.add_option("--seed", options.seed)->capture_default_str();
    app.add_flag("--beside", options.beside, "beside the sessions of other customers");
    app.add_option("--until", options.until_s, "epoch seconds; default: now");
    CLI11_PARSE(app, argc, argv);
    fill(options);
    return 0;
}
