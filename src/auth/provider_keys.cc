#include "auth/provider_keys.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "net/http_client.h"

namespace playhead::auth {

namespace {

constexpr std::int64_t kFetchTimeoutMs = 5'000;
constexpr std::size_t kUrlBytesMax = 2048;
constexpr std::size_t kKidBytesMax = 128;

struct UrlParts {
    std::string_view origin;
    std::string_view host;
    std::string_view target;
};

std::optional<UrlParts> split(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return std::nullopt;
    const auto begin = scheme + 3;
    const auto end = std::min(url.find('/', begin), url.size());
    auto host = url.substr(begin, end - begin);
    const auto bracket = host.find(']');
    const auto colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (colon != std::string_view::npos) host = host.substr(0, colon);
    if (host.empty()) return std::nullopt;
    return UrlParts{url.substr(0, end), host, url.substr(end)};
}

bool is_loopback(std::string_view host) {
    return host == "127.0.0.1" || host == "[::1]" || host == "localhost";
}

tl::unexpected<Error> bad_document(std::string_view what) {
    return fail(ErrorCode::Unavailable,
                fmt::format("the identity provider's answer cannot be used: {}", what));
}

std::string_view text_of(const simdjson::dom::element& object, const char* name) {
    std::string_view text;
    return object[name].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

/// The key of a JWK that may check signatures: an RSA key for RS256 or one on P-256 for ES256,
/// stated to be for that algorithm or for none. Nothing for others, also short or broken ones.
std::optional<CheckKey> key_of(const simdjson::dom::element& jwk) {
    const auto absent_or = [&](const char* name, std::string_view wanted) {
        simdjson::dom::element member;
        return jwk[name].get(member) != simdjson::SUCCESS || text_of(jwk, name) == wanted;
    };
    if (!absent_or("use", "sig")) return std::nullopt;
    if (text_of(jwk, "kty") == "RSA" && absent_or("alg", "RS256")) {
        const auto key = RsaKey::from_public(text_of(jwk, "n"), text_of(jwk, "e"));
        return key ? std::optional(CheckKey::rs256(*key)) : std::nullopt;
    }
    if (text_of(jwk, "kty") == "EC" && text_of(jwk, "crv") == "P-256" &&
        absent_or("alg", "ES256")) {
        auto key = CheckKey::es256(text_of(jwk, "x"), text_of(jwk, "y"));
        return key ? std::optional(std::move(*key)) : std::nullopt;
    }
    return std::nullopt;
}

}  // namespace

Result<void> check_provider_url(std::string_view url) {
    const auto wrong = [&](const char* why) {
        return fail_parameter("auth.issuer", std::string(url.substr(0, 200)),
                              "an https URL, or http on a loopback address",
                              fmt::format("the provider's URL cannot be used: {}", why));
    };
    const bool plain = std::all_of(url.begin(), url.end(), [](char c) {
        return c > 0x20 && c < 0x7f && c != '\\' && c != '?' && c != '#' && c != '@';
    });
    if (url.size() > kUrlBytesMax || !plain) return wrong("odd characters or too long");
    const auto parts = split(url);
    if (!parts) return wrong("it is no URL");
    if (url.starts_with("https://")) return {};
    if (url.starts_with("http://") && is_loopback(parts->host)) return {};
    return wrong("it must be https");
}

FetchDocument fetch_over_http(std::string ca_file) {
    return [ca_file = std::move(ca_file)](const std::string& url) -> Result<std::string> {
        if (auto good = check_provider_url(url); !good) return fail(good.error());
        const auto parts = split(url);
        net::HttpClientOptions options;
        options.timeout_ms = kFetchTimeoutMs;
        options.response_bytes_max = kProviderDocumentBytesMax;
        options.ca_file = ca_file;
        net::HttpClient client(parts->origin, options);
        auto response = client.get(parts->target.empty() ? "/" : parts->target);
        if (!response) return fail(response.error());
        if (response->status != 200) {
            return bad_document(fmt::format("status {} at {}", response->status, url));
        }
        return std::move(response->body);
    };
}

bool ProviderKeys::usable() const {
    const auto state = state_.load();
    return state && clock_.now_ms() - state->fetched_ms <= options_.stale_max_ms;
}

Result<void> ProviderKeys::refresh() {
    const std::lock_guard lock(fetch_mutex_);
    return refresh_locked();
}

Result<void> ProviderKeys::refresh_locked() {
    std::string base = options_.issuer;
    while (base.ends_with('/')) base.pop_back();
    const auto discovery = fetch_(base + "/.well-known/openid-configuration");
    // Counted from the end, so that a provider that hangs is not asked again at once.
    next_fetch_ms_ = clock_.now_ms() + options_.refetch_interval_ms;
    if (!discovery) return fail(discovery.error());
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    if (parser.parse(*discovery).get(document) != simdjson::SUCCESS) {
        return bad_document("the discovery document is no JSON");
    }
    if (text_of(document, "issuer") != options_.issuer) {
        return bad_document("the discovery document names another issuer");
    }
    const std::string jwks_uri(text_of(document, "jwks_uri"));
    if (auto good = check_provider_url(jwks_uri); !good) {
        return bad_document("its jwks_uri is neither https nor on a loopback address");
    }
    const auto jwks = fetch_(jwks_uri);
    next_fetch_ms_ = clock_.now_ms() + options_.refetch_interval_ms;
    if (!jwks) return fail(jwks.error());
    simdjson::dom::array list;
    if (parser.parse(*jwks).get(document) != simdjson::SUCCESS ||
        document["keys"].get(list) != simdjson::SUCCESS) {
        return bad_document("the key set is no JSON object with keys");
    }
    auto next = std::make_shared<State>();
    for (const auto jwk : list) {
        const std::string kid(text_of(jwk, "kid"));
        if (kid.empty() || kid.size() > kKidBytesMax) continue;
        auto key = key_of(jwk);
        if (!key) continue;
        if (next->keys.size() >= kProviderKeysMax) return bad_document("too many keys");
        if (!next->keys.emplace(kid, std::move(*key)).second) {
            return bad_document("two keys of one name");
        }
    }
    if (next->keys.empty())
        return bad_document("it has no RS256 key of 2048 bits or more and no ES256 key");
    next->fetched_ms = clock_.now_ms();
    const auto before = state_.load();
    const bool same =
        before && std::equal(before->keys.begin(), before->keys.end(), next->keys.begin(),
                             next->keys.end(), [](const auto& a, const auto& b) {
                                 return a.first == b.first &&
                                        a.second.thumbprint() == b.second.thumbprint();
                             });
    state_.store(std::move(next));
    if (!same) ++generation_;
    return {};
}

bool ProviderKeys::refresh_if_due() {
    const std::unique_lock lock(fetch_mutex_, std::try_to_lock);
    if (!lock) return false;
    if (clock_.now_ms() < next_fetch_ms_) return true;
    if (auto done = refresh_locked(); !done)
        log::warn("identity provider: {}", done.error().message);
    return true;
}

Result<CheckKey> ProviderKeys::find(std::string_view kid) {
    auto state = state_.load();
    const auto known = [&] { return state && state->keys.contains(kid); };
    bool settled = true;
    if (!known() || clock_.now_ms() - state->fetched_ms > options_.refresh_ms) {
        settled = refresh_if_due();
        state = state_.load();
    }
    if (!usable()) {
        return fail(ErrorCode::Unavailable, "The identity provider cannot be reached.");
    }
    if (const auto found = state->keys.find(kid); found != state->keys.end()) {
        return found->second;
    }
    if (!settled) {
        return fail(ErrorCode::Unavailable, "The identity provider's keys are being fetched.");
    }
    return fail(ErrorCode::Unauthenticated, "The token was signed with a key that is not known.");
}

}  // namespace playhead::auth
