// Request heads and bodies, cut in two anywhere, must parse or fail, never crash; and what parses
// must not depend on the cut.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/http1_parser.h"

namespace {

using namespace playhead::net;

std::string parse(std::string_view text, std::size_t cut) {
    Http1RequestParser parser;
    Request request;
    std::string seen;
    std::string buffer(text.substr(0, cut));
    std::string rest(text.substr(cut));
    for (int part = 0; part < 2; ++part) {
        bool more = !buffer.empty();
        while (more) {
            const auto result = parser.feed(buffer, request);
            if (result.state == ParseState::Failed) return seen + "!";
            if (result.state == ParseState::HeadDone) {
                if (parser.content_length() > 4096) return seen + ">";
                parser.set_body_limit(4096);
            }
            if (result.state == ParseState::Complete) {
                seen.append(request.method_text()).append(" ").append(request.target()).append("=");
                seen.append(request.body()).append(";");
            }
            buffer.erase(0, result.consumed);
            more = result.state != ParseState::NeedMore &&
                   (!buffer.empty() || result.state == ParseState::HeadDone);
        }
        buffer += rest;
        rest.clear();
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    if (parse(text, text.size()) != parse(text, text.empty() ? 0 : data[0] % (text.size() + 1))) {
        std::abort();
    }
    return 0;
}
