/// Time per record of each decoder. Target: at most 1 us per 1 KB compact record.
#include <benchmark/benchmark.h>

#include <string>

#include "wire/cmcd.h"
#include "wire/produce.h"

namespace playhead::wire {
namespace {

// A stats record with every object the web SDK sends, about 1.1 KB.
const std::string kStats =
    R"({"v":"2.0.0","qd":[{"sd":{"ci":900100200,"dsr":"Player","pn":"BenchPlayer",)"
    R"("si":"7fcb1ac9-d419-4edd-ab18-2448d5a0b113-1795419946211","dn":"bench.example.test",)"
    R"("su":"https://cdn.example.test/film/master.m3u8","pv":"7.8.9","pb":"Brand","pm":"Model",)"
    R"("spi":"sub-prop-7","bpn":"html5","bpv":"0.4.2","sbi":"sub-0001","sbt":"Paid","sg":"gold",)"
    R"("ai":"asset-1","an":"A film","vi":"vid-1","vsi":"view-001","m":"QBRDisabled","il":false,)"
    R"("mt":"Video","sct":"CDN-ORIGIN","pi":"29638ff20cd62d2528bafff3c29ebf3a",)"
    R"("sst":1795419946572},"sif":{"td":24,"xr":"","nr":"","xf":0,"nf":0,"np":0,"sf":"HLS"},)"
    R"("cm":{"ai":"asset-1","an":"A film","vi":"vid-1","ct":"Movie","dp":"Widevine","en":"3",)"
    R"("g":"Drama","se":"2","st":"A series","vt":"Full"},"sgi":[{"cb":1500000,"r":"1280x720",)"
    R"("f":25,"ac":"mp4a.40.2","vc":"avc1.64001f","t":1795419947407}],)"
    R"("pif":[{"t":1795419952411,"bu":4003.91,"pt":4.79,"gm":19.95}],"sdi":{"sv":"JSSDK1.3.15",)"
    R"("hv":"2.0.0"},"cif":{"br":"Co","ml":"CB-4","v":"12.7","p":"LinuxTV","apn":"App",)"
    R"("apv":"2.3.4","dm":"Box 4K","sr":"1920x1080","di":"dev-abc-123","c":"CDN","asn":64500,)"
    R"("shn":"edge1.example","nt":"WiredNetwork","op":"Net","pr":"1280x720"}}],)"
    R"("t":1795419952411,"pt":4.79,"pd":5,"i":5})";

void decode_stats(benchmark::State& state) {
    for (auto _ : state) {
        std::string body;
        body.reserve(kStats.size() + 64);
        body = kStats;
        auto batch = decode_produce(std::move(body), 1'795'419'952'500);
        benchmark::DoNotOptimize(batch);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kStats.size()));
}
BENCHMARK(decode_stats);

void decode_stats_batch_of_50(benchmark::State& state) {
    std::string all = "[";
    for (int index = 0; index < 50; ++index) all += (index > 0 ? "," : "") + kStats;
    all += "]";
    for (auto _ : state) {
        auto batch = decode_produce(all, 1'795'419'952'500);
        benchmark::DoNotOptimize(batch);
    }
    state.SetItemsProcessed(state.iterations() * 50);
}
BENCHMARK(decode_stats_batch_of_50);

void decode_cmcd_response(benchmark::State& state) {
    const CmcdSource source{5, "path", 1'795'419'952'500, {}};
    for (auto _ : state) {
        auto batch = decode_cmcd_events(
            "bl=(10100),br=(1830),cid=\"film\",e=rr,mtp=(5300),rc=200,sf=h,sid=\"70b489af-d668-4440"
            "-84de-a743dba1919d\",sn=16,st=v,sta=p,ts=1795418616015,ttfb=36,ttlb=641,url=\"http://"
            "cdn.test/v2/seg-007.ts\",v=2\n",
            source);
        benchmark::DoNotOptimize(batch);
    }
}
BENCHMARK(decode_cmcd_response);

}  // namespace
}  // namespace playhead::wire
