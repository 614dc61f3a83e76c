#include "api/access.h"

#include <charconv>
#include <string>

#include "auth/token_verifier.h"

namespace playhead::api {

namespace {

std::optional<std::int64_t> parse_integer(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

Result<auth::Identity> Access::identify(const net::Request& request) const {
    if (const auto key = request.header("x-api-key"); !key.empty()) return api_keys_.verify(key);
    const auto header = request.header("authorization");
    if (header.empty()) {
        return fail(ErrorCode::Unauthenticated,
                    "no credential: send 'Authorization: Bearer <token>' or 'X-API-Key: <key>'");
    }
    const auto token = auth::bearer_token(header);
    if (!token) return fail(token.error());
    return tokens_.verify(*token);
}

Result<Caller> Access::admit(auth::Identity identity, const net::Request& request,
                             std::optional<std::int64_t> plan_level,
                             auth::Permission permission) const {
    const auto text = request.param("customerId");
    const auto customer = parse_integer(text);
    if (!customer || *customer <= 0) {
        return fail_parameter("customerId", std::string(text.substr(0, 64)), "a positive integer",
                              "the customer id in the path is not a number");
    }
    if (auto allowed = auth::authorize(identity, *customer, plan_level, permission); !allowed) {
        return fail(allowed.error());
    }
    const auto snapshot = tenants_.current();
    const auto* tenant = snapshot->find(*customer);
    if (tenant == nullptr || !tenant->enabled) {
        return fail(Error{ErrorCode::NotFound, "this customer is gone or disabled", "customerId",
                          std::to_string(*customer), "an enabled customer"});
    }
    // A key carries no plan; the tenant's own then decides.
    if (plan_level && !identity.plan_level && tenant->plan_level != *plan_level) {
        return fail(Error{ErrorCode::PermissionDenied, "planlevel is not that of the customer",
                          "planlevel", std::to_string(*plan_level),
                          std::to_string(tenant->plan_level)});
    }
    return Caller{std::move(identity), *customer};
}

}  // namespace playhead::api
