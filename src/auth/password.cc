#include "auth/password.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/check.h"

namespace playhead::auth {

namespace {

using Slots = std::counting_semaphore<kConcurrentHashesMax>;

struct SlotRelease {
    Slots* slots;
    ~SlotRelease() { slots->release(); }
};

tl::unexpected<Error> too_many_logins() {
    return fail(ErrorCode::Unavailable, "Too many logins at once; try again in a moment.");
}

}  // namespace

PasswordHasher::PasswordHasher(const PasswordOptions& options)
    : options_(options),
      slots_(std::clamp<std::ptrdiff_t>(options.concurrent_max, 1, kConcurrentHashesMax)) {
    PH_CHECK(sodium_init() >= 0);
    auto dummy = compute("no such user");
    PH_CHECK(dummy.has_value());
    dummy_ = std::move(*dummy);
}

Result<std::string> PasswordHasher::compute(std::string_view password) {
    if (!slots_.try_acquire_for(std::chrono::milliseconds(options_.wait_ms))) {
        return too_many_logins();
    }
    const SlotRelease release{&slots_};
    std::array<char, crypto_pwhash_STRBYTES> text{};
    if (crypto_pwhash_str_alg(text.data(), password.data(), password.size(), options_.passes,
                              options_.memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return fail(ErrorCode::Unavailable, "There is not enough memory to hash a password.");
    }
    return std::string(text.data());
}

Result<std::string> PasswordHasher::hash(std::string_view password) {
    if (password.size() < kPasswordBytesMin || password.size() > kPasswordBytesMax) {
        // The value is a secret, so it is not repeated in the error.
        return fail_parameter("password", "",
                              fmt::format("{} to {} bytes", kPasswordBytesMin, kPasswordBytesMax),
                              "The password is too short or too long.");
    }
    return compute(password);
}

Result<bool> PasswordHasher::verify(std::string_view password, std::string_view stored) {
    if (password.size() > kPasswordBytesMax) return false;
    const bool known = !stored.empty() && stored.size() < crypto_pwhash_STRBYTES;
    const std::string text(known ? stored : std::string_view(dummy_));
    if (!slots_.try_acquire_for(std::chrono::milliseconds(options_.wait_ms))) {
        return too_many_logins();
    }
    const SlotRelease release{&slots_};
    const bool equal =
        crypto_pwhash_str_verify(text.c_str(), password.data(), password.size()) == 0;
    return equal && known;
}

}  // namespace playhead::auth
