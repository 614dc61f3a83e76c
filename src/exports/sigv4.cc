#include "exports/sigv4.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace playhead::exports {

namespace {

constexpr std::size_t kDigestBytes = 32;

std::string hex(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
    }
    return out;
}

std::string hmac(std::string_view key, std::string_view text) {
    std::array<unsigned char, kDigestBytes> digest{};
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
    return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
    std::array<unsigned char, kDigestBytes> digest{};
    unsigned size = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
    return hex({reinterpret_cast<const char*>(digest.data()), size});
}

std::string s3_path(std::string_view bucket, std::string_view key) {
    std::string path = fmt::format("/{}/", bucket);
    for (const char c : key) path += c == '=' ? std::string("%3D") : std::string(1, c);
    return path;
}

std::vector<std::pair<std::string, std::string>> sign_s3(
    const S3Credentials& credentials, std::string_view method, std::string_view host,
    std::string_view path, std::string_view body, std::int64_t now_s) {
    const auto time = fmt::gmtime(static_cast<std::time_t>(now_s));
    const std::string stamp = fmt::format("{:%Y%m%dT%H%M%SZ}", time);
    const std::string day = stamp.substr(0, 8);
    const std::string payload = sha256_hex(body);
    constexpr std::string_view kSigned = "host;x-amz-content-sha256;x-amz-date";
    const std::string canonical =
        fmt::format("{}\n{}\n\nhost:{}\nx-amz-content-sha256:{}\nx-amz-date:{}\n\n{}\n{}", method,
                    path, host, payload, stamp, kSigned, payload);
    const std::string scope = fmt::format("{}/{}/s3/aws4_request", day, credentials.region);
    const std::string to_sign =
        fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", stamp, scope, sha256_hex(canonical));
    auto key = hmac("AWS4" + credentials.secret_key, day);
    for (const std::string_view part : {std::string_view(credentials.region),
                                        std::string_view("s3"), std::string_view("aws4_request")}) {
        key = hmac(key, part);
    }
    return {{"Host", std::string(host)},
            {"x-amz-date", stamp},
            {"x-amz-content-sha256", payload},
            {"Authorization",
             fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                         credentials.access_key, scope, kSigned, hex(hmac(key, to_sign)))}};
}

}  // namespace playhead::exports
