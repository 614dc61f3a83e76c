#include "exports/sigv4.h"

#include <gtest/gtest.h>

namespace playhead::exports {
namespace {

TEST(Sigv4, HashOfNothing) {
    EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// Computed with an independent implementation (Python's hmac and hashlib) of the published scheme.
TEST(Sigv4, SignatureOfAPut) {
    const auto headers =
        sign_s3({"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1"}, "PUT",
                "127.0.0.1:9000", "/bucket/customerid%3D1/date%3D2026-11-25/part-00000.parquet",
                "PAR1", 1'440'938'160);
    ASSERT_EQ(headers.size(), 4U);
    EXPECT_EQ(headers[1].second, "20150830T123600Z");
    EXPECT_EQ(headers[3].second,
              "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request, "
              "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature="
              "d51fa0c18f87c740f5e4fcae000196f2b86675368e2c866abbb4e00a1e9659f8");
}

}  // namespace
}  // namespace playhead::exports
