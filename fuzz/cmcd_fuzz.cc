/// Any bytes as an event body, a query and a header: events are bounded and have an identity.
#include <cmath>
#include <cstdlib>
#include <string>

#include "wire/cmcd.h"

namespace wire = playhead::wire;

namespace {

void check(const wire::CmcdBatch& result) {
    std::size_t bytes = 0;
    for (const auto& event : result.batch.events) {
        if (event.customer_id != 5 || event.session_id.empty()) std::abort();
        if (event.tags.size() > playhead::model::kTagsMax) std::abort();
        for (const auto& measure : event.measures) {
            if (!std::isfinite(measure.value) || measure.value < 0) std::abort();
        }
        for (const auto& attribute : event.attributes) bytes += attribute.value.size();
        for (const char c : event.text) bytes += c != 0 ? 1U : 0U;
    }
    if (result.batch.events.empty() && bytes > 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    const wire::CmcdSource source{5, "path", 1'795'419'382'300, "http://cdn.test/seg.ts"};
    check(wire::decode_cmcd_events(text, source));
    check(wire::decode_cmcd_request("CMCD=" + text, {}, source));
    wire::CmcdHeaders headers;
    headers.request = text;
    headers.session = text;
    check(wire::decode_cmcd_request({}, headers, source));
    return 0;
}
