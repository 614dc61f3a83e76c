#include "auth/login_throttle.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "auth/secrets.h"

namespace playhead::auth {

namespace {

constexpr std::size_t kAddressBytesMax = 64;

/// A digest, so that a long account name costs no memory.
std::string account_key(std::string_view account, std::string_view prefix) {
    return sha256_hex(std::string(account) + '\n' + std::string(prefix));
}

}  // namespace

std::string address_prefix(std::string_view address) {
    std::string text(address.substr(0, kAddressBytesMax));
    std::array<std::uint8_t, 16> bytes{};
    if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
        return hex({bytes.data(), 3}) + "/24";
    }
    if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) {
        constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        if (std::equal(mapped.begin(), mapped.end(), bytes.begin())) {
            return hex({bytes.data() + mapped.size(), 3}) + "/24";
        }
        return hex({bytes.data(), 8}) + "/64";
    }
    return text;
}

LoginThrottle::Entry& LoginThrottle::entry(const std::string& key, std::int64_t now_ms) {
    const auto found = entries_.find(key);
    if (found != entries_.end()) {
        Entry& known = found->second;
        if (now_ms - known.last_ms > options_.forget_after_ms) {
            known.failures = 0;
            known.blocked_until_ms = 0;
        }
        ages_.splice(ages_.begin(), ages_, known.age);
        return known;
    }
    if (entries_.size() >= kThrottleEntriesMax) {
        entries_.erase(ages_.back());
        ages_.pop_back();
    }
    ages_.push_front(key);
    Entry& made = entries_[key];
    made.age = ages_.begin();
    return made;
}

void LoginThrottle::count(Entry& entry, int free_failures, std::int64_t now_ms) const {
    ++entry.failures;
    entry.last_ms = now_ms;
    const int over = entry.failures - free_failures;
    if (over < 0) return;
    const int doublings = std::min(over, 30);
    const std::int64_t delay_ms =
        std::min(options_.first_delay_ms << doublings, options_.delay_max_ms);
    entry.blocked_until_ms = now_ms + delay_ms;
}

std::optional<std::int64_t> LoginThrottle::admit(std::string_view account,
                                                 std::string_view address) {
    const auto now_ms = clock_.now_ms();
    const auto prefix = address_prefix(address);
    const auto key = account_key(account, prefix);
    const std::lock_guard lock(mutex_);
    Entry& network = entry(prefix, now_ms);
    Entry& one = entry(key, now_ms);
    const auto until_ms = std::max(network.blocked_until_ms, one.blocked_until_ms);
    if (until_ms > now_ms) return (until_ms - now_ms + 999) / 1000;
    count(network, options_.free_failures_per_address, now_ms);
    count(one, options_.free_failures_per_account, now_ms);
    return std::nullopt;
}

void LoginThrottle::succeeded(std::string_view account, std::string_view address) {
    const auto prefix = address_prefix(address);
    const auto key = account_key(account, prefix);
    const std::lock_guard lock(mutex_);
    if (const auto found = entries_.find(key); found != entries_.end()) {
        ages_.erase(found->second.age);
        entries_.erase(found);
    }
    if (const auto found = entries_.find(prefix); found != entries_.end()) {
        // One right password takes back its own count only: it must not pay for other guesses.
        Entry& network = found->second;
        network.failures = std::max(0, network.failures - 1);
        if (network.failures < options_.free_failures_per_address) network.blocked_until_ms = 0;
    }
}

std::size_t LoginThrottle::size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

}  // namespace playhead::auth
