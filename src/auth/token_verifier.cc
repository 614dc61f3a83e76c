#include "auth/token_verifier.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <set>

#include "auth/jws.h"
#include "auth/whole_number.h"

namespace playhead::auth {

namespace {

constexpr std::size_t kListEntriesMax = 256;
constexpr std::size_t kClaimsMax = 64;

/// The claims that matter here, as they were signed.
struct Claims {
    std::string_view issuer;
    std::string_view type;
    std::string_view customer;
    std::string_view level;
    std::string_view scope;
    std::string_view client;
    std::optional<std::int64_t> expires_s;
    std::optional<std::int64_t> issued_s;
    std::int64_t not_before_s = 0;
    std::vector<std::string_view> audience;
    std::vector<std::string_view> groups;
    Identity identity;
};

tl::unexpected<Error> refused(const char* reason) {
    return fail(ErrorCode::Unauthenticated, reason);
}

bool read_text(const simdjson::dom::element& value, std::string_view& into) {
    return value.get(into) == simdjson::SUCCESS;
}

bool read_text(const simdjson::dom::element& value, std::string& into) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return false;
    into = text;
    return true;
}

template <class Text>
bool read_list(const simdjson::dom::element& value, std::vector<Text>& into) {
    simdjson::dom::array list;
    if (value.get(list) != simdjson::SUCCESS || list.size() > kListEntriesMax) return false;
    for (const auto item : list) {
        std::string_view text;
        if (item.get(text) != simdjson::SUCCESS) return false;
        into.emplace_back(text);
    }
    return true;
}

bool read_audience(const simdjson::dom::element& value, Claims& claims) {
    std::string_view one;
    if (value.get(one) != simdjson::SUCCESS) return read_list(value, claims.audience);
    claims.audience = {one};
    return true;
}

bool read_roles(const simdjson::dom::element& value, Claims& claims) {
    simdjson::dom::element roles;
    return value["roles"].get(roles) == simdjson::SUCCESS &&
           read_list(roles, claims.identity.roles);
}

bool read_time(const simdjson::dom::element& value, std::optional<std::int64_t>& into) {
    std::int64_t seconds = 0;
    if (value.get(seconds) != simdjson::SUCCESS || seconds < 0) return false;
    into = seconds;
    return true;
}

bool read_claim(std::string_view name, const simdjson::dom::element& value, Claims& claims) {
    if (name == "iss") return read_text(value, claims.issuer);
    if (name == "typ") return read_text(value, claims.type);
    if (name == "custId") return read_text(value, claims.customer);
    if (name == "level") return read_text(value, claims.level);
    if (name == "scope") return read_text(value, claims.scope);
    if (name == "clientId") return read_text(value, claims.client);
    if (name == "sub") return read_text(value, claims.identity.subject);
    if (name == "email") return read_text(value, claims.identity.email);
    if (name == "sid") return read_text(value, claims.identity.session);
    if (name == "group") return read_list(value, claims.groups);
    if (name == "aud") return read_audience(value, claims);
    if (name == "realm_access") return read_roles(value, claims);
    if (name == "exp") return read_time(value, claims.expires_s);
    if (name == "iat") return read_time(value, claims.issued_s);
    if (name == "nbf") {
        std::optional<std::int64_t> seconds;
        if (!read_time(value, seconds)) return false;
        claims.not_before_s = *seconds;
    }
    return true;
}

bool read_claims(const simdjson::dom::object& object, Claims& claims) {
    std::set<std::string_view> seen;
    for (const auto& [name, value] : object) {
        if (seen.size() >= kClaimsMax || !seen.insert(name).second) return false;
        if (!read_claim(name, value, claims)) return false;
    }
    return true;
}

/// The number in parentheses that ends `/Some Org (123)`.
std::optional<std::int64_t> customer_of_group(std::string_view group) {
    const auto open = group.rfind('(');
    if (open == std::string_view::npos || !group.ends_with(')')) return std::nullopt;
    return whole_number(group.substr(open + 1, group.size() - open - 2));
}

bool issuer_accepted(std::string_view issuer, const TokenVerifierOptions& options) {
    if (!options.issuer.empty()) return issuer == options.issuer;
    if (!issuer.starts_with("https://") && !issuer.starts_with("http://")) return false;
    return issuer.ends_with("/realms/" + options.realm);
}

Result<void> check_claims(const Claims& claims, const TokenVerifierOptions& options,
                          std::int64_t now_s) {
    if (claims.type != "Bearer") return refused("The token is no access token.");
    if (!issuer_accepted(claims.issuer, options)) {
        return refused("The token was issued by someone else.");
    }
    const auto& audience = claims.audience;
    if (std::find(audience.begin(), audience.end(), kAccessAudience) == audience.end()) {
        return refused("The token is meant for someone else.");
    }
    if (!claims.expires_s || !claims.issued_s) {
        return refused("The token says not when it was issued or when it expires.");
    }
    if (*claims.expires_s <= now_s) return refused("The token has expired.");
    const auto latest_s = now_s + options.skew_s;
    if (claims.not_before_s > latest_s || *claims.issued_s > latest_s) {
        return refused("The token is not valid yet.");
    }
    if (claims.identity.subject.empty()) return refused("The token names nobody.");
    return {};
}

Result<void> fill_identity(Claims& claims) {
    Identity& identity = claims.identity;
    const auto own = whole_number(claims.customer);
    if (!own) return refused("The token names no customer.");
    identity.customer_ids = {*own};
    for (const auto group : claims.groups) {
        const auto customer = customer_of_group(group);
        if (customer && *customer != *own) identity.customer_ids.push_back(*customer);
    }
    identity.plan_level = whole_number(claims.level);
    identity.kind = claims.client.empty() ? IdentityKind::User : IdentityKind::Client;
    std::string_view rest = claims.scope;
    while (!rest.empty()) {
        const auto end = std::min(rest.find(' '), rest.size());
        if (end > 0) identity.scopes.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return {};
}

}  // namespace

Result<Identity> TokenVerifier::verify(std::string_view token) {
    if (token.size() > kTokenBytesMax) return refused("The token is too long.");
    const auto now_ms = clock_.now_ms();
    const auto digest = sha256(token);
    const auto generation = keys_.generation();
    if (auto cached = cache_.get(digest, now_ms); cached && cached->key_generation == generation) {
        return std::move(cached->identity);
    }
    const auto jws = parse_rs256(token);
    if (!jws) return fail(jws.error());
    if (jws->kid.empty()) return refused("The token names no key.");
    const auto key = keys_.find(jws->kid);
    if (!key) return refused("The token was signed with a key that is not known.");
    if (!verify_rs256(token, *key)) return refused("The token's signature is wrong.");

    simdjson::dom::parser parser;
    simdjson::dom::object object;
    Claims claims;
    if (parser.parse(jws->payload).get_object().get(object) != simdjson::SUCCESS ||
        !read_claims(object, claims)) {
        return refused("The token's claims cannot be read.");
    }
    if (auto ok = check_claims(claims, options_, now_ms / 1000); !ok) return fail(ok.error());
    if (auto ok = fill_identity(claims); !ok) return fail(ok.error());
    cache_.put(digest, {claims.identity, generation}, *claims.expires_s * 1000);
    return std::move(claims.identity);
}

Result<std::string_view> bearer_token(std::string_view authorization) {
    constexpr std::string_view scheme = "bearer ";
    const bool named = authorization.size() > scheme.size() &&
                       directory::lower_ascii(authorization.substr(0, scheme.size())) == scheme;
    if (!named) return refused("The Authorization header carries no bearer token.");
    authorization.remove_prefix(scheme.size());
    while (authorization.starts_with(' ')) authorization.remove_prefix(1);
    while (authorization.ends_with(' ')) authorization.remove_suffix(1);
    if (authorization.empty()) return refused("The Authorization header carries no bearer token.");
    return authorization;
}

}  // namespace playhead::auth
