// See README.md beside this file.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "engine/measurements.h"
#include "store/chdb/chdb_store.h"
#include "store/chdb/engine_library.h"

namespace playhead::bench {

double own_cpu_s() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void die(const std::string& why) {
    fmt::print(stderr, "bench_engine: {}\n", why);
    std::exit(1);
}

namespace {

int measure_sql(const std::string& data_dir, const std::string& sql, int runs) {
    if (const auto done = store::chdb::prepare_process(); !done) die(done.error().message);
    store::chdb::ChdbOptions options;
    options.directory = std::filesystem::absolute(data_dir).string() + "/store";
    auto store = store::chdb::open_chdb_store(options);
    if (!store) die(store.error().message);
    std::vector<double> times_ms;
    std::uint64_t rows_read = 0;
    std::size_t rows = 0;
    for (int run = 0; run < runs; ++run) {
        const auto began = std::chrono::steady_clock::now();
        const auto answer = (*store)->query({sql, {}}, {});
        if (!answer) die(answer.error().message);
        const auto took = std::chrono::steady_clock::now() - began;
        times_ms.push_back(std::chrono::duration<double, std::milli>(took).count());
        rows_read = answer->rows_read;
        rows = answer->rows.size();
    }
    std::sort(times_ms.begin(), times_ms.end());
    fmt::print("{{\"median_ms\":{:.2f},\"min_ms\":{:.2f},\"rows\":{},\"rows_read\":{}}}\n",
               times_ms[times_ms.size() / 2], times_ms.front(), rows, rows_read);
    return 0;
}

}  // namespace
}  // namespace playhead::bench

int main(int argc, char** argv) {
    using namespace playhead::bench;
    CLI::App app("What the server is compared with");
    app.require_subcommand(1);
    std::uint64_t events = 20'000;
    std::uint64_t batch = 50;
    std::uint64_t sessions = 20'000;
    std::uint64_t records = 10;
    std::string data_dir;
    std::string sql;
    int runs = 15;
    int status = 0;
    auto* json = app.add_subcommand("json", "the engine's own JSONEachRow insert");
    json->add_option("--events", events);
    json->add_option("--batch", batch)->check(CLI::PositiveNumber);
    json->callback([&] { status = measure_json_insert(events, batch); });
    auto* by_hand = app.add_subcommand("sql", "a statement by hand");
    by_hand->add_option("--data-dir", data_dir)->required();
    by_hand->add_option("--runs", runs)->check(CLI::PositiveNumber);
    by_hand->add_option("STATEMENT", sql)->required();
    by_hand->callback([&] { status = measure_sql(data_dir, sql, runs); });
    auto* memory = app.add_subcommand("memory", "the timeline's bytes per open session");
    memory->add_option("--sessions", sessions);
    memory->add_option("--records", records, "beacons of each, at most");
    memory->callback([&] { status = measure_memory(sessions, records); });
    CLI11_PARSE(app, argc, argv);
    return status;
}
