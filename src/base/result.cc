#include "base/result.h"

namespace playhead {

namespace {

struct CodeFacts {
    int status;
    const char* name;
};

CodeFacts facts(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::InvalidArgument: return {400, "invalid-argument"};
        case ErrorCode::Unauthenticated: return {401, "unauthenticated"};
        case ErrorCode::PermissionDenied: return {403, "permission-denied"};
        case ErrorCode::NotFound: return {404, "not-found"};
        case ErrorCode::MethodNotAllowed: return {405, "method-not-allowed"};
        case ErrorCode::RequestTimeout: return {408, "request-timeout"};
        case ErrorCode::Conflict: return {409, "conflict"};
        case ErrorCode::PayloadTooLarge: return {413, "payload-too-large"};
        case ErrorCode::UnsupportedMediaType: return {415, "unsupported-media-type"};
        case ErrorCode::Unprocessable: return {422, "unprocessable"};
        case ErrorCode::TooManyRequests: return {429, "too-many-requests"};
        case ErrorCode::HeadersTooLarge: return {431, "headers-too-large"};
        case ErrorCode::Cancelled: return {499, "cancelled"};
        case ErrorCode::Internal: return {500, "internal"};
        case ErrorCode::Unavailable: return {503, "unavailable"};
        case ErrorCode::Timeout: return {504, "timeout"};
    }
    return {500, "internal"};
}

}  // namespace

int http_status(ErrorCode code) noexcept {
    return facts(code).status;
}

const char* error_name(ErrorCode code) noexcept {
    return facts(code).name;
}

}  // namespace playhead
