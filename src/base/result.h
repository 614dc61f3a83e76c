/// Errors are values. `Result<T>` is a T or an `Error`; exceptions do not cross module borders.
/// Plain values: safe to copy and move between threads.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace playhead {

/// What went wrong, by who can mend it. Codes below `Internal` are the caller's to mend (HTTP 4xx).
/// `http_status` in `base/result.cc` is the one table that maps them; a test holds it exhaustive.
enum class ErrorCode : int {
    InvalidArgument,       ///< 400 a parameter or body is wrong
    Unauthenticated,       ///< 401 no token, or a token that is not valid
    PermissionDenied,      ///< 403 not your customer, plan or scope
    NotFound,              ///< 404
    MethodNotAllowed,      ///< 405
    RequestTimeout,        ///< 408 the sender was too slow
    Conflict,              ///< 409 exists already
    PayloadTooLarge,       ///< 413
    UnsupportedMediaType,  ///< 415
    Unprocessable,         ///< 422 well-formed, but the combination is impossible
    TooManyRequests,       ///< 429
    HeadersTooLarge,       ///< 431
    Cancelled,             ///< 499 the client went away or asked to stop
    Internal,              ///< 500 our own mistake
    Unavailable,           ///< 503 not ready, queue full, disk full
    Timeout,               ///< 504 our own limit passed
};

struct Error {
    ErrorCode code = ErrorCode::Internal;
    std::string message;    ///< one sentence for a person
    std::string parameter;  ///< the input at fault, by name; empty when there is none
    std::string value;      ///< what was given
    std::string expected;   ///< what would have been right
};

template <class T>
using Result = tl::expected<T, Error>;

/// HTTP status of a code, e.g. 400.
int http_status(ErrorCode code) noexcept;

/// The code's name as used in logs and problem documents, e.g. "invalid-argument".
const char* error_name(ErrorCode code) noexcept;

/// Makes the failed side of a Result.
inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
    return tl::unexpected<Error>(Error{code, std::move(message), {}, {}, {}});
}

inline tl::unexpected<Error> fail(Error error) {
    return tl::unexpected<Error>(std::move(error));
}

/// A 400 that names the parameter, what was given and what was expected.
inline tl::unexpected<Error> fail_parameter(std::string parameter, std::string value,
                                            std::string expected, std::string message) {
    return tl::unexpected<Error>(Error{ErrorCode::InvalidArgument, std::move(message),
                                       std::move(parameter), std::move(value),
                                       std::move(expected)});
}

}  // namespace playhead
