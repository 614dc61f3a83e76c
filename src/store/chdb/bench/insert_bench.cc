// CPU seconds per million rows of an insert, at several batch sizes, against the engine's own
// INSERT … FORMAT JSONEachRow of the same rows (read back from the store). Process CPU time, so
// that merges count. Run: build/release/bin/insert_bench --benchmark_counters_tabular=true
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "store/chdb/chdb_store.h"
#include "store/chdb/connection.h"
#include "store/chdb/engine_library.h"
#include "store/rows.h"

namespace playhead::store::chdb {
namespace {

constexpr std::int64_t kStart_ms = 1'780'000'000'000;
constexpr int kInsertsPerRun = 10;
constexpr int kRowsPerRunMax = 100'000;

double cpu_s() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// One store for the whole run: the engine takes one path per process.
class Fixture {
public:
    Fixture() {
        std::string pattern = std::filesystem::temp_directory_path() / "playhead_bench_XXXXXX";
        if (mkdtemp(pattern.data()) == nullptr) std::abort();
        directory_ = pattern;
        static_cast<void>(prepare_process());
        ChdbOptions options;
        options.directory = directory_;
        options.readers = 1;
        auto opened = open_chdb_store(options);
        if (!opened) {
            fmt::print(stderr, "{}\n", opened.error().message);
            return;
        }
        store_ = std::move(*opened);
        const auto api = load_engine(default_library_path());
        auto connection = Connection::open(**api, {"--path=" + directory_});
        if (connection) json_ = std::make_unique<Connection>(std::move(*connection));
        if (!store_->migrate()) store_.reset();
    }
    ~Fixture() {
        json_.reset();
        store_.reset();
        std::filesystem::remove_all(directory_);
    }
    Store* store() { return store_.get(); }
    Connection* json() { return json_.get(); }
    static Fixture& instance() {
        static Fixture fixture;
        return fixture;
    }

private:
    std::string directory_;
    std::unique_ptr<Store> store_;
    std::unique_ptr<Connection> json_;
};

model::SessionRow session_row(int index) {
    model::SessionRow row;
    row.key = {static_cast<std::uint64_t>(index % 5), fmt::format("session-{:032}", index)};
    for (std::size_t at = 0; at < model::kDimensionCount; ++at) {
        row.dimensions[at] = fmt::format("{}-{}", model::kDimensionNames[at], index % 20);
    }
    row.tags = {{"team", "red"}};
    row.start_ms = kStart_ms + index * 17;
    row.end_ms = row.start_ms + 60'000;
    for (const auto& column : model::kCounterColumns) row.counters.*column.field = index % 1000;
    return row;
}

model::EventRow event_row(int index) {
    model::EventRow row;
    row.key = {static_cast<std::uint64_t>(index % 5), fmt::format("session-{:032}", index / 20)};
    row.event_ms = kStart_ms + index * 17;
    row.receive_ms = row.event_ms + 200;
    row.name = "ps:r";
    row.phase = "instream";
    row.value = index % 4000;
    return row;
}

using MakeBatch = std::function<ColumnBatch(int from, int count)>;

ColumnBatch sessions(int from, int count) {
    auto batch = batch_of(Table::Sessions);
    for (int index = 0; index < count; ++index) append_session(batch, session_row(from + index));
    return batch;
}

ColumnBatch events(int from, int count) {
    auto batch = batch_of(Table::Events);
    for (int index = 0; index < count; ++index) append(batch, event_row(from + index));
    return batch;
}

void empty_tables(Store& store) {
    for (const char* table : {"sessions", "events", "sessions_hour", "sessions_hour_end"}) {
        static_cast<void>(store.execute({fmt::format("TRUNCATE TABLE {}", table), {}}));
    }
}

void report(benchmark::State& state, double cpu, double wall, int inserts) {
    const double rows = static_cast<double>(state.range(0)) * inserts;
    state.counters["cpu_s_per_M"] = cpu / rows * 1e6;
    state.counters["rows_per_s"] = rows / wall;
    state.counters["ms_per_insert"] = wall * 1000 / inserts;
}

template <class Insert>
void run(benchmark::State& state, const MakeBatch& make, const Insert& insert) {
    auto* store = Fixture::instance().store();
    if (store == nullptr) {
        state.SkipWithError("the engine library is missing: run scripts/fetch-engine");
        return;
    }
    const auto batch_rows = static_cast<int>(state.range(0));
    double cpu = 0;
    double wall = 0;
    int inserts = 0;
    for (auto _ : state) {
        empty_tables(*store);
        const int end = std::min(kRowsPerRunMax, batch_rows * kInsertsPerRun);
        for (int from = 0; from < end; from += batch_rows) {
            const auto batch = make(from, batch_rows);
            const auto prepared = insert.prepare(batch);
            const double cpu_before = cpu_s();
            const auto began = std::chrono::steady_clock::now();
            if (!insert.run(batch, prepared, inserts)) state.SkipWithError("an insert failed");
            const auto took = std::chrono::steady_clock::now() - began;
            cpu += cpu_s() - cpu_before;
            wall += std::chrono::duration<double>(took).count();
            ++inserts;
        }
    }
    report(state, cpu, wall, inserts);
}

struct NativeInsert {
    int prepare(const ColumnBatch&) const { return 0; }
    bool run(const ColumnBatch& batch, int, int number) const {
        static int unique = 0;
        static_cast<void>(number);
        return Fixture::instance().store()->insert(batch, fmt::format("n{}", ++unique)).has_value();
    }
};

struct JsonInsert {
    /// The batch as the engine itself would write it, made outside of the measured time.
    std::string prepare(const ColumnBatch& batch) const {
        auto* store = Fixture::instance().store();
        static_cast<void>(
            store->execute({"CREATE TABLE IF NOT EXISTS copy AS " + batch.table, {}}));
        static_cast<void>(store->execute({"TRUNCATE TABLE copy", {}}));
        static int unique = 0;
        ColumnBatch copy = batch;
        copy.table = "copy";
        static_cast<void>(store->insert(copy, fmt::format("c{}", ++unique)));
        std::string text = fmt::format(
            "INSERT INTO {} SETTINGS async_insert = 0 FORMAT JSONEachRow ", batch.table);
        static_cast<void>(store->stream({"SELECT * FROM copy", {}}, "JSONEachRow", {},
                                        [&](std::string_view chunk) {
                                            text += chunk;
                                            return true;
                                        }));
        return text;
    }
    bool run(const ColumnBatch&, const std::string& sql, int) const {
        return Fixture::instance().json()->query(sql, {}, "Null").has_value();
    }
};

void drop_copy() {
    if (auto* store = Fixture::instance().store(); store != nullptr) {
        static_cast<void>(store->execute({"DROP TABLE IF EXISTS copy", {}}));
    }
}

void BM_SessionsNative(benchmark::State& state) {
    run(state, sessions, NativeInsert{});
}
void BM_SessionsJson(benchmark::State& state) {
    drop_copy();
    run(state, sessions, JsonInsert{});
}
void BM_EventsNative(benchmark::State& state) {
    run(state, events, NativeInsert{});
}
void BM_EventsJson(benchmark::State& state) {
    drop_copy();
    run(state, events, JsonInsert{});
}

void sizes(benchmark::internal::Benchmark* bench) {
    bench->Arg(1000)->Arg(10'000)->Arg(100'000)->Iterations(1)->UseRealTime();
}

BENCHMARK(BM_SessionsNative)->Apply(sizes);
BENCHMARK(BM_SessionsJson)->Apply(sizes);
BENCHMARK(BM_EventsNative)->Apply(sizes);
BENCHMARK(BM_EventsJson)->Apply(sizes);

}  // namespace
}  // namespace playhead::store::chdb
