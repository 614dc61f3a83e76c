/// Slows down guessing: exponential back-off per account and address, and per address alone.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace playhead::auth {

/// Accounts and addresses remembered at once; the longest unused go first.
inline constexpr std::size_t kThrottleEntriesMax = 50'000;

struct ThrottleOptions {
    int free_failures_per_account = 5;   ///< attempts before the first delay
    int free_failures_per_address = 50;  ///< the same over all accounts of one address
    std::int64_t first_delay_ms = 1000;  ///< doubled with every further failure
    std::int64_t delay_max_ms = 15 * 60 * 1000;
    std::int64_t forget_after_ms = 60 * 60 * 1000;  ///< without any attempt
};

/// The network an address belongs to: /24 of IPv4 (also when mapped into IPv6), /64 of IPv6. What
/// is no address is taken as it is, cut to 64 bytes.
std::string address_prefix(std::string_view address);

/// Thread safe. An attempt counts as failed until `succeeded` says otherwise, so that many guesses
/// sent at once do not slip through.
class LoginThrottle {
public:
    LoginThrottle(const Clock& clock, const ThrottleOptions& options = {})
        : clock_(clock), options_(options) {}
    /// Nothing when the attempt may go on, else the seconds (>= 1) to wait; then no password is
    /// to be looked at.
    std::optional<std::int64_t> admit(std::string_view account, std::string_view address);
    /// The attempt admitted last for this account and address gave the right password.
    void succeeded(std::string_view account, std::string_view address);
    std::size_t size() const;

private:
    struct Entry {
        int failures = 0;
        std::int64_t last_ms = 0;
        std::int64_t blocked_until_ms = 0;
        std::list<std::string>::iterator age;
    };
    Entry& entry(const std::string& key, std::int64_t now_ms);
    void count(Entry& entry, int free_failures, std::int64_t now_ms) const;

    const Clock& clock_;
    ThrottleOptions options_;
    mutable std::mutex mutex_;
    std::list<std::string> ages_;  ///< newest first
    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace playhead::auth
