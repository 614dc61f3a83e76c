#include "auth/oauth_reply.h"

#include <algorithm>

#include "auth/json_text.h"
#include "base/log.h"

namespace playhead::auth {

namespace {

constexpr std::size_t kFormPairsMax = 32;

}  // namespace

TokenReply oauth_error(int status, std::string_view error, std::string_view description) {
    TokenReply reply;
    reply.status = status;
    reply.body = JsonObject().text("error", error).text("error_description", description).done();
    return reply;
}

TokenReply invalid_grant(std::string_view description) {
    return oauth_error(400, "invalid_grant", description);
}

TokenReply unknown_client() {
    return oauth_error(401, "invalid_client", "Invalid client or Invalid client credentials");
}

TokenReply missing_parameter(std::string_view name) {
    return oauth_error(400, "invalid_request", "Missing parameter: " + std::string(name));
}

TokenReply of_error(const Error& error) {
    if (error.code == ErrorCode::Unavailable) {
        auto reply = oauth_error(503, "temporarily_unavailable", error.message);
        reply.retry_after_s = 1;
        return reply;
    }
    log::error("token endpoint: {}", error.message);
    return oauth_error(500, "server_error", "The token could not be made.");
}

std::string_view field(const FormPairs& form, std::string_view name) {
    for (const auto& [key, value] : form) {
        if (key == name) return value;
    }
    return {};
}

bool well_formed(const FormPairs& form) {
    if (form.size() > kFormPairsMax) return false;
    for (auto one = form.begin(); one != form.end(); ++one) {
        const auto same = [&](const auto& other) { return other.first == one->first; };
        if (std::any_of(std::next(one), form.end(), same)) return false;
    }
    return true;
}

TokenReply malformed_form() {
    return oauth_error(400, "invalid_request", "A parameter is sent twice, or there are too many.");
}

std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
        } else {
            const auto byte = static_cast<std::uint8_t>(c);
            out += '%' + hex({&byte, 1});
        }
    }
    return out;
}

}  // namespace playhead::auth
