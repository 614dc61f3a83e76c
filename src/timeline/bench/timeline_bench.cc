// Records per second on one core, and bytes per open session.
#include <benchmark/benchmark.h>

#include "timeline/timeline.h"

namespace playhead::timeline {
namespace {

model::Event report(std::string& session, std::string& payload, std::int64_t at, int step) {
    model::Event event;
    event.customer_id = 7;
    event.session_id = session;
    event.payload_id = payload;
    event.client_ms = at;
    event.receive_ms = at + 40;
    event.interval_s = 10;
    event.play_duration_s = step * 10;
    event.kind = step == 0   ? model::EventKind::Load
                 : step == 1 ? model::EventKind::Start
                             : model::EventKind::Stats;
    event.name = "X";
    event.measures.push_back({model::Measure::BitrateKbps, 1'500, at});
    event.measures.push_back({model::Measure::ProgressPercent, double(step), at});
    if (step == 1) event.measures.push_back({model::Measure::StartupMs, 900, 0});
    // As many attributes as a real record has.
    for (int id = 0; id < 30; ++id) {
        event.attributes.push_back({static_cast<model::Dimension>(id), "an attribute's value"});
    }
    return event;
}

/// 10 minutes of reports of many sessions, with a cut after each round.
void BM_Reports(benchmark::State& state) {
    const auto sessions = state.range(0);
    constexpr int kSteps = 60;
    std::int64_t records = 0;
    double bytes = 0;
    for (auto _ : state) {
        Partition partition({});
        model::RowBlock rows;
        for (int step = 0; step < kSteps; ++step) {
            const std::int64_t at = 1'795'000'000'000 + step * 10'000;
            for (std::int64_t number = 0; number < sessions; ++number) {
                std::string session = "7fcb1ac9-d419-4edd-ab18-" + std::to_string(number);
                std::string payload = std::to_string(step * 1'000'000 + number);
                partition.apply(report(session, payload, at, step), {});
                ++records;
            }
            rows = {};
            partition.cut(at + 1'000, rows);
        }
        bytes = static_cast<double>(partition.stats().bytes) / static_cast<double>(sessions);
    }
    state.SetItemsProcessed(records);
    state.counters["bytes/session"] = bytes;
}
BENCHMARK(BM_Reports)->Arg(2'000)->Unit(benchmark::kMillisecond);

/// The same without the time of making rows: one cut at the end.
void BM_ApplyOnly(benchmark::State& state) {
    std::int64_t records = 0;
    for (auto _ : state) {
        Partition partition({});
        for (int step = 0; step < 60; ++step) {
            for (int number = 0; number < 500; ++number) {
                std::string session = "7fcb1ac9-d419-4edd-ab18-" + std::to_string(number);
                std::string payload = std::to_string(step * 1'000'000 + number);
                partition.apply(report(session, payload, 1'795'000'000'000 + step * 10'000, step),
                                {});
                ++records;
            }
        }
    }
    state.SetItemsProcessed(records);
}
BENCHMARK(BM_ApplyOnly)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace playhead::timeline
