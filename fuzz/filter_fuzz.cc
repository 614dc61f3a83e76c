// `filter` and `qoefilter` of a request: whatever is accepted must plan, and its values must never
// be in the text of the statement.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "query/planner.h"
#include "query/request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace playhead::query;
    static const Dictionary dictionary = Dictionary::load().value();
    if (size == 0) return 0;
    const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const char* parameter = data[0] % 3 == 0 ? "filter" : data[0] % 3 == 1 ? "qoefilter" : "period";
    Parameters parameters{{"metrics", "attempts"}, {parameter, text}};
    if (data[0] % 3 != 2) parameters.emplace_back("period", "start=1,end=2");
    const auto request =
        parse_request(parameters, Endpoint::MetricQuery, dictionary, {1'700'000'000, 400});
    if (!request) return 0;
    const auto plan = plan_query(*request, dictionary, 1);
    if (!plan) return 0;
    for (const auto& condition : request->filter) {
        for (const auto& value : condition.values) {
            const bool telling = value.size() > 8 && value.find('\'') != std::string::npos;
            if (telling && plan->statement.sql.find(value) != std::string::npos) std::abort();
        }
    }
    return 0;
}
