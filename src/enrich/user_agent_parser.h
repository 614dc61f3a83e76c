/// What a User-Agent header says, cached.
#pragma once

#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "enrich/lru_cache.h"
#include "enrich/user_agent_rules.h"

namespace playhead::enrich {

/// Empty fields are unknown.
struct UserAgent {
    std::string text;  ///< as sent, but clean UTF-8 of at most kStoredBytesMax bytes
    std::string browser;
    std::string browser_version;
    std::string os;
    std::string os_version;
    std::string_view device;  ///< category, see device_category.h
    std::string brand;
    std::string model;
    static constexpr std::size_t kStoredBytesMax = 512;
};

/// Thread safe.
class UserAgentParser {
public:
    static constexpr std::size_t kCacheEntriesMax = 65'536;

    /// Begins to load the rules on a thread of its own and returns at once, so that start-up does
    /// not wait; the first `find` does. Without a path, or when loading fails (logged), only `text`
    /// and `device` are filled.
    explicit UserAgentParser(std::string rules_path, unsigned threads = 2,
                             std::uint64_t cache_seed = 0);

    /// Never null. Cached about 0.1 us, uncached tens of microseconds.
    std::shared_ptr<const UserAgent> find(std::string_view user_agent) const;
    /// The same, past the cache.
    UserAgent find_uncached(std::string_view user_agent) const;

    /// Waits for the rules; why they could not be loaded, NotFound without a path.
    Result<void> wait_until_loaded() const;

private:
    using Loaded = std::shared_ptr<const Result<std::unique_ptr<UserAgentRules>>>;
    std::shared_future<Loaded> rules_;
    mutable LruCache<UserAgent> cache_;
};

}  // namespace playhead::enrich
