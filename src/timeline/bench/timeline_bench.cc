// Records per second on one core, and bytes per open session, of a stream like that of real
// players: reports every 10 s, the sessions spread over the interval, a cut every second.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <string>
#include <vector>

#include "timeline/timeline.h"

namespace playhead::timeline {
namespace {

constexpr std::int64_t kStartMs = 1'795'000'000'000;
constexpr int kReportSeconds = 10;
/// Of the attributes of a record: those that differ from session to session, and how many different
/// values the others have.
constexpr int kAttributes = 36;
constexpr int kOwnAttributes = 6;
constexpr int kVariants = 40;

/// One viewer; hands out the record of each step without allocating much, so that the bench
/// measures the timeline.
class Viewer {
public:
    explicit Viewer(int number) : session_("7fcb1ac9-d419-4edd-ab18-" + std::to_string(number)) {
        for (int id = 0; id < kAttributes; ++id) {
            const bool own = id < kOwnAttributes;
            texts_.push_back(own ? "only of session " + session_.substr(24) + "/" +
                                       std::to_string(id)
                                 : "a value of " + std::to_string(id) + "/" +
                                       std::to_string((number * 7 + id) % kVariants));
        }
        client_.ip_address = "203.0." + std::to_string(number % 200) + ".0";
        client_.country = "DE";
        client_.continent = "EU";
        client_.city = "City " + std::to_string(number % kVariants);
        client_.isp = "Provider " + std::to_string(number % 12);
        client_.browser = "Browser";
        client_.browser_version = std::to_string(100 + number % 9);
        event_.customer_id = 7;
        event_.session_id = session_;
        event_.interval_s = kReportSeconds;
        event_.name = "REPORT";
        for (int id = 0; id < kAttributes; ++id) {
            event_.attributes.push_back(
                {static_cast<model::Dimension>(id), texts_[static_cast<std::size_t>(id)]});
        }
    }

    void send(Partition& partition, std::int64_t at, int step) {
        payload_ = session_ + std::to_string(at);
        event_.payload_id = payload_;
        event_.client_ms = at;
        event_.receive_ms = at + 40;
        event_.play_duration_s = step * kReportSeconds;
        event_.kind = step == 0   ? model::EventKind::Load
                      : step == 1 ? model::EventKind::Start
                                  : model::EventKind::Stats;
        // The rendition changes now and then; reports repeat it without a time of its own.
        const double kbps = 1'500 + 500 * ((step / 17) % 4);
        event_.measures.clear();
        event_.measures.push_back({model::Measure::BitrateKbps, kbps, 0});
        event_.measures.push_back({model::Measure::ProgressPercent, step / 4.0, at});
        event_.measures.push_back({model::Measure::Fps, 25, at});
        event_.measures.push_back({model::Measure::FramesDropped, double(step / 5), at});
        event_.measures.push_back({model::Measure::BandwidthKbps, 9'000.0 + step, at});
        if (step == 1) event_.measures.push_back({model::Measure::StartupMs, 900, 0});
        if (step % 40 == 39) event_.measures.push_back({model::Measure::StallMs, 700, at});
        partition.apply(event_, client_);
    }

private:
    std::string session_, payload_;
    std::vector<std::string> texts_;
    model::ClientContext client_;
    model::Event event_;
};

std::vector<Viewer> viewers_of(int count) {
    std::vector<Viewer> viewers;
    viewers.reserve(static_cast<std::size_t>(count));
    for (int number = 0; number < count; ++number) viewers.emplace_back(number);
    return viewers;
}

/// Arguments: sessions, minutes.
void BM_Stream(benchmark::State& state) {
    const auto sessions = static_cast<int>(state.range(0));
    const auto seconds = static_cast<int>(state.range(1)) * 60;
    auto viewers = viewers_of(sessions);
    std::int64_t records = 0;
    double bytes = 0, texts = 0, heap = 0;
    for (auto _ : state) {
        const auto before = mallinfo2();
        Partition partition({});
        for (int second = 0; second < seconds; ++second) {
            const std::int64_t at = kStartMs + second * 1'000LL;
            const int step = second / kReportSeconds;
            for (int number = second % kReportSeconds; number < sessions;
                 number += kReportSeconds) {
                viewers[static_cast<std::size_t>(number)].send(partition, at + number % 1'000,
                                                               step);
                ++records;
            }
            model::RowBlock rows;
            partition.cut(at + 1'100, rows);
            benchmark::DoNotOptimize(rows.live_sessions.data());
        }
        const auto after = mallinfo2();
        const Stats stats = partition.stats();
        const auto open = static_cast<double>(stats.open_sessions);
        bytes = static_cast<double>(stats.bytes) / open;
        texts = static_cast<double>(stats.text_bytes) / open;
        heap = static_cast<double>(after.uordblks + after.hblkhd) / open -
               static_cast<double>(before.uordblks + before.hblkhd) / open;
    }
    state.SetItemsProcessed(records);
    state.counters["bytes"] = bytes;
    state.counters["texts"] = texts;
    state.counters["rest"] = bytes - texts;
    state.counters["heap"] = heap;
}
BENCHMARK(BM_Stream)
    ->Args({2'000, 2})
    ->Args({2'000, 10})
    ->Args({500, 60})
    ->Unit(benchmark::kMillisecond);

/// The same without the time of making rows: no cut.
void BM_ApplyOnly(benchmark::State& state) {
    auto viewers = viewers_of(500);
    std::int64_t records = 0;
    for (auto _ : state) {
        Partition partition({});
        for (int step = 0; step < 60; ++step) {
            const std::int64_t at = kStartMs + step * 10'000LL;
            for (Viewer& viewer : viewers) {
                viewer.send(partition, at, step);
                ++records;
            }
        }
    }
    state.SetItemsProcessed(records);
}
BENCHMARK(BM_ApplyOnly)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace playhead::timeline
