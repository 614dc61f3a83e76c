/// Any bytes as a /produce body: refused with a message, or events that are bounded.
#include <cmath>
#include <cstdlib>
#include <string>

#include "wire/produce.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto batch =
        playhead::wire::decode_produce(std::string(data, data + size), 1'795'419'382'300);
    if (!batch) {
        if (batch.error().message.empty()) std::abort();
        return 0;
    }
    for (const auto& event : batch->events) {
        if (event.customer_id == 0 || event.session_id.empty() || event.client_ms < 0) std::abort();
        for (const auto& measure : event.measures) {
            if (!std::isfinite(measure.value) || measure.client_ms < 0) std::abort();
        }
        for (const auto& attribute : event.attributes) {
            if (attribute.value.size() > playhead::model::kDimensionValueBytesMax) std::abort();
        }
    }
    return 0;
}
