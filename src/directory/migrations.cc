#include "directory/migrations.h"

#include <fmt/format.h>

#include <array>

namespace playhead::directory {

namespace {

/// Never edited once released; a change of schema is a new entry at the end.
constexpr std::array kMigrations{
    R"sql(
CREATE TABLE tenants (
    customer_id INTEGER PRIMARY KEY CHECK (customer_id > 0),
    plan_level INTEGER NOT NULL,
    name TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    parent_customer_id INTEGER REFERENCES tenants (customer_id),
    allowed_origins TEXT NOT NULL,
    ingest_keys TEXT NOT NULL,
    rate_limit_per_address_per_s INTEGER NOT NULL,
    stats_interval_s INTEGER NOT NULL
);
CREATE INDEX tenants_by_parent ON tenants (parent_customer_id);

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    customer_id INTEGER NOT NULL REFERENCES tenants (customer_id),
    role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'admin')),
    enabled INTEGER NOT NULL,
    given_name TEXT NOT NULL,
    family_name TEXT NOT NULL,
    created_ms INTEGER NOT NULL
);
CREATE TABLE user_customers (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    customer_id INTEGER NOT NULL REFERENCES tenants (customer_id),
    PRIMARY KEY (user_id, customer_id)
) WITHOUT ROWID;

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    key_hash TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    customer_id INTEGER NOT NULL REFERENCES tenants (customer_id),
    scope TEXT NOT NULL CHECK (scope IN ('read', 'ingest', 'admin')),
    created_ms INTEGER NOT NULL,
    revoked_ms INTEGER,
    last_used_ms INTEGER
) WITHOUT ROWID;
CREATE INDEX api_keys_by_customer ON api_keys (customer_id);

CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    private_pem TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    not_after_ms INTEGER,
    state TEXT NOT NULL CHECK (state IN ('active', 'retired'))
) WITHOUT ROWID;
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (state) WHERE state = 'active';

CREATE TABLE refresh_tokens (
    token_hash TEXT PRIMARY KEY,
    family TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL,
    session_started_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    rotated_ms INTEGER,
    revoked_ms INTEGER
) WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_by_user ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_ms);

CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE documents (
    kind TEXT NOT NULL,
    customer_id INTEGER NOT NULL REFERENCES tenants (customer_id),
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    updated_ms INTEGER NOT NULL,
    PRIMARY KEY (kind, customer_id, id)
) WITHOUT ROWID;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    customer_id INTEGER NOT NULL,
    address TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX audit_by_customer ON audit (customer_id, id);
)sql",
};

}  // namespace

int newest_schema_version() noexcept {
    return static_cast<int>(kMigrations.size());
}

Result<void> migrate(Connection& connection) {
    auto transaction = Transaction::begin(connection);
    if (!transaction) return fail(transaction.error());
    const auto version = connection.scalar("PRAGMA user_version");
    if (!version) return fail(version.error());
    if (*version > newest_schema_version()) {
        return fail(ErrorCode::Unprocessable,
                    fmt::format("The directory file has schema version {}, written by a newer "
                                "Playhead; this one knows up to version {}.",
                                *version, newest_schema_version()));
    }
    for (auto next = static_cast<std::size_t>(*version); next < kMigrations.size(); ++next) {
        if (auto done = connection.script(kMigrations.at(next)); !done) return done;
        const auto mark = fmt::format("PRAGMA user_version={}", next + 1);
        if (auto done = connection.script(mark.c_str()); !done) return done;
    }
    return transaction->commit();
}

}  // namespace playhead::directory
