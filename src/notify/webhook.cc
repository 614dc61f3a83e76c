#include "notify/webhook.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

namespace playhead::notify {

namespace {

using enrich::IpAddress;
using enrich::IpNetwork;

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::size_t kKeyBytesMin = 24;
constexpr std::size_t kKeyBytesMax = 64;

/// The registries of special addresses of RFC 6890 and later, and multicast.
constexpr std::array kNotPublic{
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4",
    "::/96",         "64:ff9b:1::/48",  "100::/64",       "2001::/23",      "2001:db8::/32",
    "2002::/16",     "3fff::/20",       "5f00::/16",      "fc00::/7",       "fe80::/10",
    "fec0::/10",     "ff00::/8"};

const std::vector<IpNetwork>& not_public() {
    static const std::vector<IpNetwork> networks = [] {
        std::vector<IpNetwork> out;
        out.reserve(kNotPublic.size());
        for (const auto* text : kNotPublic) out.push_back(*IpNetwork::parse(text));
        return out;
    }();
    return networks;
}

/// The IPv4 address that a NAT64 prefix leads to.
std::optional<IpAddress> translated(const IpAddress& address) {
    static const auto nat64 = *IpNetwork::parse("64:ff9b::/96");
    if (address.is_v4() || !nat64.contains(address)) return std::nullopt;
    const auto& bytes = address.bytes();
    return IpAddress::parse(fmt::format("{}.{}.{}.{}", bytes[12], bytes[13], bytes[14], bytes[15]));
}

/// An address as an URL writes it, and nothing else: the parser of headers takes more.
std::optional<IpAddress> literal(std::string_view host) {
    const bool plain = std::all_of(host.begin(), host.end(),
                                   [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
    if (!plain && host.find(':') == std::string_view::npos) return std::nullopt;
    return IpAddress::parse(host);
}

bool is_host(std::string_view host) {
    return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-' || c == '_';
    });
}

bool is_port(std::string_view port) {
    return !port.empty() && port.size() <= 5 &&
           std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<WebhookUrl> split_url(std::string_view url) {
    if (url.size() > kUrlBytesMax) return std::nullopt;
    const bool plain = std::all_of(url.begin(), url.end(), [](char c) {
        return c > 0x20 && c < 0x7f && c != '\\' && c != '#' && c != '"' && c != '<' && c != '>';
    });
    if (!plain) return std::nullopt;
    WebhookUrl out;
    out.secure = url.starts_with("https://");
    if (!out.secure && !url.starts_with("http://")) return std::nullopt;
    const std::size_t begin = out.secure ? 8 : 7;
    const auto end = std::min(url.find_first_of("/?", begin), url.size());
    auto host = url.substr(begin, end - begin);
    if (const auto colon = host.rfind(':');
        colon != std::string_view::npos && !host.ends_with(']')) {
        if (!is_port(host.substr(colon + 1))) return std::nullopt;
        host = host.substr(0, colon);
    }
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
        if (host.find(':') == std::string_view::npos || host.find('%') != std::string_view::npos ||
            !IpAddress::parse(host)) {
            return std::nullopt;
        }
    } else if (!is_host(host)) {
        return std::nullopt;
    }
    out.host = host;
    out.origin = url.substr(0, end);
    out.target = url.substr(end);
    if (!out.target.starts_with('/')) out.target.insert(0, "/");
    return out;
}

Result<WebhookPolicy> WebhookPolicy::make(const std::vector<std::string>& allowed) {
    WebhookPolicy policy;
    for (const auto& text : allowed) {
        const auto network = IpNetwork::parse(text);
        if (!network) {
            return fail_parameter("alerts.webhook_networks", text,
                                  "a network such as 10.1.0.0/16, or an address",
                                  "a network for webhooks cannot be read");
        }
        policy.allowed_.push_back(*network);
    }
    return policy;
}

bool WebhookPolicy::is_listed(const IpAddress& address) const {
    return std::any_of(allowed_.begin(), allowed_.end(),
                       [&](const IpNetwork& network) { return network.contains(address); });
}

bool WebhookPolicy::allows(const IpAddress& address) const {
    if (is_listed(address)) return true;
    if (const auto behind = translated(address)) return allows(*behind);
    return std::none_of(not_public().begin(), not_public().end(),
                        [&](const IpNetwork& network) { return network.contains(address); });
}

bool WebhookPolicy::allows(std::string_view address) const {
    const auto parsed = IpAddress::parse(address);
    return parsed && allows(*parsed);
}

Result<void> WebhookPolicy::check(std::string_view url) const {
    const auto wrong = [&](const char* expected) {
        return fail_parameter("notify", std::string(url.substr(0, 100)), expected,
                              "the webhook cannot be used");
    };
    const auto parts = split_url(url);
    if (!parts) return wrong("an https URL of at most 1024 characters");
    const auto address = literal(parts->host);
    if (address && !allows(*address)) return wrong("a public address");
    const bool listed = address && is_listed(*address);
    if (!parts->secure && !listed) return wrong("an https URL");
    const auto host = parts->host;
    if (host == "localhost" || host.ends_with(".localhost")) return wrong("a public host");
    return {};
}

Result<std::string> key_of_secret(std::string_view secret) {
    const auto wrong = [] {
        return fail_parameter("notifysecret", "", "whsec_ and the base64 of 24 to 64 bytes",
                              "the secret of the webhooks cannot be used");
    };
    if (!secret.starts_with(kSecretPrefix)) return wrong();
    secret.remove_prefix(kSecretPrefix.size());
    if (secret.empty() || secret.size() % 4 != 0 || secret.size() > 2 * kKeyBytesMax) {
        return wrong();
    }
    std::string key(secret.size() / 4 * 3, '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(key.data()),
                                     reinterpret_cast<const unsigned char*>(secret.data()),
                                     static_cast<int>(secret.size()));
    if (size < 0) return wrong();
    const auto padding = secret.ends_with("==") ? 2U : secret.ends_with('=') ? 1U : 0U;
    key.resize(static_cast<std::size_t>(size) - padding);
    if (key.size() < kKeyBytesMin || key.size() > kKeyBytesMax) return wrong();
    return key;
}

std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t time_s,
                              std::string_view body) {
    const auto text = fmt::format("{}.{}.{}", id, time_s, body);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
    std::string out(4 * ((size + 2) / 3), '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), digest.data(),
                    static_cast<int>(size));
    return "v1," + out;
}

}  // namespace playhead::notify
