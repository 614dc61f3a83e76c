#include "auth/provider_verifier.h"

#include <simdjson.h>

#include <algorithm>
#include <set>

#include "auth/jws.h"
#include "auth/whole_number.h"

namespace playhead::auth {

namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::size_t kListEntriesMax = 256;
constexpr std::size_t kClaimsMax = 128;
constexpr std::size_t kCachedProviderTokensMax = 10'000;

tl::unexpected<Error> refused(const char* reason) {
    return fail(ErrorCode::Unauthenticated, reason);
}

std::optional<element> claim(const object& claims, std::string_view path) {
    element value;
    if (claims.at_key(path).get(value) == simdjson::SUCCESS) return value;
    const auto dot = path.find('.');
    object inner;
    if (dot == std::string_view::npos ||
        claims.at_key(path.substr(0, dot)).get(inner) != simdjson::SUCCESS) {
        return std::nullopt;
    }
    return claim(inner, path.substr(dot + 1));
}

std::string_view text_claim(const object& claims, std::string_view path) {
    std::string_view text;
    const auto value = claim(claims, path);
    return value && value->get(text) == simdjson::SUCCESS ? text : std::string_view();
}

std::optional<std::int64_t> number_of(const element& value) {
    std::int64_t number = 0;
    if (value.get(number) == simdjson::SUCCESS) {
        return number < 0 ? std::nullopt : std::optional(number);
    }
    std::string_view text;
    return value.get(text) == simdjson::SUCCESS ? whole_number(text) : std::nullopt;
}

/// `123`, "123" or "/Some Org (123)".
std::optional<std::int64_t> customer_of(const element& value) {
    if (auto number = number_of(value)) return number;
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS || !text.ends_with(')')) return std::nullopt;
    const auto open = text.rfind('(');
    if (open == std::string_view::npos) return std::nullopt;
    return whole_number(text.substr(open + 1, text.size() - open - 2));
}

/// The value, or the members of the list; nothing of a list that is too long.
std::vector<element> values_of(const std::optional<element>& value) {
    if (!value) return {};
    simdjson::dom::array list;
    if (value->get(list) != simdjson::SUCCESS) return {*value};
    std::vector<element> found;
    if (list.size() <= kListEntriesMax) found.assign(list.begin(), list.end());
    return found;
}

bool names_repeat(const object& claims) {
    std::set<std::string_view> seen;
    for (const auto& [name, value] : claims) {
        if (seen.size() >= kClaimsMax || !seen.insert(name).second) return true;
    }
    return false;
}

Result<std::int64_t> check_claims(const object& claims, const ProviderVerifierOptions& options,
                                  std::string_view header_type, std::int64_t now_s) {
    const auto type = text_claim(claims, "typ");
    const bool is_access = header_type == "at+jwt" || header_type == "application/at+jwt";
    if (type != "Bearer" && !(is_access && type.empty())) {
        return refused("The token is no access token.");
    }
    std::string_view issuer;
    if (claims.at_key("iss").get(issuer) != simdjson::SUCCESS || issuer != options.issuer) {
        return refused("The token was issued by someone else.");
    }
    const auto audience = values_of(claim(claims, "aud"));
    const bool meant = std::any_of(audience.begin(), audience.end(), [&](const element& one) {
        std::string_view text;
        return one.get(text) == simdjson::SUCCESS && text == options.audience;
    });
    if (!meant) return refused("The token is meant for someone else.");
    std::int64_t expires_s = 0;
    std::int64_t issued_s = 0;
    if (claims.at_key("exp").get(expires_s) != simdjson::SUCCESS ||
        claims.at_key("iat").get(issued_s) != simdjson::SUCCESS) {
        return refused("The token says not when it was issued or when it expires.");
    }
    // Compared so that no hostile number can overflow.
    if (expires_s <= now_s - options.skew_s) return refused("The token has expired.");
    std::int64_t not_before_s = 0;
    element not_before;
    if (claims.at_key("nbf").get(not_before) == simdjson::SUCCESS &&
        not_before.get(not_before_s) != simdjson::SUCCESS) {
        return refused("The token's claims cannot be read.");
    }
    if (std::max(not_before_s, issued_s) > now_s + options.skew_s) {
        return refused("The token is not valid yet.");
    }
    return std::min(expires_s, now_s + 24 * 3600) + options.skew_s;
}

Result<Identity> identity_of(const object& claims, const ClaimMapping& mapping) {
    Identity identity;
    identity.subject = text_claim(claims, "sub");
    if (identity.subject.empty()) return refused("The token names nobody.");
    identity.email = text_claim(claims, "email");
    identity.session = text_claim(claims, "sid");
    auto& mine = identity.customer_ids;
    const auto add = [&](std::optional<std::int64_t> customer) {
        if (customer && *customer > 0 &&
            std::find(mine.begin(), mine.end(), *customer) == mine.end()) {
            mine.push_back(*customer);
        }
    };
    if (const auto own = claim(claims, mapping.customer)) {
        add(number_of(*own));
        if (mine.empty()) return refused("The token's customer is no number.");
    }
    for (const auto& one : values_of(claim(claims, mapping.customers))) add(customer_of(one));
    if (mine.empty()) return refused("The token names no customer.");
    if (const auto plan = claim(claims, mapping.plan)) identity.plan_level = number_of(*plan);
    for (const auto& one : values_of(claim(claims, mapping.roles))) {
        std::string_view role;
        if (one.get(role) != simdjson::SUCCESS) continue;
        if (mapping.role_names.empty()) {
            identity.roles.emplace_back(role);
        } else if (const auto found = mapping.role_names.find(role);
                   found != mapping.role_names.end()) {
            identity.roles.push_back(found->second);
        }
    }
    return identity;
}

}  // namespace

ProviderVerifier::ProviderVerifier(ProviderKeys& keys, const Clock& clock,
                                   ProviderVerifierOptions options)
    : keys_(keys), clock_(clock), options_(std::move(options)), cache_(kCachedProviderTokensMax) {}

Result<Identity> ProviderVerifier::verify(std::string_view token) {
    if (token.size() > kTokenBytesMax) return refused("The token is too long.");
    const auto now_ms = clock_.now_ms();
    const auto jws = parse_jws(token);
    if (!jws) return fail(jws.error());
    if (jws->kid.empty()) return refused("The token names no key.");
    // Asked before the cache, so that a withdrawn key is noticed: it refreshes what is old.
    const auto key = keys_.find(jws->kid);
    if (!key) return fail(key.error());
    if (key->algorithm() != jws->algorithm) {
        return refused("The token's algorithm is not that of its key.");
    }
    const auto generation = keys_.generation();
    const auto digest = sha256(token);
    if (auto cached = cache_.get(digest, now_ms); cached && cached->generation == generation) {
        return std::move(cached->identity);
    }
    if (!verify_jws(token, *key)) return refused("The token's signature is wrong.");
    simdjson::dom::parser parser;
    object claims;
    if (parser.parse(jws->payload).get_object().get(claims) != simdjson::SUCCESS ||
        names_repeat(claims)) {
        return refused("The token's claims cannot be read.");
    }
    const auto until_s = check_claims(claims, options_, jws->type, now_ms / 1000);
    if (!until_s) return fail(until_s.error());
    auto identity = identity_of(claims, options_.claims);
    if (!identity) return fail(identity.error());
    cache_.put(digest, {*identity, generation}, *until_s * 1000);
    return identity;
}

}  // namespace playhead::auth
