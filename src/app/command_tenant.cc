/// `playhead tenant add|list`, `playhead user add|list`, `playhead apikey add|list|revoke`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "app/commands.h"
#include "app/control_plane.h"
#include "auth/api_key.h"
#include "auth/password.h"
#include "auth/secrets.h"

namespace playhead::app {

namespace {

/// What these commands are told; one struct, since CLI11 binds by address.
struct Arguments {
    std::string data_dir = "playhead-data";
    std::int64_t customer = 0;
    std::int64_t plan_level = 0;
    std::int64_t stats_interval_s = 10;
    std::string name;
    std::string email;
    std::string password;
    std::string role = "viewer";
    std::string scope = "read";
    std::string key_id;
    std::vector<std::int64_t> further;
};

const SystemClock& system_clock() {
    static const SystemClock clock;
    return clock;
}

/// Opens the directory and hands it to `action`; prints what went wrong.
template <class Action>
Chosen with_directory(const std::shared_ptr<Arguments>& arguments, Action action) {
    return [arguments, action]() -> int {
        auto data_dir = prepare_data_dir(arguments->data_dir);
        if (!data_dir) return complain(data_dir.error());
        auto directory = open_directory(*data_dir, system_clock());
        if (!directory) return complain(directory.error());
        const Result<void> done = action(**directory, *arguments);
        return done ? 0 : complain(done.error());
    };
}

CLI::App* leaf(CLI::App& parent, const char* name, const char* help,
               const std::shared_ptr<Arguments>& arguments) {
    CLI::App* command = parent.add_subcommand(name, help);
    command->add_option("--data-dir", arguments->data_dir, "where everything is kept")
        ->capture_default_str();
    return command;
}

Result<void> record(directory::Directory& directory, const char* action, std::int64_t customer,
                    const std::string& target) {
    directory::AuditEntry entry;
    entry.actor = "cli";
    entry.action = action;
    entry.customer_id = customer;
    entry.target = target;
    return directory.audit(entry);
}

Result<void> add_tenant(directory::Directory& directory, const Arguments& arguments) {
    directory::Tenant tenant;
    tenant.customer_id = arguments.customer;
    tenant.plan_level = arguments.plan_level;
    tenant.stats_interval_s = arguments.stats_interval_s;
    tenant.name =
        arguments.name.empty() ? fmt::format("Customer {}", arguments.customer) : arguments.name;
    if (auto added = directory.add_tenant(tenant); !added) return added;
    fmt::print("customer {} added\n", arguments.customer);
    return record(directory, "tenant-added", arguments.customer, tenant.name);
}

Result<void> list_tenants(directory::Directory& directory, const Arguments&) {
    auto tenants = directory.tenants();
    if (!tenants) return fail(tenants.error());
    for (const auto& tenant : *tenants) {
        fmt::print("{}\tplan {}\t{}\t{}\n", tenant.customer_id, tenant.plan_level,
                   tenant.enabled ? "enabled" : "disabled", tenant.name);
    }
    return {};
}

Result<void> add_user(directory::Directory& directory, const Arguments& arguments) {
    const auto role = directory::parse_role(arguments.role);
    if (!role) {
        return fail_parameter("--role", arguments.role, "viewer, editor or admin",
                              fmt::format("unknown role '{}'", arguments.role));
    }
    auth::PasswordHasher hasher;
    auto hash = hasher.hash(arguments.password);
    if (!hash) return fail(hash.error());
    directory::User user;
    user.email = arguments.email;
    user.password_hash = *hash;
    user.customer_id = arguments.customer;
    user.role = *role;
    user.further_customers = arguments.further;
    if (auto added = directory.add_user(user); !added) return fail(added.error());
    fmt::print("user {} added for customer {}\n", arguments.email, arguments.customer);
    return record(directory, "user-added", arguments.customer, arguments.email);
}

Result<void> list_users(directory::Directory& directory, const Arguments&) {
    auto users = directory.users(std::nullopt);
    if (!users) return fail(users.error());
    for (const auto& user : *users) {
        fmt::print("{}\t{}\t{}\t{}\n", user.email, user.customer_id,
                   directory::role_name(user.role), user.enabled ? "enabled" : "disabled");
    }
    return {};
}

Result<void> add_key(directory::Directory& directory, const Arguments& arguments) {
    const auto scope = directory::parse_scope(arguments.scope);
    if (!scope) {
        return fail_parameter("--scope", arguments.scope, "read, ingest or admin",
                              fmt::format("unknown scope '{}'", arguments.scope));
    }
    auth::SystemEntropy entropy;
    auto key = auth::create_api_key(directory, entropy, arguments.customer, *scope, arguments.name);
    if (!key) return fail(key.error());
    if (auto noted = record(directory, "apikey-added", arguments.customer, key->id); !noted) {
        return noted;
    }
    // Alone on stdout, so that a script can take it.
    fmt::print("{}\n", key->key);
    return {};
}

Result<void> list_keys(directory::Directory& directory, const Arguments& arguments) {
    auto keys = directory.api_keys(arguments.customer);
    if (!keys) return fail(keys.error());
    for (const auto& key : *keys) {
        fmt::print("{}\t{}\t{}\t{}\n", key.id, directory::scope_name(key.scope),
                   key.revoked_ms ? "revoked" : "active", key.name);
    }
    return {};
}

Result<void> revoke_key(directory::Directory& directory, const Arguments& arguments) {
    if (auto revoked = directory.revoke_api_key(arguments.key_id); !revoked) return revoked;
    fmt::print("key {} revoked\n", arguments.key_id);
    return record(directory, "apikey-revoked", 0, arguments.key_id);
}

}  // namespace

void add_tenant_command(CLI::App& root, Chosen& chosen) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* group = root.add_subcommand("tenant", "Customers: add, list");
    group->require_subcommand(1);
    CLI::App* add = leaf(*group, "add", "Adds a customer", arguments);
    add->add_option("--customer", arguments->customer, "customer id, a positive integer")
        ->required();
    add->add_option("--plan-level", arguments->plan_level, "plan level, the token's level claim");
    add->add_option("--name", arguments->name, "what the customer is called");
    add->add_option("--stats-interval", arguments->stats_interval_s,
                    "seconds between statistics that SDKs are told to send")
        ->capture_default_str();
    add->callback([arguments, &chosen] { chosen = with_directory(arguments, add_tenant); });
    CLI::App* list = leaf(*group, "list", "Lists the customers", arguments);
    list->callback([arguments, &chosen] { chosen = with_directory(arguments, list_tenants); });
}

