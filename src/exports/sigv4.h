/// AWS Signature Version 4 for S3 requests, with the whole payload signed. Pure; thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace playhead::exports {

struct S3Credentials {
    std::string access_key;
    std::string secret_key;
    std::string region;
};

std::string sha256_hex(std::string_view bytes);

/// The headers to send: Host, x-amz-date, x-amz-content-sha256 and Authorization. `path` is the
/// absolute path, made of characters that need no escape but '='; there is no query string.
std::vector<std::pair<std::string, std::string>> sign_s3(const S3Credentials& credentials,
                                                         std::string_view method,
                                                         std::string_view host,
                                                         std::string_view path,
                                                         std::string_view body, std::int64_t now_s);

/// The path with what S3 wants escaped.
std::string s3_path(std::string_view bucket, std::string_view key);

}  // namespace playhead::exports
