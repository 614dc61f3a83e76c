#include "directory/directory.h"

#include <fmt/format.h>

#include <algorithm>

#include "directory/migrations.h"
#include "directory/sqlite.h"
#include "directory/validation.h"

namespace playhead::directory {

namespace {

constexpr std::size_t kAuditTextBytesMax = 512;
constexpr int kAuditPageMax = 1000;
constexpr std::size_t kSettingBytesMax = 1 << 20;

constexpr std::string_view kTenantColumns =
    "customer_id, plan_level, name, enabled, created_ms, parent_customer_id, allowed_origins, "
    "ingest_keys, rate_limit_per_address_per_s, stats_interval_s";

Tenant read_tenant(const SqlRow& row) {
    Tenant tenant;
    tenant.customer_id = row.integer(0);
    tenant.plan_level = row.integer(1);
    tenant.name = row.text(2);
    tenant.enabled = row.integer(3) != 0;
    tenant.created_ms = row.integer(4);
    tenant.parent_customer_id = row.optional_integer(5);
    tenant.allowed_origins = split_lines(row.text(6));
    tenant.ingest_keys = split_lines(row.text(7));
    tenant.rate_limit_per_address_per_s = row.integer(8);
    tenant.stats_interval_s = row.integer(9);
    return tenant;
}

std::string_view cut(std::string_view text) {
    return text.substr(0, kAuditTextBytesMax);
}

tl::unexpected<Error> no_tenant(std::int64_t customer_id) {
    return fail(ErrorCode::NotFound, fmt::format("There is no tenant {}.", customer_id));
}

}  // namespace

Directory::Directory(std::unique_ptr<Connection> connection, const Clock& clock)
    : connection_(std::move(connection)), clock_(clock) {}

Directory::~Directory() = default;

Result<std::unique_ptr<Directory>> Directory::open(const std::filesystem::path& file,
                                                   const Clock& clock) {
    auto connection = Connection::open(file);
    if (!connection) return fail(connection.error());
    if (auto migrated = migrate(**connection); !migrated) return fail(migrated.error());
    return std::unique_ptr<Directory>(new Directory(std::move(*connection), clock));
}

Result<void> Directory::add_tenant(const Tenant& tenant) {
    if (auto valid = validate(tenant); !valid) return valid;
    const auto origins = join_lines(tenant.allowed_origins);
    const auto keys = join_lines(tenant.ingest_keys);
    const std::lock_guard lock(mutex_);
    auto done = connection_->run(
        "INSERT INTO tenants VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        {tenant.customer_id, tenant.plan_level, tenant.name, std::int64_t{tenant.enabled},
         clock_.now_ms(), sql_optional(tenant.parent_customer_id), origins, keys,
         tenant.rate_limit_per_address_per_s, tenant.stats_interval_s});
    if (done) {
        ++own_changes_;
        return {};
    }
    if (done.error().code == ErrorCode::Conflict) {
        return fail(ErrorCode::Conflict,
                    fmt::format("Tenant {} exists already.", tenant.customer_id));
    }
    if (done.error().code == ErrorCode::NotFound) return no_tenant(*tenant.parent_customer_id);
    return fail(done.error());
}

Result<void> Directory::update_tenant(const Tenant& tenant) {
    if (auto valid = validate(tenant); !valid) return valid;
    const auto origins = join_lines(tenant.allowed_origins);
    const auto keys = join_lines(tenant.ingest_keys);
    const std::lock_guard lock(mutex_);
    auto done = connection_->run(
        "UPDATE tenants SET plan_level = ?2, name = ?3, enabled = ?4, parent_customer_id = ?5, "
        "allowed_origins = ?6, ingest_keys = ?7, rate_limit_per_address_per_s = ?8, "
        "stats_interval_s = ?9 WHERE customer_id = ?1",
        {tenant.customer_id, tenant.plan_level, tenant.name, std::int64_t{tenant.enabled},
         sql_optional(tenant.parent_customer_id), origins, keys,
         tenant.rate_limit_per_address_per_s, tenant.stats_interval_s});
    if (!done) {
        if (done.error().code == ErrorCode::NotFound) return no_tenant(*tenant.parent_customer_id);
        return fail(done.error());
    }
    if (*done == 0) return no_tenant(tenant.customer_id);
    ++own_changes_;
    return {};
}

Result<Tenant> Directory::tenant(std::int64_t customer_id) const {
    const std::lock_guard lock(mutex_);
    std::optional<Tenant> found;
    auto done = connection_->query(
        fmt::format("SELECT {} FROM tenants WHERE customer_id = ?1", kTenantColumns), {customer_id},
        [&](const SqlRow& row) { found = read_tenant(row); });
    if (!done) return fail(done.error());
    if (!found) return no_tenant(customer_id);
    return std::move(*found);
}

Result<std::vector<Tenant>> Directory::tenants() const {
    const std::lock_guard lock(mutex_);
    std::vector<Tenant> found;
    auto done = connection_->query(
        fmt::format("SELECT {} FROM tenants ORDER BY customer_id", kTenantColumns), {},
        [&](const SqlRow& row) { found.push_back(read_tenant(row)); });
    if (!done) return fail(done.error());
    return found;
}