void add_user_command(CLI::App& root, Chosen& chosen) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* group = root.add_subcommand("user", "People who log in: add, list");
    group->require_subcommand(1);
    CLI::App* add = leaf(*group, "add", "Adds a user", arguments);
    add->add_option("--customer", arguments->customer, "the customer the user belongs to")
        ->required();
    add->add_option("--email", arguments->email, "the name to log in with")->required();
    add->add_option("--password", arguments->password, "the password")->required();
    add->add_option("--role", arguments->role, "viewer, editor or admin")->capture_default_str();
    add->add_option("--also", arguments->further, "further customers this user may read");
    add->callback([arguments, &chosen] { chosen = with_directory(arguments, add_user); });
    CLI::App* list = leaf(*group, "list", "Lists the users", arguments);
    list->callback([arguments, &chosen] { chosen = with_directory(arguments, list_users); });
}

void add_apikey_command(CLI::App& root, Chosen& chosen) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* group = root.add_subcommand("apikey", "API keys: add, list, revoke");
    group->require_subcommand(1);
    CLI::App* add = leaf(*group, "add", "Adds a key and prints it, this once", arguments);
    add->add_option("--customer", arguments->customer, "the customer the key is for")->required();
    add->add_option("--scope", arguments->scope, "read, ingest or admin")->capture_default_str();
    add->add_option("--name", arguments->name, "what the key is for");
    add->callback([arguments, &chosen] { chosen = with_directory(arguments, add_key); });
    CLI::App* list = leaf(*group, "list", "Lists a customer's keys", arguments);
    list->add_option("--customer", arguments->customer, "the customer")->required();
    list->callback([arguments, &chosen] { chosen = with_directory(arguments, list_keys); });
    CLI::App* revoke = leaf(*group, "revoke", "Revokes a key by its id", arguments);
    revoke->add_option("--id", arguments->key_id, "the key's id, ph_…")->required();
    revoke->callback([arguments, &chosen] { chosen = with_directory(arguments, revoke_key); });
}

}  // namespace playhead::app
