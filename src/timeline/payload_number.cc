#include "timeline/payload_number.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

namespace playhead::timeline {
namespace {

constexpr std::size_t kDigestBytes = 16;
using Digest = std::array<unsigned char, kDigestBytes>;

/// How far a number may lie from the highest so far: records overtake each other, and many in a
/// row may be lost.
constexpr std::int64_t kBehindMax = 32;
constexpr std::int64_t kAheadMin = 32;
constexpr std::int64_t kAheadPerMiss = 8;
constexpr std::int64_t kAheadMax = 1024;
/// A session with so many records without a number, and none with one, numbers nothing.
constexpr std::int64_t kMissesMax = 6;

/// The digests that ids are made of. One per thread.
class Md5 {
public:
    bool digest(std::string_view text, Digest& out) {
        unsigned size = 0;
        return kind_ && context_ && EVP_DigestInit_ex2(context_.get(), kind_.get(), nullptr) == 1 &&
               EVP_DigestUpdate(context_.get(), text.data(), text.size()) == 1 &&
               EVP_DigestFinal_ex(context_.get(), out.data(), &size) == 1 && size == kDigestBytes;
    }

private:
    struct Free {
        void operator()(EVP_MD* kind) const noexcept { EVP_MD_free(kind); }
        void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
    };
    std::unique_ptr<EVP_MD, Free> kind_{EVP_MD_fetch(nullptr, "MD5", nullptr)};
    std::unique_ptr<EVP_MD_CTX, Free> context_{EVP_MD_CTX_new()};
};

int nibble(char letter) noexcept {
    if (letter >= '0' && letter <= '9') return letter - '0';
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/// The digest behind an id: its four quarters are sent as second, fourth, first, third.
std::optional<Digest> digest_in(std::string_view id) noexcept {
    constexpr std::size_t kQuarter = 4;
    constexpr std::array<std::size_t, 4> kPlace{1, 3, 0, 2};
    if (id.size() != 2 * kDigestBytes) return std::nullopt;
    Digest out{};
    for (std::size_t at = 0; at < kDigestBytes; ++at) {
        const int high = nibble(id[2 * at]), low = nibble(id[2 * at + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out[kPlace[at / kQuarter] * kQuarter + at % kQuarter] =
            static_cast<unsigned char>(high * 16 + low);
    }
    return out;
}

}  // namespace

std::optional<std::int64_t> payload_number(const Session& session, const model::Event& event) {
    if (event.protocol != model::Protocol::SmartSight) return std::nullopt;
    const auto stream =
        std::find_if(session.streams.begin(), session.streams.end(),
                     [](const Stream& each) { return each.target == kPayloadTarget; });
    std::int64_t known = 0, newest = -1;
    if (stream != session.streams.end() && !stream->numbers.intervals.empty()) {
        for (const auto& [first, last] : stream->numbers.intervals) known += last - first + 1;
        newest = stream->numbers.intervals.back().second;
    }
    // The record itself has been noted as seen already.
    const auto misses =
        std::max<std::int64_t>(0, static_cast<std::int64_t>(session.seen.size()) - 1 - known);
    if (known == 0 && misses >= kMissesMax) return std::nullopt;
    const auto sent = digest_in(event.payload_id);
    if (!sent) return std::nullopt;

    thread_local Md5 md5;
    thread_local fmt::memory_buffer text;
    text.clear();
    fmt::format_to(std::back_inserter(text), "{}{}{}", event.customer_id, event.session_id,
                   event.client_ms);
    const std::size_t stem = text.size();
    Digest made{};
    const auto matches = [&] {
        return md5.digest({text.data(), text.size()}, made) && made == *sent;
    };
    const auto is = [&](std::int64_t number) {
        text.resize(stem);
        fmt::format_to(std::back_inserter(text), "{}", number);
        return matches();
    };
    if (is(newest + 1)) return newest + 1;
    // One generation of the SDK leaves the counter out.
    text.resize(stem);
    if (matches()) return std::nullopt;
    const auto ahead = std::min(kAheadMax, kAheadMin + kAheadPerMiss * misses);
    for (std::int64_t number = newest + 2; number <= newest + ahead; ++number) {
        if (is(number)) return number;
    }
    for (auto number = newest; number >= std::max<std::int64_t>(0, newest - kBehindMax); --number) {
        if (is(number)) return number;
    }
    return std::nullopt;
}

std::int64_t missing_of(const Stream& stream) noexcept {
    const auto inside = stream.numbers.missing();
    if (stream.target != kPayloadTarget || stream.numbers.intervals.empty()) return inside;
    return inside + stream.numbers.intervals.front().first;
}

}  // namespace playhead::timeline
