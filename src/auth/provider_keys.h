/// The public keys of an external OpenID provider: discovery, then its JWKS, cached.
///
/// Keys are fetched at start, again when they are older than `refresh_ms`, and when a token names
/// one that is not known, but never more often than every `refetch_interval_ms`, so that made-up
/// key ids cannot be used to flood the provider. While it is down the last keys stay good for
/// `stale_max_ms`; after that nothing verifies, since a withdrawn key could not be told any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "auth/jws.h"
#include "base/clock.h"
#include "base/result.h"

namespace playhead::auth {

/// Keys of a document beyond this are not read.
inline constexpr std::size_t kProviderKeysMax = 64;
/// Larger answers of a provider are refused.
inline constexpr std::uint64_t kProviderDocumentBytesMax = 256 * 1024;

struct ProviderKeysOptions {
    std::string issuer;  ///< exactly as in the tokens' `iss`
    std::int64_t refetch_interval_ms = 5'000;
    std::int64_t refresh_ms = 10LL * 60 * 1000;
    std::int64_t stale_max_ms = 24LL * 3600 * 1000;
};

/// The body of a 200 at that URL, else an error. Blocks.
using FetchDocument = std::function<Result<std::string>(const std::string& url)>;

/// Fetches over https with the system's authorities, or those of `ca_file`; within 5 s.
FetchDocument fetch_over_http(std::string ca_file);

/// InvalidArgument when the URL is neither https nor http on a loopback address, or carries
/// credentials, a query or a fragment.
Result<void> check_provider_url(std::string_view url);

/// Thread safe. `find` blocks while it is the one that fetches; others do not wait for it.
class ProviderKeys {
public:
    ProviderKeys(FetchDocument fetch, const Clock& clock, ProviderKeysOptions options)
        : fetch_(std::move(fetch)), clock_(clock), options_(std::move(options)) {}

    /// The key of that id. Unauthenticated when the provider has none of that name, Unavailable
    /// when that cannot be told: it is down and there are no keys, or they are being fetched.
    Result<CheckKey> find(std::string_view kid);
    /// Fetches now, whatever the limits say. On an error the keys before stay.
    Result<void> refresh();
    /// Grows when the keys change; cached verdicts of an older one are void.
    std::uint64_t generation() const { return generation_.load(); }
    /// False when the last good answer is older than `stale_max_ms`, or there was none.
    bool usable() const;

private:
    using Keys = std::map<std::string, CheckKey, std::less<>>;
    struct State {
        Keys keys;
        std::int64_t fetched_ms = 0;
    };
    /// Fetches when the limits allow it and nobody else is at it. False when somebody else is.
    bool refresh_if_due();
    Result<void> refresh_locked();

    FetchDocument fetch_;
    const Clock& clock_;
    ProviderKeysOptions options_;
    std::mutex fetch_mutex_;
    std::int64_t next_fetch_ms_ = 0;  ///< guarded by `fetch_mutex_`
    std::atomic<std::uint64_t> generation_{0};
    std::atomic<std::shared_ptr<const State>> state_;
};

}  // namespace playhead::auth
