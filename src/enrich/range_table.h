/// Autonomous systems by address range, from the CSV of ip-location-db: sorted arrays in memory.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "enrich/address.h"

namespace playhead::enrich {

struct AutonomousSystem {
    std::uint32_t asn = 0;  ///< 0 = unknown
    std::string_view organization;
};

/// Immutable after `load`, so thread safe. About 12 bytes per IPv4 range, 40 per IPv6 range.
class RangeTable {
public:
    static constexpr std::size_t kRangesMax = 8'000'000;

    /// Lines are `first address,last address,asn,"organisation"`, one file per IP version or mixed;
    /// order does not matter, ranges must not overlap. The error names file and line.
    static Result<RangeTable> load(const std::string& path);
    static Result<RangeTable> parse(std::string_view csv, std::string_view name);

    AutonomousSystem find(const IpAddress& address) const noexcept;

private:
    template <class Address>
    struct Range {
        Address first;
        Address last;
        std::uint32_t system;
    };
    struct System {
        std::uint32_t asn;
        std::string organization;
    };
    using V6 = std::array<std::uint8_t, 16>;

    template <class Address>
    AutonomousSystem find_in(const std::vector<Range<Address>>& ranges,
                             const Address& address) const noexcept;

    std::vector<Range<std::uint32_t>> v4_;
    std::vector<Range<V6>> v6_;
    std::vector<System> systems_;
};

}  // namespace playhead::enrich
