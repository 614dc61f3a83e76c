#include "query/nearest.h"

#include <algorithm>
#include <numeric>

namespace playhead::query {

namespace {

constexpr std::size_t kNameBytesMax = 64;

std::size_t edit_distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> row(right.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= left.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const std::size_t changed = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
        }
    }
    return row[right.size()];
}

}  // namespace

std::string nearest_name(std::string_view given, const std::vector<std::string>& names) {
    if (given.empty() || given.size() > kNameBytesMax) return {};
    std::size_t best = std::max<std::size_t>(2, given.size() / 3) + 1;
    std::string found;
    for (const auto& name : names) {
        const std::size_t distance = edit_distance(given, name);
        if (distance < best) {
            best = distance;
            found = name;
        }
    }
    return found;
}

}  // namespace playhead::query
