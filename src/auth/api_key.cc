#include "auth/api_key.h"

#include <algorithm>

namespace playhead::auth {

namespace {

constexpr std::string_view kPrefix = "ph_";
constexpr std::size_t kIdHexDigits = 12;
constexpr std::size_t kIdBytes = kPrefix.size() + kIdHexDigits;
constexpr std::size_t kSecretBytes = 43;
constexpr std::size_t kKeyBytes = kIdBytes + 1 + kSecretBytes;
constexpr std::int64_t kVerdictTtlMs = 2000;
/// `last_used_ms` is for people, so it need not be exact, and a write costs a disk sync.
constexpr std::int64_t kTouchIntervalMs = 60'000;

tl::unexpected<Error> refused() {
    return fail(ErrorCode::Unauthenticated, "The API key is not valid.");
}

}  // namespace

Result<NewApiKey> create_api_key(directory::Directory& directory, Entropy& entropy,
                                 std::int64_t customer_id, directory::KeyScope scope,
                                 std::string_view name) {
    std::array<std::uint8_t, kIdHexDigits / 2> bytes{};
    entropy.fill(bytes);
    NewApiKey made;
    made.id = std::string(kPrefix) + hex(bytes);
    made.key = made.id + '_' + random_secret(entropy);
    directory::ApiKey row;
    row.id = made.id;
    row.key_hash = sha256_hex(made.key);
    row.name = std::string(name);
    row.customer_id = customer_id;
    row.scope = scope;
    if (auto added = directory.add_api_key(row); !added) return fail(added.error());
    return made;
}

Result<Identity> ApiKeyVerifier::verify(std::string_view key) {
    if (key.size() != kKeyBytes || !key.starts_with(kPrefix) || key[kIdBytes] != '_') {
        return refused();
    }
    const auto digest = sha256(key);
    const auto now_ms = clock_.now_ms();
    if (auto cached = cache_.get(digest, now_ms)) return std::move(*cached);
    auto identity = look_up(key);
    if (identity) cache_.put(digest, *identity, now_ms + kVerdictTtlMs);
    return identity;
}

Result<Identity> ApiKeyVerifier::look_up(std::string_view key) {
    const auto row = directory_.api_key(key.substr(0, kIdBytes));
    if (!row) {
        if (row.error().code == ErrorCode::NotFound) return refused();
        return fail(row.error());
    }
    if (!equal_constant_time(row->key_hash, sha256_hex(key)) || row->revoked_ms) return refused();
    const auto tenant = directory_.tenant(row->customer_id);
    if (!tenant) return fail(tenant.error());
    if (!tenant->enabled) return refused();
    if (clock_.now_ms() - row->last_used_ms.value_or(0) >= kTouchIntervalMs) {
        // Failing to note the time of use is no reason to refuse the key.
        static_cast<void>(directory_.touch_api_key(row->id));
    }
    Identity identity;
    identity.kind = IdentityKind::ApiKey;
    identity.subject = row->id;
    identity.customer_ids = {row->customer_id};
    identity.scopes = {std::string(directory::scope_name(row->scope))};
    identity.plan_level = tenant->plan_level;
    return identity;
}

}  // namespace playhead::auth