Result<std::vector<Tenant>> Directory::readable_tenants(const User& user) const {
    const std::lock_guard lock(mutex_);
    std::vector<Tenant> found;
    auto done = connection_->query(
        fmt::format("SELECT {} FROM tenants WHERE enabled = 1 AND (customer_id = ?1 OR "
                    "(?2 AND parent_customer_id = ?1) OR customer_id IN "
                    "(SELECT customer_id FROM user_customers WHERE user_id = ?3)) "
                    "ORDER BY customer_id <> ?1, customer_id LIMIT ?4",
                    kTenantColumns),
        {user.customer_id, std::int64_t{user.role == Role::Admin}, user.id,
         static_cast<std::int64_t>(kCustomersPerUserMax)},
        [&](const SqlRow& row) { found.push_back(read_tenant(row)); });
    if (!done) return fail(done.error());
    return found;
}

Result<void> Directory::set_setting(std::string_view key, std::string_view value) {
    if (key.empty() || key.size() > kAuditTextBytesMax || value.size() > kSettingBytesMax) {
        return fail(ErrorCode::InvalidArgument, "The setting's name or value is too long.");
    }
    const std::lock_guard lock(mutex_);
    auto done = connection_->run(
        "INSERT INTO settings VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
        {key, value});
    if (!done) return fail(done.error());
    ++own_changes_;
    return {};
}

Result<std::optional<std::string>> Directory::setting(std::string_view key) const {
    const std::lock_guard lock(mutex_);
    std::optional<std::string> found;
    auto done = connection_->query("SELECT value FROM settings WHERE key = ?1", {key},
                                   [&](const SqlRow& row) { found = row.text(0); });
    if (!done) return fail(done.error());
    return found;
}

Result<void> Directory::put_document(const Document& document) {
    if (auto valid = validate(document); !valid) return valid;
    const std::lock_guard lock(mutex_);
    auto done = connection_->run(
        "INSERT INTO documents VALUES (?1, ?2, ?3, ?4, ?5) "
        "ON CONFLICT (kind, customer_id, id) DO UPDATE SET body = ?4, updated_ms = ?5",
        {document.kind, document.customer_id, document.id, document.body, clock_.now_ms()});
    if (!done) {
        if (done.error().code == ErrorCode::NotFound) return no_tenant(document.customer_id);
        return fail(done.error());
    }
    ++own_changes_;
    return {};
}

Result<void> Directory::remove_document(std::string_view kind, std::int64_t customer_id,
                                        std::string_view id) {
    const std::lock_guard lock(mutex_);
    auto done =
        connection_->run("DELETE FROM documents WHERE kind = ?1 AND customer_id = ?2 AND id = ?3",
                         {kind, customer_id, id});
    if (!done) return fail(done.error());
    if (*done == 0) return fail(ErrorCode::NotFound, "There is no such document.");
    ++own_changes_;
    return {};
}

Result<std::vector<Document>> Directory::documents(std::string_view kind,
                                                   std::optional<std::int64_t> customer_id) const {
    const std::lock_guard lock(mutex_);
    std::vector<Document> found;
    auto done = connection_->query(
        "SELECT kind, id, customer_id, body, updated_ms FROM documents "
        "WHERE kind = ?1 AND (?2 IS NULL OR customer_id = ?2) ORDER BY customer_id, id",
        {kind, sql_optional(customer_id)}, [&](const SqlRow& row) {
            found.push_back(
                {row.text(0), row.text(1), row.integer(2), row.text(3), row.integer(4)});
        });
    if (!done) return fail(done.error());
    return found;
}

Result<void> Directory::audit(const AuditEntry& entry) {
    const std::lock_guard lock(mutex_);
    auto done = connection_->run(
        "INSERT INTO audit (at_ms, actor, action, target, customer_id, address, detail) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        {clock_.now_ms(), cut(entry.actor), cut(entry.action), cut(entry.target), entry.customer_id,
         cut(entry.address), cut(entry.detail)});
    if (!done) return fail(done.error());
    auto pruned = connection_->run("DELETE FROM audit WHERE id <= ?1",
                                   {connection_->last_insert_id() - kAuditEntriesMax});
    if (!pruned) return fail(pruned.error());
    return {};
}

Result<std::vector<AuditEntry>> Directory::audit_log(std::optional<std::int64_t> customer_id,
                                                     std::int64_t before_id, int limit) const {
    const std::lock_guard lock(mutex_);
    std::vector<AuditEntry> found;
    auto done = connection_->query(
        "SELECT id, at_ms, actor, action, target, customer_id, address, detail FROM audit "
        "WHERE (?1 IS NULL OR customer_id = ?1) AND (?2 = 0 OR id < ?2) ORDER BY id DESC LIMIT ?3",
        {sql_optional(customer_id), before_id, std::int64_t{std::clamp(limit, 0, kAuditPageMax)}},
        [&](const SqlRow& row) {
            found.push_back({row.integer(0), row.integer(1), row.text(2), row.text(3), row.text(4),
                             row.integer(5), row.text(6), row.text(7)});
        });
    if (!done) return fail(done.error());
    return found;
}

Result<std::uint64_t> Directory::change_marker() const {
    const std::lock_guard lock(mutex_);
    const auto others = connection_->scalar("PRAGMA data_version");
    if (!others) return fail(others.error());
    // Both only grow, so their sum repeats only where neither has changed.
    return static_cast<std::uint64_t>(*others) + own_changes_.load();
}

}  // namespace playhead::directory
