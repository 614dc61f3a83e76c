#include "auth/authorization_codes.h"

#include <algorithm>

namespace playhead::auth {

namespace {

constexpr std::size_t kVerifierBytesMin = 43;
constexpr std::size_t kVerifierBytesMax = 128;
constexpr std::size_t kCodeBytes = 43;

bool unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

}  // namespace

void AuthorizationCodes::drop_old(std::int64_t now_ms) {
    while (!entries_.empty() &&
           (entries_.front().expires_ms <= now_ms || entries_.size() >= kAuthorizationCodesMax)) {
        by_key_.erase(entries_.front().key);
        entries_.pop_front();
    }
}

std::string AuthorizationCodes::issue(AuthorizedLogin login) {
    auto code = random_secret(entropy_);
    auto key = sha256_hex(code);
    const auto now_ms = clock_.now_ms();
    const std::lock_guard lock(mutex_);
    drop_old(now_ms);
    entries_.push_back({key, std::move(login), now_ms + kAuthorizationCodeTtlMs, false});
    by_key_.emplace(std::move(key), std::prev(entries_.end()));
    return code;
}

std::optional<AuthorizationCodes::Redemption> AuthorizationCodes::redeem(std::string_view code) {
    if (code.size() != kCodeBytes) return std::nullopt;
    const auto key = sha256_hex(code);
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end() || found->second->expires_ms <= clock_.now_ms()) return std::nullopt;
    Entry& entry = *found->second;
    Redemption redemption{entry.login, entry.used};
    entry.used = true;
    return redemption;
}

bool pkce_matches(std::string_view verifier, std::string_view challenge) {
    if (verifier.size() < kVerifierBytesMin || verifier.size() > kVerifierBytesMax) return false;
    if (!std::all_of(verifier.begin(), verifier.end(), unreserved)) return false;
    return equal_constant_time(base64url(sha256(verifier)), challenge);
}

}  // namespace playhead::auth
