#include "enrich/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace playhead::enrich {
namespace {

constexpr std::size_t kV4Bytes = 4;
constexpr std::size_t kV6Bytes = 16;
constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

/// The address within "[v6]", "[v6]:port", "v4:port" or "v6%zone".
std::string_view bare(std::string_view text) noexcept {
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        text = end == std::string_view::npos ? std::string_view{} : text.substr(1, end - 1);
    } else if (const auto colon = text.find(':');
               colon != std::string_view::npos && colon == text.rfind(':')) {
        text = text.substr(0, colon);
    }
    return text.substr(0, text.find('%'));
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) noexcept {
    text = bare(text);
    std::array<char, INET6_ADDRSTRLEN + 1> terminated{};
    if (text.empty() || text.size() >= terminated.size()) return std::nullopt;
    std::memcpy(terminated.data(), text.data(), text.size());
    IpAddress address;
    if (::inet_pton(AF_INET, terminated.data(), address.bytes_.data()) == 1) return address;
    if (::inet_pton(AF_INET6, terminated.data(), address.bytes_.data()) != 1) return std::nullopt;
    if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes_.begin())) {
        std::array<std::uint8_t, kV6Bytes> v4{};
        std::copy_n(address.bytes_.begin() + kMappedPrefix.size(), kV4Bytes, v4.begin());
        address.bytes_ = v4;
        return address;
    }
    address.v4_ = false;
    return address;
}

IpAddress IpAddress::truncated(unsigned prefix_bits) const noexcept {
    IpAddress cut = *this;
    for (unsigned i = 0; i < kV6Bytes; ++i) {
        const unsigned kept = std::clamp(prefix_bits, i * 8, i * 8 + 8) - i * 8;
        cut.bytes_[i] = static_cast<std::uint8_t>(cut.bytes_[i] & (0xFF00U >> kept));
    }
    return cut;
}

std::string IpAddress::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(v4_ ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
    return text.data();
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) noexcept {
    const auto slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    IpNetwork network;
    network.address_ = *address;
    network.prefix_bits_ = address->bits();
    if (slash == std::string_view::npos) return network;
    const std::string_view digits = text.substr(slash + 1);
    const auto parsed =
        std::from_chars(digits.data(), digits.data() + digits.size(), network.prefix_bits_);
    if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size() ||
        network.prefix_bits_ > address->bits()) {
        return std::nullopt;
    }
    network.address_ = address->truncated(network.prefix_bits_);
    return network;
}

bool IpNetwork::contains(const IpAddress& address) const noexcept {
    return address.is_v4() == address_.is_v4() && address.truncated(prefix_bits_) == address_;
}

}  // namespace playhead::enrich
