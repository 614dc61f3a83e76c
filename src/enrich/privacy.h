/// What is forgotten before anything is stored, and whom the server believes about addresses.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "enrich/address.h"

namespace playhead::enrich {

/// How much of an address is kept. IPv6 networks of like size: /48 for /24, /32 for /16.
enum class AddressPolicy {
    Keep,     ///< "none": the whole address
    Slash24,  ///< "/24", the default
    Slash16,  ///< "/16"
    Drop,     ///< "drop": nothing
};

/// From a configuration value: "none", "/24", "/16", "drop". InvalidArgument for others.
Result<AddressPolicy> parse_address_policy(std::string_view text);

/// What of the address may be stored, e.g. "203.0.113.0"; empty under Drop.
std::string stored_address(const IpAddress& address, AddressPolicy policy);

/// The proxies whose X-Forwarded-For is believed. Immutable, so thread safe.
class TrustedProxies {
public:
    static constexpr std::size_t kHopsMax = 32;
    TrustedProxies() = default;
    /// Networks or addresses; InvalidArgument names the first one that is neither.
    static Result<TrustedProxies> parse(std::span<const std::string> networks);

    bool contains(const IpAddress& address) const noexcept;
    /// The client: the last address, from right to left, that is not a trusted proxy's. Stops at
    /// the first entry that is no address, and after kHopsMax entries; `peer` when it is not
    /// trusted, whatever the header says. `x_forwarded_for` is the header's value, several joined
    /// by commas.
    IpAddress client(const IpAddress& peer, std::string_view x_forwarded_for) const noexcept;

private:
    std::vector<IpNetwork> networks_;
};

/// Replaces subscriber ids by keyed hashes (BLAKE2b): the same person stays the same within an
/// installation, and nobody without its secret can test a guess. Thread safe.
class SubscriberHasher {
public:
    static constexpr std::size_t kSecretBytesMin = 16;
    static constexpr std::size_t kSecretBytesMax = 64;
    /// InvalidArgument for a secret of the wrong length.
    static Result<SubscriberHasher> create(std::string_view secret);
    /// 32 hexadecimal digits (128 bits); empty stays empty. `tenant` keeps tenants unlinkable.
    std::string hash(std::string_view tenant, std::string_view subscriber) const;

private:
    std::string secret_;
};

}  // namespace playhead::enrich
