/// Whatever parses must serialize, and its canonical text must be a fixed point.
#include <cstdlib>
#include <string>

#include "wire/structured_fields.h"

namespace sf = playhead::wire::sf;

namespace {

template <class Parse>
void check(std::string_view text, Parse parse) {
    const auto value = parse(text);
    if (!value) return;
    const auto canonical = sf::serialize(*value);
    if (!canonical) std::abort();
    const auto again = parse(*canonical);
    if (!again || sf::serialize(*again).value() != *canonical) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    check(text, [](std::string_view input) { return sf::parse_item(input); });
    check(text, [](std::string_view input) { return sf::parse_list(input); });
    check(text, [](std::string_view input) { return sf::parse_dictionary(input); });
    return 0;
}
