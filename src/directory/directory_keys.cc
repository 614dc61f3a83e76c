#include <fmt/format.h>

#include "directory/directory.h"
#include "directory/sqlite.h"
#include "directory/validation.h"

namespace playhead::directory {

namespace {

constexpr std::string_view kKeyColumns =
    "id, key_hash, name, customer_id, scope, created_ms, revoked_ms, last_used_ms";
constexpr std::string_view kRefreshColumns =
    "token_hash, family, user_id, client_id, session_started_ms, expires_ms, rotated_ms, "
    "revoked_ms";

ApiKey read_key(const SqlRow& row) {
    ApiKey key;
    key.id = row.text(0);
    key.key_hash = row.text(1);
    key.name = row.text(2);
    key.customer_id = row.integer(3);
    key.scope = parse_scope(row.text(4)).value_or(KeyScope::Ingest);
    key.created_ms = row.integer(5);
    key.revoked_ms = row.optional_integer(6);
    key.last_used_ms = row.optional_integer(7);
    return key;
}

RefreshToken read_refresh(const SqlRow& row) {
    return {row.text(0),    row.text(1),    row.integer(2),          row.text(3),
            row.integer(4), row.integer(5), row.optional_integer(6), row.optional_integer(7)};
}

Result<std::optional<RefreshToken>> find_refresh(Connection& connection,
                                                 std::string_view token_hash) {
    std::optional<RefreshToken> found;
    auto done = connection.query(
        fmt::format("SELECT {} FROM refresh_tokens WHERE token_hash = ?1", kRefreshColumns),
        {token_hash}, [&](const SqlRow& row) { found = read_refresh(row); });
    if (!done) return fail(done.error());
    return found;
}

Result<void> revoke_family(Connection& connection, std::string_view family, std::int64_t now_ms) {
    auto done = connection.run(
        "UPDATE refresh_tokens SET revoked_ms = ?2 WHERE family = ?1 AND revoked_ms IS NULL",
        {family, now_ms});
    if (!done) return fail(done.error());
    return {};
}

}  // namespace

Result<void> Directory::add_api_key(const ApiKey& key) {
    if (auto valid = validate(key); !valid) return valid;
    const std::lock_guard lock(mutex_);
    auto done = connection_->run(
        "INSERT INTO api_keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL, NULL)",
        {key.id, key.key_hash, key.name, key.customer_id, scope_name(key.scope), clock_.now_ms()});
    if (done) {
        ++own_changes_;
        return {};
    }
    if (done.error().code == ErrorCode::Conflict) {
        return fail(ErrorCode::Conflict, fmt::format("API key {} exists already.", key.id));
    }
    if (done.error().code == ErrorCode::NotFound) {
        return fail(ErrorCode::NotFound, fmt::format("There is no tenant {}.", key.customer_id));
    }
    return fail(done.error());
}

Result<void> Directory::rename_api_key(std::string_view id, std::string_view name) {
    auto key = api_key(id);
    if (!key) return fail(key.error());
    key->name = name;
    if (auto valid = validate(*key); !valid) return valid;
    const std::lock_guard lock(mutex_);
    auto done = connection_->run("UPDATE api_keys SET name = ?2 WHERE id = ?1", {id, name});
    if (!done) return fail(done.error());
    ++own_changes_;
    return {};
}

Result<void> Directory::revoke_api_key(std::string_view id) {
    const std::lock_guard lock(mutex_);
    auto done =
        connection_->run("UPDATE api_keys SET revoked_ms = coalesce(revoked_ms, ?2) WHERE id = ?1",
                         {id, clock_.now_ms()});
    if (!done) return fail(done.error());
    if (*done == 0) return fail(ErrorCode::NotFound, "There is no such API key.");
    ++own_changes_;
    return {};
}

Result<ApiKey> Directory::api_key(std::string_view id) const {
    const std::lock_guard lock(mutex_);
    std::optional<ApiKey> found;
    auto done =
        connection_->query(fmt::format("SELECT {} FROM api_keys WHERE id = ?1", kKeyColumns), {id},
                           [&](const SqlRow& row) { found = read_key(row); });
    if (!done) return fail(done.error());
    if (!found) return fail(ErrorCode::NotFound, "There is no such API key.");
    return std::move(*found);
}

Result<std::vector<ApiKey>> Directory::api_keys(std::int64_t customer_id) const {
    const std::lock_guard lock(mutex_);
    std::vector<ApiKey> found;
    auto done = connection_->query(
        fmt::format("SELECT {} FROM api_keys WHERE customer_id = ?1 ORDER BY created_ms, id",
                    kKeyColumns),
        {customer_id}, [&](const SqlRow& row) { found.push_back(read_key(row)); });
    if (!done) return fail(done.error());
    return found;
}

Result<void> Directory::touch_api_key(std::string_view id) {
    const std::lock_guard lock(mutex_);
    auto done = connection_->run("UPDATE api_keys SET last_used_ms = ?2 WHERE id = ?1",
                                 {id, clock_.now_ms()});
    if (!done) return fail(done.error());
    return {};
}

Result<void> Directory::activate_signing_key(const SigningKeyRow& key,
                                             std::int64_t previous_not_after_ms, bool only_first) {
    const std::lock_guard lock(mutex_);
    auto transaction = Transaction::begin(*connection_);
    if (!transaction) return fail(transaction.error());
    const auto retired = connection_->run(
        "UPDATE signing_keys SET state = 'retired', not_after_ms = ?1 WHERE state = 'active'",
        {previous_not_after_ms});
    if (!retired) return fail(retired.error());
    if (only_first && *retired > 0) {
        return fail(ErrorCode::Conflict, "There is an active signing key already.");
    }
    auto forgotten =
        connection_->run("DELETE FROM signing_keys WHERE not_after_ms < ?1", {clock_.now_ms()});
    if (!forgotten) return fail(forgotten.error());
    auto added = connection_->run("INSERT INTO signing_keys VALUES (?1, ?2, ?3, NULL, 'active')",
                                  {key.kid, key.private_pem, clock_.now_ms()});
    if (!added) return fail(added.error());
    ++own_changes_;
    return transaction->commit();
}

Result<std::vector<SigningKeyRow>> Directory::signing_keys() const {
    const std::lock_guard lock(mutex_);
    std::vector<SigningKeyRow> found;
    auto done = connection_->query(
        "SELECT kid, private_pem, created_ms, not_after_ms, state = 'active' FROM signing_keys "
        "WHERE not_after_ms IS NULL OR not_after_ms >= ?1 ORDER BY state, created_ms DESC",
        {clock_.now_ms()}, [&](const SqlRow& row) {
            found.push_back({row.text(0), row.text(1), row.integer(2), row.optional_integer(3),
                             row.integer(4) != 0});
        });
    if (!done) return fail(done.error());
    return found;
}

Result<void> Directory::remove_signing_key(std::string_view kid) {
    const std::lock_guard lock(mutex_);
    auto done = connection_->run("DELETE FROM signing_keys WHERE kid = ?1", {kid});
    if (!done) return fail(done.error());
    if (*done == 0) return fail(ErrorCode::NotFound, "There is no such signing key.");
    ++own_changes_;
    return {};
}

Result<void> Directory::insert_refresh_token(const RefreshToken& token) {
    auto done =
        connection_->run("INSERT INTO refresh_tokens VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL, NULL)",
                         {token.token_hash, token.family, token.user_id, token.client_id,
                          token.session_started_ms, token.expires_ms});
    if (!done) return fail(done.error());
    return {};
}

Result<void> Directory::add_refresh_token(const RefreshToken& token) {
    const std::lock_guard lock(mutex_);
    auto transaction = Transaction::begin(*connection_);
    if (!transaction) return fail(transaction.error());
    auto forgotten =
        connection_->run("DELETE FROM refresh_tokens WHERE expires_ms < ?1", {clock_.now_ms()});
    if (!forgotten) return fail(forgotten.error());
    if (auto added = insert_refresh_token(token); !added) return added;
    return transaction->commit();
}

Result<RefreshToken> Directory::refresh_token(std::string_view token_hash) const {
    const std::lock_guard lock(mutex_);
    auto found = find_refresh(*connection_, token_hash);
    if (!found) return fail(found.error());
    if (!*found) return fail(ErrorCode::NotFound, "There is no such refresh token.");
    return std::move(**found);
}

Result<RotateOutcome> Directory::rotate_refresh_token(std::string_view token_hash,
                                                      const RefreshToken& successor) {
    const std::lock_guard lock(mutex_);
    auto transaction = Transaction::begin(*connection_);
    if (!transaction) return fail(transaction.error());
    const auto found = find_refresh(*connection_, token_hash);
    if (!found) return fail(found.error());
    if (!*found) return RotateOutcome::Unknown;
    const RefreshToken& token = **found;
    const auto now_ms = clock_.now_ms();
    if (token.revoked_ms) return RotateOutcome::Revoked;
    if (token.rotated_ms) {
        if (auto done = revoke_family(*connection_, token.family, now_ms); !done) {
            return fail(done.error());
        }
        if (auto done = transaction->commit(); !done) return fail(done.error());
        return RotateOutcome::Reused;
    }
    if (token.expires_ms <= now_ms) return RotateOutcome::Expired;
    auto marked = connection_->run(
        "UPDATE refresh_tokens SET rotated_ms = ?2 WHERE token_hash = ?1", {token_hash, now_ms});
    if (!marked) return fail(marked.error());
    if (auto added = insert_refresh_token(successor); !added) return fail(added.error());
    if (auto done = transaction->commit(); !done) return fail(done.error());
    return RotateOutcome::Rotated;
}

Result<void> Directory::revoke_refresh_family(std::string_view family) {
    const std::lock_guard lock(mutex_);
    return revoke_family(*connection_, family, clock_.now_ms());
}

}  // namespace playhead::directory
