// Any bytes are a query string or an error; what decodes encodes back to the same meaning.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/query_string.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace playhead::http;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto query = QueryString::parse(text);
    if (!query) return 0;
    std::string again;
    for (const auto& parameter : query->all()) {
        again += percent_encode(parameter.name) + "=" + percent_encode(parameter.value) + "&";
    }
    const auto second = QueryString::parse(again);
    if (!second || second->all().size() != query->all().size()) std::abort();
    for (std::size_t index = 0; index < query->all().size(); ++index) {
        if (second->all()[index].value != query->all()[index].value) std::abort();
    }
    return 0;
}
