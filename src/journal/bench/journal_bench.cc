/// Appends of 600-byte records, as the collector makes them. `cpu_us_per_append` counts the whole
/// process, writer thread included.
#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <time.h>

#include <filesystem>

#include "journal/journal.h"

namespace playhead::journal {
namespace {

double process_cpu_us() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

void append(benchmark::State& state, Durability durability) {
    const std::string dir = (std::filesystem::current_path() / "journal_bench_directory").string();
    std::filesystem::remove_all(dir);
    SystemClock clock;
    MetricsRegistry metrics;
    JournalOptions options;
    options.dir = dir;
    options.durability = durability;
    auto journal = Journal::open(options, clock, metrics);
    if (!journal) {
        state.SkipWithError(journal.error().message.c_str());
        return;
    }
    const std::string payload(600, 'x');
    std::uint64_t acked = 0;
    (*journal)->set_group_listener(
        [&](std::span<Entry> entries, const Error*) { acked += entries.size(); });
    const double begin_us = process_cpu_us();
    for (auto _ : state) {
        while (!(*journal)->append(1, payload)) static_cast<void>((*journal)->flush());
    }
    static_cast<void>((*journal)->flush());
    const auto appends = static_cast<double>(state.iterations());
    state.counters["cpu_us_per_append"] = (process_cpu_us() - begin_us) / appends;
    state.counters["records_per_group"] = appends / static_cast<double>((*journal)->stats().groups);
    state.SetItemsProcessed(static_cast<std::int64_t>(acked));
    journal->reset();
    std::filesystem::remove_all(dir);
}

BENCHMARK_CAPTURE(append, fsync, Durability::Fsync)->UseRealTime();
BENCHMARK_CAPTURE(append, os, Durability::Os)->UseRealTime();

}  // namespace
}  // namespace playhead::journal
