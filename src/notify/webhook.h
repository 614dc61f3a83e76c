/// Where webhooks may go, and how they are signed. Pure; thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "enrich/address.h"

namespace playhead::notify {

inline constexpr std::size_t kUrlBytesMax = 1024;

struct WebhookUrl {
    std::string origin;  ///< scheme, host and port
    std::string host;    ///< without brackets
    std::string target;  ///< path and query
    bool secure = false;
};

/// Nothing for what is no plain http(s) URL: no user, no fragment, no odd characters.
std::optional<WebhookUrl> split_url(std::string_view url);

/// Tenants choose the URLs and this server sends, so what is not public is out of reach: loopback,
/// link-local (clouds keep their credentials there), private and reserved networks.
class WebhookPolicy {
public:
    /// `allowed` are networks that may be reached all the same, "10.1.0.0/16" or an address.
    /// InvalidArgument for what is none.
    static Result<WebhookPolicy> make(const std::vector<std::string>& allowed);

    /// InvalidArgument for a URL that cannot be used: https to any public host, http only to an
    /// address in an allowed network. A name is not looked up here: see `allows`.
    Result<void> check(std::string_view url) const;
    /// Whether an address may be connected to, whatever name led to it.
    bool allows(std::string_view address) const;

private:
    bool allows(const enrich::IpAddress& address) const;
    bool is_listed(const enrich::IpAddress& address) const;

    std::vector<enrich::IpNetwork> allowed_;
};

/// The key of a secret "whsec_<base64 of 24 to 64 bytes>"; InvalidArgument without the secret.
Result<std::string> key_of_secret(std::string_view secret);

/// The value of `webhook-signature`: "v1," and the base64 of HMAC-SHA256 over id, time and body.
std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t time_s,
                              std::string_view body);

}  // namespace playhead::notify
