#include <benchmark/benchmark.h>

#include "simulator/rows.h"
#include "simulator/traffic.h"

namespace playhead::simulator {
namespace {

TrafficOptions long_traffic() {
    TrafficOptions options;
    options.seed = 3;
    options.from_ms = 1'795'392'000'000;
    options.until_ms = options.from_ms + 24 * 3'600'000LL;
    options.sessions = 1'000'000'000;
    return options;
}

void requests(benchmark::State& state) {
    const World world({.seed = 3});
    TrafficOptions options = long_traffic();
    options.sessions = 200'000;
    Traffic traffic(world, options);
    Request request;
    std::int64_t bytes = 0;
    for (int warm = 0; warm < 200'000; ++warm) traffic.next(request);
    for (auto _ : state) {
        if (!traffic.next(request)) state.SkipWithError("ran out of sessions");
        bytes += static_cast<std::int64_t>(request.body.size());
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(bytes);
}
BENCHMARK(requests);

void rows(benchmark::State& state) {
    const World world({.seed = 3});
    const TrafficOptions options = long_traffic();
    Arrivals arrivals(world, 3, options.from_ms, options.until_ms, options.sessions);
    std::uint64_t ordinal = 0;
    std::int64_t start_ms = 0;
    std::vector<model::SliceRow> slices;
    for (auto _ : state) {
        arrivals.next(start_ms);
        const Session session = make_session(world, options, ordinal++, start_ms);
        const Truth truth = make_truth(world, 1, session.playback, session.plan);
        benchmark::DoNotOptimize(make_session_row(truth, world));
        slices.clear();
        if (state.range(0) != 0) make_slice_rows(truth, world, slices);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(rows)->Arg(0)->Arg(1);

}  // namespace
}  // namespace playhead::simulator
