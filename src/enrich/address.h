/// IP addresses and networks as values; no I/O.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace playhead::enrich {

/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address is the IPv4 address.
class IpAddress {
public:
    static constexpr unsigned kV4Bits = 32;
    static constexpr unsigned kV6Bits = 128;

    /// Also takes "[v6]", "[v6]:port", "v4:port" and a zone ("%eth0", dropped), as they stand in
    /// forwarding headers. nullopt for anything else, host names included.
    static std::optional<IpAddress> parse(std::string_view text) noexcept;

    bool is_v4() const noexcept { return v4_; }
    unsigned bits() const noexcept { return v4_ ? kV4Bits : kV6Bits; }
    /// Network byte order; the first 4 or all 16 count.
    const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }
    /// The address with all but the first `prefix_bits` cleared.
    IpAddress truncated(unsigned prefix_bits) const noexcept;
    std::string to_string() const;
    bool operator==(const IpAddress&) const = default;

private:
    std::array<std::uint8_t, 16> bytes_{};
    bool v4_ = true;
};

/// A network such as 10.0.0.0/8 or 2001:db8::/32.
class IpNetwork {
public:
    /// A bare address is a network of one.
    static std::optional<IpNetwork> parse(std::string_view text) noexcept;
    bool contains(const IpAddress& address) const noexcept;
    unsigned prefix_bits() const noexcept { return prefix_bits_; }
    const IpAddress& address() const noexcept { return address_; }

private:
    IpAddress address_;
    unsigned prefix_bits_ = 0;
};

}  // namespace playhead::enrich
