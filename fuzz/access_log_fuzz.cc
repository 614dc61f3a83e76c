/// Any bytes as lines of every log format, as an EPAS event and as a mapping's rows: what comes of
/// them is bounded, has a session and a time, and is what the collector can read.
#include <cstdlib>
#include <string>

#include "importers/cmcd_report.h"
#include "importers/epas.h"
#include "importers/log_line.h"
#include "importers/log_time.h"
#include "wire/cmcd.h"
#include "wire/produce.h"

namespace importers = playhead::importers;
namespace wire = playhead::wire;

namespace {

constexpr std::uint64_t kCustomer = 5;

void check_line(importers::LogLineParser& parser, std::string_view line) {
    const auto record = parser.parse(line);
    if (!record || !*record) return;
    if ((*record)->time_ms == 0) std::abort();
    const auto made = importers::translate_cmcd(**record, kCustomer, 7);
    if (!made || !made->report) return;
    // What an importer took has to mean the same to a collector.
    wire::CmcdSource source;
    source.customer_id = kCustomer;
    source.receive_ms = made->report->time_ms;
    const auto decoded = wire::decode_cmcd_request(made->report->body, {}, source);
    if (decoded.batch.events.size() != 1) std::abort();
    if (decoded.batch.events.front().session_id.empty()) std::abort();
}

void check_log(importers::LogFormat format, const std::string& fields, std::string_view text) {
    auto parser = importers::LogLineParser::create(format, fields);
    if (!parser) return;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        check_line(*parser, text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

void check_epas(const std::string& text) {
    auto events = importers::split_epas(text, kCustomer);
    if (!events) return;
    importers::EpasTranslator translator(kCustomer);
    for (const auto& event : *events) {
        const auto report = translator.translate(event);
        if (!report) continue;
        const auto batch = wire::decode_produce(report->body, report->time_ms);
        if (!batch || batch->events.empty()) std::abort();
        for (const auto& each : batch->events) {
            if (each.customer_id != kCustomer || each.payload_id.empty()) std::abort();
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    using importers::LogFormat;
    for (const auto format : {LogFormat::Auto, LogFormat::CloudFront, LogFormat::CloudFrontRealTime,
                              LogFormat::Akamai, LogFormat::Fastly, LogFormat::Nginx}) {
        check_log(format, {}, text);
    }
    check_log(LogFormat::Akamai, "reqTimeSec,cliIP,queryStr,cmcd", text);
    check_log(LogFormat::Nginx, "$msec $request_uri|$http_cmcd_session|$http_cmcd_object", text);
    check_log(LogFormat::Nginx, text.substr(0, 200), text);
    check_epas(text);
    importers::parse_any_ms(text);
    importers::parse_offset_ms(text);
    return 0;
}
