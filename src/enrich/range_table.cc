#include "enrich/range_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <unordered_map>

#include "enrich/geo_database.h"
#include "enrich/text.h"

namespace playhead::enrich {
namespace {

struct Line {
    IpAddress first;
    IpAddress last;
    std::uint32_t asn = 0;
    std::string_view organization;
};

std::string_view take_field(std::string_view& rest) noexcept {
    const auto comma = rest.find(',');
    const auto field = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    return field;
}

bool parse_line(std::string_view text, Line& line) noexcept {
    const auto first = IpAddress::parse(take_field(text));
    const auto last = IpAddress::parse(take_field(text));
    const auto asn = take_field(text);
    if (!first || !last || first->is_v4() != last->is_v4()) return false;
    const auto parsed = std::from_chars(asn.data(), asn.data() + asn.size(), line.asn);
    if (parsed.ec != std::errc{} || parsed.ptr != asn.data() + asn.size()) return false;
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
        text = text.substr(1, text.size() - 2);
    }
    line.first = *first;
    line.last = *last;
    line.organization = text;
    return first->bytes() <= last->bytes();
}

std::uint32_t number_of(const IpAddress& address) noexcept {
    const auto& b = address.bytes();
    return (std::uint32_t{b[0]} << 24U) | (std::uint32_t{b[1]} << 16U) |
           (std::uint32_t{b[2]} << 8U) | b[3];
}

constexpr auto kByFirst = [](const auto& a, const auto& b) { return a.first < b.first; };

}  // namespace

Result<RangeTable> RangeTable::load(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        return fail_parameter("geo_databases", path, "a readable file",
                              fmt::format("cannot open the range table {}", path));
    }
    const std::string csv{std::istreambuf_iterator<char>(in), {}};
    return parse(csv, path);
}

Result<RangeTable> RangeTable::parse(std::string_view csv, std::string_view name) {
    RangeTable table;
    std::unordered_map<std::uint32_t, std::uint32_t> index_of_asn;
    for (std::size_t number = 1; !csv.empty(); ++number) {
        const auto newline = csv.find('\n');
        std::string_view text = csv.substr(0, newline);
        csv.remove_prefix(newline == std::string_view::npos ? csv.size() : newline + 1);
        if (text.ends_with('\r')) text.remove_suffix(1);
        if (text.empty()) continue;
        Line line;
        if (!parse_line(text, line) || table.v4_.size() + table.v6_.size() >= kRangesMax) {
            return fail_parameter("geo_databases", std::string(name),
                                  "first address,last address,asn,organisation",
                                  fmt::format("{}, line {}: not an address range", name, number));
        }
        const auto [at, added] =
            index_of_asn.try_emplace(line.asn, static_cast<std::uint32_t>(table.systems_.size()));
        if (added) {
            table.systems_.push_back({line.asn, clean_text(line.organization, kGeoTextBytesMax)});
        }
        if (line.first.is_v4()) {
            table.v4_.push_back({number_of(line.first), number_of(line.last), at->second});
        } else {
            table.v6_.push_back({line.first.bytes(), line.last.bytes(), at->second});
        }
    }
    std::sort(table.v4_.begin(), table.v4_.end(), kByFirst);
    std::sort(table.v6_.begin(), table.v6_.end(), kByFirst);
    table.v4_.shrink_to_fit();
    table.v6_.shrink_to_fit();
    return table;
}

template <class Address>
AutonomousSystem RangeTable::find_in(const std::vector<Range<Address>>& ranges,
                                     const Address& address) const noexcept {
    const auto behind = std::upper_bound(
        ranges.begin(), ranges.end(), address,
        [](const Address& value, const Range<Address>& range) { return value < range.first; });
    if (behind == ranges.begin() || (behind - 1)->last < address) return {};
    const System& system = systems_[(behind - 1)->system];
    return {system.asn, system.organization};
}

AutonomousSystem RangeTable::find(const IpAddress& address) const noexcept {
    return address.is_v4() ? find_in(v4_, number_of(address)) : find_in(v6_, address.bytes());
}

}  // namespace playhead::enrich
