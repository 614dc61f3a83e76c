#include "http/content_coding.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

namespace playhead::http {
namespace {

std::string zlib_pack(const std::string& text) {
    uLongf size = compressBound(text.size());
    std::string out(size, '\0');
    compress(reinterpret_cast<Bytef*>(out.data()), &size,
             reinterpret_cast<const Bytef*>(text.data()), text.size());
    out.resize(size);
    return out;
}

TEST(ContentCoding, ReadsDeflateWithAndWithoutItsWrapper) {
    const auto wrapped = zlib_pack("hello, hello, hello");
    EXPECT_EQ(decode_content("deflate", wrapped, 100).value(), "hello, hello, hello");
    const auto bare = wrapped.substr(2, wrapped.size() - 6);
    EXPECT_EQ(decode_content("Deflate", bare, 100).value(), "hello, hello, hello");
}

TEST(ContentCoding, ReadsConcatenatedMembers) {
    const auto gzip = encode_content(Coding::Gzip, "one ") + encode_content(Coding::Gzip, "two");
    EXPECT_EQ(decode_content("x-gzip", gzip, 100).value(), "one two");
    const auto zstd = encode_content(Coding::Zstd, "one ") + encode_content(Coding::Zstd, "two");
    EXPECT_EQ(decode_content("zstd", zstd, 100).value(), "one two");
}

TEST(ContentCoding, RefusesEveryTruncation) {
    for (const auto coding : {Coding::Gzip, Coding::Zstd}) {
        const auto packed = encode_content(coding, "some text, some text, some more text");
        const auto* name = coding == Coding::Gzip ? "gzip" : "zstd";
        for (std::size_t size = 1; size < packed.size(); ++size) {
            const auto decoded = decode_content(name, packed.substr(0, size), 1000);
            ASSERT_FALSE(decoded) << name << " " << size;
            EXPECT_EQ(decoded.error().code, ErrorCode::InvalidArgument);
        }
    }
}

TEST(ContentCoding, StopsAtTheRatioBelowTheLimit) {
    const std::string zeros(50 * 1024 * 1024, '\0');
    const auto decoded =
        decode_content("gzip", encode_content(Coding::Gzip, zeros), 1024 * 1024 * 1024);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code, ErrorCode::PayloadTooLarge);
}

TEST(ContentCoding, ReadsWeightsOfAcceptEncoding) {
    EXPECT_TRUE(accepts_coding("br, GZIP;q=0.1", Coding::Gzip));
    EXPECT_FALSE(accepts_coding("gzip;q=0", Coding::Gzip));
    EXPECT_FALSE(accepts_coding("gzip; q=0.000", Coding::Gzip));
    EXPECT_TRUE(accepts_coding("*", Coding::Zstd));
    EXPECT_FALSE(accepts_coding("gzip;q=0, *", Coding::Gzip));
    EXPECT_FALSE(accepts_coding("gzipped, identity", Coding::Gzip));
    EXPECT_EQ(preferred_coding(""), Coding::Identity);
    EXPECT_EQ(preferred_coding("gzip, br, zstd"), Coding::Zstd);
    EXPECT_EQ(preferred_coding("gzip, br"), Coding::Brotli);
    EXPECT_EQ(preferred_coding("gzip;q=1.0, br;q=0.9, zstd;q=0.899"), Coding::Gzip);
    EXPECT_EQ(preferred_coding("identity, gzip;q=0.5"), Coding::Identity);
    EXPECT_EQ(preferred_coding("zstd;q=0, *;q=0.1"), Coding::Brotli);
    EXPECT_EQ(preferred_coding("gzip;q=abc"), Coding::Identity);
}

TEST(StreamEncoder, ManyChunksBecomeOneBody) {
    std::string whole;
    for (const Coding coding : {Coding::Gzip, Coding::Zstd}) {
        whole.clear();
        std::string encoded;
        const auto encoder = StreamEncoder::make(coding);
        for (int line = 0; line < 20'000; ++line) {
            const std::string chunk = "line " + std::to_string(line * 7919) + "\r\n";
            whole += chunk;
            ASSERT_TRUE(encoder->add(chunk, encoded));
        }
        ASSERT_TRUE(encoder->finish(encoded));
        EXPECT_LT(encoded.size(), whole.size() / 2);
        EXPECT_EQ(decode_content(coding_name(coding), encoded, 1U << 30U).value(), whole);
    }
    EXPECT_EQ(StreamEncoder::make(Coding::Identity), nullptr);
}

RC_GTEST_PROP(ContentCoding, ReadsBackWhatItWrote, (const std::string& text, bool gzip)) {
    const auto packed = encode_content(gzip ? Coding::Gzip : Coding::Zstd, text);
    const auto decoded = decode_content(gzip ? "gzip" : "zstd", packed, 1 << 20);
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(*decoded == text);
}

RC_GTEST_PROP(ContentCoding, SurvivesAnyBytes, (const std::string& bytes, int which)) {
    const std::vector<std::string> names{"gzip", "deflate", "zstd"};
    const auto& name = names[static_cast<std::size_t>(which & 0xFF) % names.size()];
    const auto decoded = decode_content(name, bytes, 1 << 20);
    RC_ASSERT(decoded.has_value() || !decoded.error().message.empty());
}

}  // namespace
}  // namespace playhead::http
