#include "enrich/privacy.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace playhead::enrich {
namespace {

constexpr std::size_t kHashBytes = 16;

std::string_view trim(std::string_view text) noexcept {
    const auto begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

Result<AddressPolicy> parse_address_policy(std::string_view text) {
    if (text == "none") return AddressPolicy::Keep;
    if (text == "/24") return AddressPolicy::Slash24;
    if (text == "/16") return AddressPolicy::Slash16;
    if (text == "drop") return AddressPolicy::Drop;
    return fail_parameter("address_truncation", std::string(text), "none, /24, /16 or drop",
                          "unknown way to truncate addresses");
}

std::string stored_address(const IpAddress& address, AddressPolicy policy) {
    switch (policy) {
        case AddressPolicy::Keep: return address.to_string();
        case AddressPolicy::Slash24:
            return address.truncated(address.is_v4() ? 24 : 48).to_string();
        case AddressPolicy::Slash16:
            return address.truncated(address.is_v4() ? 16 : 32).to_string();
        case AddressPolicy::Drop: break;
    }
    return {};
}

Result<TrustedProxies> TrustedProxies::parse(std::span<const std::string> networks) {
    TrustedProxies proxies;
    for (const std::string& text : networks) {
        const auto network = IpNetwork::parse(text);
        if (!network) {
            return fail_parameter("trusted_proxies", text, "an address or a network in CIDR form",
                                  "a trusted proxy is neither an address nor a network");
        }
        proxies.networks_.push_back(*network);
    }
    return proxies;
}

bool TrustedProxies::contains(const IpAddress& address) const noexcept {
    return std::any_of(networks_.begin(), networks_.end(),
                       [&](const IpNetwork& network) { return network.contains(address); });
}

IpAddress TrustedProxies::client(const IpAddress& peer,
                                 std::string_view x_forwarded_for) const noexcept {
    IpAddress client = peer;
    for (std::size_t hop = 0; hop < kHopsMax && contains(client); ++hop) {
        const auto comma = x_forwarded_for.rfind(',');
        const bool last = comma == std::string_view::npos;
        const auto address =
            IpAddress::parse(trim(last ? x_forwarded_for : x_forwarded_for.substr(comma + 1)));
        if (!address) break;
        client = *address;
        if (last) break;
        x_forwarded_for = x_forwarded_for.substr(0, comma);
    }
    return client;
}

Result<SubscriberHasher> SubscriberHasher::create(std::string_view secret) {
    if (secret.size() < kSecretBytesMin || secret.size() > kSecretBytesMax) {
        // The value is left out of the error: it is a secret.
        return fail_parameter("subscriber_secret", {}, "16 to 64 bytes",
                              "the secret for subscriber hashing has the wrong length");
    }
    if (::sodium_init() < 0) return fail(ErrorCode::Internal, "libsodium cannot be initialized");
    SubscriberHasher hasher;
    hasher.secret_ = secret;
    return hasher;
}

std::string SubscriberHasher::hash(std::string_view tenant, std::string_view subscriber) const {
    if (subscriber.empty()) return {};
    const auto bytes_of = [](std::string_view text) {
        return reinterpret_cast<const unsigned char*>(text.data());
    };
    crypto_generichash_state state;
    ::crypto_generichash_init(&state, bytes_of(secret_), secret_.size(), kHashBytes);
    // The length in front keeps ("ab", "c") apart from ("a", "bc").
    const std::uint64_t tenant_bytes = tenant.size();
    std::array<unsigned char, 8> length{};
    for (std::size_t i = 0; i < length.size(); ++i) {
        length[i] = static_cast<unsigned char>(tenant_bytes >> (8 * i));
    }
    ::crypto_generichash_update(&state, length.data(), length.size());
    ::crypto_generichash_update(&state, bytes_of(tenant), tenant.size());
    ::crypto_generichash_update(&state, bytes_of(subscriber), subscriber.size());
    std::array<unsigned char, kHashBytes> digest{};
    ::crypto_generichash_final(&state, digest.data(), digest.size());
    std::array<char, kHashBytes * 2 + 1> hex{};
    ::sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
    return hex.data();
}

}  // namespace playhead::enrich
