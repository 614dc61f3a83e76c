#include <fmt/format.h>

#include "directory/directory.h"
#include "directory/sqlite.h"
#include "directory/validation.h"

namespace playhead::directory {

namespace {

constexpr std::string_view kUserColumns =
    "id, subject, email, password_hash, customer_id, role, enabled, given_name, family_name, "
    "created_ms";

/// A random (version 4) uuid. A subject is a name and no secret, so SQLite's generator will do.
constexpr std::string_view kRandomUuid =
    "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || "
    "substr(hex(randomblob(2)), 2) || '-' || substr('89ab', abs(random() % 4) + 1, 1) || "
    "substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))";

User read_user(const SqlRow& row) {
    User user;
    user.id = row.integer(0);
    user.subject = row.text(1);
    user.email = row.text(2);
    user.password_hash = row.text(3);
    user.customer_id = row.integer(4);
    user.role = parse_role(row.text(5)).value_or(Role::Viewer);
    user.enabled = row.integer(6) != 0;
    user.given_name = row.text(7);
    user.family_name = row.text(8);
    user.created_ms = row.integer(9);
    return user;
}

tl::unexpected<Error> unknown_customer() {
    return fail(ErrorCode::NotFound, "The account names a customer that does not exist.");
}

tl::unexpected<Error> no_user() {
    return fail(ErrorCode::NotFound, "There is no such user.");
}

}  // namespace

Result<void> Directory::write_further_customers(const User& user) {
    auto cleared = connection_->run("DELETE FROM user_customers WHERE user_id = ?1", {user.id});
    if (!cleared) return fail(cleared.error());
    for (const auto customer : user.further_customers) {
        auto done = connection_->run("INSERT OR IGNORE INTO user_customers VALUES (?1, ?2)",
                                     {user.id, customer});
        if (done) continue;
        if (done.error().code == ErrorCode::NotFound) return unknown_customer();
        return fail(done.error());
    }
    return {};
}

Result<void> Directory::load_further_customers(std::vector<User>& users) const {
    for (auto& user : users) {
        auto done = connection_->query(
            "SELECT customer_id FROM user_customers WHERE user_id = ?1 ORDER BY customer_id",
            {user.id},
            [&](const SqlRow& row) { user.further_customers.push_back(row.integer(0)); });
        if (!done) return done;
    }
    return {};
}

Result<User> Directory::add_user(const User& user) {
    if (auto valid = validate(user); !valid) return fail(valid.error());
    const auto email = lower_ascii(user.email);
    std::int64_t id = 0;
    {
        const std::lock_guard lock(mutex_);
        auto transaction = Transaction::begin(*connection_);
        if (!transaction) return fail(transaction.error());
        auto done = connection_->run(
            fmt::format("INSERT INTO users (subject, email, password_hash, customer_id, role, "
                        "enabled, given_name, family_name, created_ms) "
                        "VALUES ({}, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                        kRandomUuid),
            {email, user.password_hash, user.customer_id, role_name(user.role),
             std::int64_t{user.enabled}, user.given_name, user.family_name, clock_.now_ms()});
        if (!done) {
            if (done.error().code == ErrorCode::Conflict) {
                return fail(ErrorCode::Conflict, fmt::format("User {} exists already.", email));
            }
            if (done.error().code == ErrorCode::NotFound) return unknown_customer();
            return fail(done.error());
        }
        User stored = user;
        stored.id = id = connection_->last_insert_id();
        if (auto written = write_further_customers(stored); !written) {
            return fail(written.error());
        }
        if (auto committed = transaction->commit(); !committed) return fail(committed.error());
        ++own_changes_;
    }
    return user_by_id(id);
}

Result<void> Directory::update_user(const User& user) {
    if (auto valid = validate(user); !valid) return valid;
    const std::lock_guard lock(mutex_);
    auto transaction = Transaction::begin(*connection_);
    if (!transaction) return fail(transaction.error());
    auto done = connection_->run(
        "UPDATE users SET customer_id = ?2, role = ?3, enabled = ?4, given_name = ?5, "
        "family_name = ?6 WHERE id = ?1",
        {user.id, user.customer_id, role_name(user.role), std::int64_t{user.enabled},
         user.given_name, user.family_name});
    if (!done) {
        if (done.error().code == ErrorCode::NotFound) return unknown_customer();
        return fail(done.error());
    }
    if (*done == 0) return no_user();
    if (auto written = write_further_customers(user); !written) return written;
    if (!user.enabled) {
        auto revoked = connection_->run(
            "UPDATE refresh_tokens SET revoked_ms = ?2 WHERE user_id = ?1 AND revoked_ms IS NULL",
            {user.id, clock_.now_ms()});
        if (!revoked) return fail(revoked.error());
    }
    ++own_changes_;
    return transaction->commit();
}

Result<void> Directory::set_password_hash(std::int64_t user_id, std::string_view password_hash) {
    const std::lock_guard lock(mutex_);
    auto transaction = Transaction::begin(*connection_);
    if (!transaction) return fail(transaction.error());
    auto done = connection_->run("UPDATE users SET password_hash = ?2 WHERE id = ?1",
                                 {user_id, password_hash});
    if (!done) return fail(done.error());
    if (*done == 0) return no_user();
    auto revoked = connection_->run(
        "UPDATE refresh_tokens SET revoked_ms = ?2 WHERE user_id = ?1 AND revoked_ms IS NULL",
        {user_id, clock_.now_ms()});
    if (!revoked) return fail(revoked.error());
    ++own_changes_;
    return transaction->commit();
}

Result<void> Directory::remove_user(std::int64_t user_id) {
    const std::lock_guard lock(mutex_);
    auto done = connection_->run("DELETE FROM users WHERE id = ?1", {user_id});
    if (!done) return fail(done.error());
    if (*done == 0) return no_user();
    ++own_changes_;
    return {};
}

Result<User> Directory::one_user(std::string_view where, const SqlValue& value) const {
    const std::lock_guard lock(mutex_);
    std::vector<User> found;
    auto done =
        connection_->query(fmt::format("SELECT {} FROM users WHERE {}", kUserColumns, where),
                           {value}, [&](const SqlRow& row) { found.push_back(read_user(row)); });
    if (!done) return fail(done.error());
    if (found.empty()) return no_user();
    if (auto loaded = load_further_customers(found); !loaded) return fail(loaded.error());
    return std::move(found.front());
}

Result<User> Directory::user_by_email(std::string_view email) const {
    if (!is_email(email)) return no_user();
    const auto lowered = lower_ascii(email);
    return one_user("email = ?1", lowered);
}

Result<User> Directory::user_by_id(std::int64_t user_id) const {
    return one_user("id = ?1", user_id);
}

Result<User> Directory::user_by_subject(std::string_view subject) const {
    return one_user("subject = ?1", subject);
}

Result<std::vector<User>> Directory::users(std::optional<std::int64_t> customer_id) const {
    const std::lock_guard lock(mutex_);
    std::vector<User> found;
    auto done = connection_->query(
        fmt::format("SELECT {} FROM users WHERE ?1 IS NULL OR customer_id = ?1 ORDER BY email",
                    kUserColumns),
        {sql_optional(customer_id)}, [&](const SqlRow& row) { found.push_back(read_user(row)); });
    if (!done) return fail(done.error());
    if (auto loaded = load_further_customers(found); !loaded) return fail(loaded.error());
    return found;
}

}  // namespace playhead::directory
