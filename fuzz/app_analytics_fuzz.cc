/// Any members inside an App Analytics entry: refused, or one Application event.
#include <cstdlib>
#include <string>

#include "wire/produce.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string members(data, data + size);
    const auto batch = playhead::wire::decode_produce(
        R"({"qubitData":[{"streamID":{"custId":"5","sessionId":"s","dataSrc":"Application"},)"
        R"("appEventInfo":{)" +
            members + "}}]}",
        1'795'419'382'300);
    if (!batch) return 0;
    for (const auto& event : batch->events) {
        if (event.kind == playhead::model::EventKind::Application && !event.app) std::abort();
        std::size_t bytes = 0;
        if (!event.app) continue;
        for (const auto& [key, value] : event.app->data) bytes += key.size() + value.size();
        if (bytes > event.app->data.size() * 1024) std::abort();
    }
    return 0;
}
