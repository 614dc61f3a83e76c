#include "wire/form_field.h"

#include <algorithm>

#include "wire/structured_text.h"

namespace playhead::wire {

std::optional<std::string> form_field(std::string_view query, std::string_view name) {
    if (query.starts_with('?')) query.remove_prefix(1);
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view field = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const std::size_t equals = field.find('=');
        if (equals == std::string_view::npos || field.substr(0, equals) != name) continue;
        std::string value(field.substr(equals + 1));
        std::replace(value.begin(), value.end(), '+', ' ');
        return sf::percent_decoded(value);
    }
    return {};
}

}  // namespace playhead::wire
