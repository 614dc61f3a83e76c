/// Cached and uncached lookups. Give the data by PLAYHEAD_UAP_CORE (a folder with regexes.yaml) and
/// PLAYHEAD_GEO (a MaxMind DB file); without them those benches are skipped.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "base/random.h"
#include "enrich/cdn_name.h"
#include "enrich/enricher.h"

namespace playhead::enrich {
namespace {

constexpr const char* kAgents[] = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/121.0.6167.101 Mobile Safari/537.36",
    "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/79.0.3945.79 "
    "Safari/537.36 WebAppManager",
};

std::string from_environment(const char* name, const char* suffix) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value) + suffix;
}

void load_rules(benchmark::State& state) {
    const auto path = from_environment("PLAYHEAD_UAP_CORE", "/regexes.yaml");
    for (auto _ : state) {
        if (!UserAgentRules::load(path, 2)) {
            state.SkipWithError("set PLAYHEAD_UAP_CORE");
            return;
        }
    }
}
BENCHMARK(load_rules)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(3);

void user_agent(benchmark::State& state, bool cached) {
    const UserAgentParser parser(from_environment("PLAYHEAD_UAP_CORE", "/regexes.yaml"));
    if (!parser.wait_until_loaded()) {
        state.SkipWithError("set PLAYHEAD_UAP_CORE");
        return;
    }
    std::size_t i = 0;
    for (auto _ : state) {
        const char* const text = kAgents[i++ % std::size(kAgents)];
        if (cached) {
            benchmark::DoNotOptimize(parser.find(text));
        } else {
            benchmark::DoNotOptimize(parser.find_uncached(text));
        }
    }
}
BENCHMARK_CAPTURE(user_agent, cached, true);
BENCHMARK_CAPTURE(user_agent, uncached, false);

void geo(benchmark::State& state, bool cached) {
    const std::vector<std::string> paths{from_environment("PLAYHEAD_GEO", "")};
    const auto database = GeoDatabase::open(paths);
    if (!database) {
        state.SkipWithError("set PLAYHEAD_GEO");
        return;
    }
    Random random(7);
    std::vector<IpAddress> addresses;
    for (int i = 0; i < 1000; ++i) {
        const auto text = std::to_string(1 + random.below(200)) + "." +
                          std::to_string(random.below(256)) + "." +
                          std::to_string(random.below(256)) + ".1";
        addresses.push_back(*IpAddress::parse(text));
    }
    std::size_t i = 0;
    for (auto _ : state) {
        const auto& address = addresses[i++ % addresses.size()];
        if (cached) {
            benchmark::DoNotOptimize((*database)->find(address));
        } else {
            benchmark::DoNotOptimize((*database)->find_uncached(address));
        }
    }
}
BENCHMARK_CAPTURE(geo, cached, true);
BENCHMARK_CAPTURE(geo, uncached, false);

void describe(benchmark::State& state) {
    EnricherOptions options;
    if (const auto path = from_environment("PLAYHEAD_GEO", ""); !path.empty()) {
        options.geo_databases = {path};
    }
    options.user_agent_rules = from_environment("PLAYHEAD_UAP_CORE", "/regexes.yaml");
    const auto enricher = Enricher::create(options);
    std::size_t i = 0;
    for (auto _ : state) {
        const char* const text = kAgents[i++ % std::size(kAgents)];
        benchmark::DoNotOptimize(
            (*enricher)->describe("89.160.20.112", "", text, AddressPolicy::Slash24));
    }
}
BENCHMARK(describe);

void cdn(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(cdn_of_host("https://cdn.example.org/a.m3u8"));
}
BENCHMARK(cdn);

}  // namespace
}  // namespace playhead::enrich
