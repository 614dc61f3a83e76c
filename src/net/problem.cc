#include "net/problem.h"

#include "base/json_writer.h"

namespace playhead::net {

namespace {

// A value echoed back is for recognizing it, not for storing it.
constexpr std::size_t kEchoedBytesMax = 256;

}  // namespace

Response problem_response(const Error& error) {
    const int status = http_status(error.code);
    std::string body;
    JsonWriter json(body);
    json.begin_object();
    json.member("type", "/problems/" + std::string(error_name(error.code)));
    json.member("title", status_phrase(status));
    json.member("status", status);
    if (!error.message.empty()) json.member("detail", error.message);
    if (!error.parameter.empty()) {
        json.member("parameter", error.parameter);
        json.member("value", std::string_view(error.value).substr(0, kEchoedBytesMax));
    }
    if (!error.expected.empty()) json.member("expected", error.expected);
    json.end_object();
    Response response(status, "application/problem+json", std::move(body));
    if (error.code == ErrorCode::Unauthenticated) response.add("WWW-Authenticate", "Bearer");
    if (error.code == ErrorCode::Unavailable) response.add("Retry-After", "1");
    return response;
}

}  // namespace playhead::net
