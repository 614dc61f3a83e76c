#include "http/entity_tag.h"

#include "net/message.h"

namespace playhead::http {

std::string entity_tag(std::string_view tag, bool strong) {
    std::string out = strong ? "\"" : "W/\"";
    out += tag;
    return out + '"';
}

bool matches_entity_tag(std::string_view if_none_match, std::string_view tag) {
    if (net::trimmed(if_none_match) == "*") return true;
    // Ours have neither quotes nor commas, so that no quoting need be parsed.
    while (!if_none_match.empty()) {
        const auto comma = if_none_match.find(',');
        auto one = net::trimmed(if_none_match.substr(0, comma));
        if (one.starts_with("W/")) one.remove_prefix(2);
        if (one.size() == tag.size() + 2 && one.starts_with('"') && one.ends_with('"') &&
            one.substr(1, tag.size()) == tag) {
            return true;
        }
        if_none_match.remove_prefix(comma == std::string_view::npos ? if_none_match.size()
                                                                    : comma + 1);
    }
    return false;
}

}  // namespace playhead::http
