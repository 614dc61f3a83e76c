// Fingerprints of error texts: the same fault with other numbers, ids, links and quoted names is
// one group; other words are another.
#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <vector>

#include "base/random.h"
#include "timeline/event_rows.h"

namespace playhead::timeline {
namespace {

constexpr std::size_t kBytesMax = 256;

std::string pick(Random& random, const std::vector<std::string>& from) {
    return from[random.next_u64() % from.size()];
}

std::string digits(Random& random, std::size_t most) {
    std::string out;
    const auto length = 1 + random.next_u64() % most;
    for (std::size_t i = 0; i < length; ++i) {
        out.push_back(static_cast<char>('0' + random.next_u64() % 10));
    }
    return out;
}

/// Hexadecimal with at least one digit and one letter.
std::string hex(Random& random, std::size_t length) {
    std::string out = "a1";
    while (out.size() < length) out.push_back("0123456789abcdef"[random.next_u64() % 16]);
    return out;
}

/// Something that varies between two reports of one fault; `kind` says of which sort.
std::string variable(Random& random, std::uint64_t kind) {
    switch (kind % 5) {
        case 0: return digits(random, 9);
        case 1: return hex(random, 6 + random.next_u64() % 20);
        case 2:
            return hex(random, 8) + "-" + hex(random, 4) + "-" + hex(random, 4) + "-" +
                   hex(random, 4) + "-" + hex(random, 12);
        case 3: return "https://host" + digits(random, 3) + ".test/p/" + hex(random, 9) + "?t=1";
        default: return "\"" + pick(random, {"Movie A", "x", "some file.ts", "7 of 9"}) + "\"";
    }
}

const std::vector<std::string> kWords{"manifest", "load",    "failed", "segment", "timeout", "key",
                                      "decode",   "network", "DRM",    "license", "refused", "at"};

TEST(Fingerprint, SameFaultWithOtherValuesIsOneGroup) {
    Random random(7, 1);
    for (int round = 0; round < 20'000; ++round) {
        std::string first, second;
        const auto parts = 1 + random.next_u64() % 6;
        for (std::uint64_t i = 0; i < parts; ++i) {
            const auto word = pick(random, kWords) + " ";
            const auto kind = random.next_u64();
            first += word + variable(random, kind) + " ";
            second += word + variable(random, kind) + " ";
        }
        ASSERT_EQ(error_fingerprint(first), error_fingerprint(second)) << first << "\n" << second;
    }
}

TEST(Fingerprint, OtherWordsAreAnotherGroup) {
    Random random(7, 2);
    for (int round = 0; round < 20'000; ++round) {
        const auto kind = random.next_u64();
        std::string words = pick(random, kWords), others = pick(random, kWords);
        if (words == others) continue;
        const auto tail = " " + variable(random, kind);
        ASSERT_NE(error_fingerprint(words + tail), error_fingerprint(others + tail));
    }
}

TEST(Fingerprint, IsBoundedAndItsOwnFingerprint) {
    const std::vector<std::string> pieces{
        "\"",   "'",        "a",  "0", "12", "http://", "://",   ":",   "-",    " ", "1a2b3", "#",
        "<id>", "\xc3\xa4", "\n", "{", "}",  ",",       "seg42", "abc", "\xff", "(", ")",     ";"};
    Random random(7, 3);
    for (int round = 0; round < 50'000; ++round) {
        std::string text;
        const auto parts = random.next_u64() % (round % 10 == 0 ? 600 : 40);
        for (std::uint64_t i = 0; i < parts; ++i) text += pick(random, pieces);
        const auto once = error_fingerprint(text);
        ASSERT_LE(once.size(), kBytesMax);
        ASSERT_EQ(error_fingerprint(once), once) << text;
    }
    EXPECT_LE(error_fingerprint(std::string(100'000, '"')).size(), kBytesMax);
}

TEST(Fingerprint, QuotedTextIsMaskedButNotTheNamesOfJsonMembers) {
    EXPECT_EQ(error_fingerprint("cannot open 'a b.ts' of \"show\"."), "cannot open '*' of \"*\".");
    EXPECT_EQ(error_fingerprint("can't open, won't play"), "can't open, won't play");
    EXPECT_EQ(error_fingerprint("{\"code\":\"E17\",\"at\":12}"), "{\"code\":\"*\",\"at\":#}");
}

}  // namespace
}  // namespace playhead::timeline
