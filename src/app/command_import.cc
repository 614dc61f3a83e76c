/// `playhead import cmcd-log|epas|sessions|smartsight`: what other systems have, for a team that
/// moves.
#include <CLI/CLI.hpp>
#include <memory>

#include "app/commands.h"
#include "app/import_runs.h"

namespace playhead::app {

namespace {

using Arguments = std::shared_ptr<ImportArguments>;

CLI::App* leaf(CLI::App& parent, Chosen& chosen, const char* name, const char* help,
               const Arguments& arguments, int (*run)(const ImportArguments&)) {
    CLI::App* command = parent.add_subcommand(name, help);
    command->add_option("--customer", arguments->customer_id, "customer that it belongs to")
        ->required()
        ->check(CLI::PositiveNumber);
    command
        ->add_option("--config", arguments->config_file,
                     "configuration of the server: places, addresses, retention")
        ->check(CLI::ExistingFile);
    command
        ->add_option("--max-errors", arguments->errors_max,
                     "unreadable lines that are left out; one more ends the import")
        ->capture_default_str();
    command->callback(
        [arguments, run, &chosen] { chosen = [arguments, run] { return run(*arguments); }; });
    return command;
}

/// Where reports of players may go.
void add_target(CLI::App& command, const Arguments& arguments) {
    command.add_option("--to", arguments->to, "a running server, http://host:port");
    command.add_option("--data-dir", arguments->data_dir, "a data directory that is not in use");
    command.add_option("--speed", arguments->speed, "with --to: 0 at once; N: N times as fast")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    command.add_option("--remember", arguments->remember,
                       "with --to: folder that lists what was imported, so that it is once");
}

void add_smartsight(CLI::App& command, const Arguments& arguments) {
    command.add_option("--data-dir", arguments->data_dir, "a data directory that is not in use")
        ->required();
    command.add_option("--from", arguments->from, "the API to read from, https://host")->required();
    command.add_option("--api-key", arguments->api_key, "its key; or --user and --password");
    command.add_option("--user", arguments->user, "its user, for the password grant");
    command.add_option("--password", arguments->password, "of the user");
    command.add_option("--token-url", arguments->token_url,
                       "where tokens come from; default: the realm playhead of --from");
    command.add_option("--plan-level", arguments->plan_level, "for older generations of the API");
    command
        .add_option("--since", arguments->since,
                    "first start of sessions: epoch seconds, ISO 8601, -30d or -6h")
        ->required();
    command.add_option("--until", arguments->until, "the same, exclusive; default: now");
    command
        .add_option("--tags", arguments->tags, "custom tags to bring along, separated by commas")
        ->delimiter(',');
    command.add_option("--state", arguments->state_file,
                       "how far it is; default: in the data directory");
    command
        .add_option("--window", arguments->window_s,
                    "seconds of sessions asked for at once, at most")
        ->check(CLI::Range(60, 86'400))
        ->capture_default_str();
    command.add_option("--page", arguments->page_rows, "rows of one answer")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    command.add_option("--ca-file", arguments->ca_file, "PEM of the authorities to trust")
        ->check(CLI::ExistingFile);
}

}  // namespace

void add_import_command(CLI::App& root, Chosen& chosen) {
    auto arguments = std::make_shared<ImportArguments>();
    CLI::App* group =
        root.add_subcommand("import", "Brings in what other systems have: see docs/import.md");
    group->require_subcommand(1);

    CLI::App* log = leaf(*group, chosen, "cmcd-log", "Access logs of CDNs with CMCD in them",
                         arguments, import_cmcd_log);
    add_target(*log, arguments);
    log->add_option("--format", arguments->format,
                    "cloudfront, cloudfront-realtime, akamai, fastly, nginx or auto")
        ->capture_default_str();
    log->add_option("--fields", arguments->fields,
                    "names of the columns, separated by commas, or an nginx log_format");
    log->add_option("FILE", arguments->files, "plain, gzip or zstd; - is standard input")
        ->required();

    CLI::App* epas = leaf(*group, chosen, "epas", "Eyevinn player analytics events, JSON lines",
                          arguments, import_epas);
    add_target(*epas, arguments);
    epas->add_option("FILE", arguments->files, "plain, gzip or zstd; - is standard input")
        ->required();

    CLI::App* sessions = leaf(*group, chosen, "sessions", "Finished sessions from CSV or Parquet",
                              arguments, import_sessions);
    sessions->add_option("--data-dir", arguments->data_dir, "a data directory that is not in use")
        ->required();
    sessions->add_option("--mapping", arguments->mapping_file, "which column is what, YAML")
        ->required()
        ->check(CLI::ExistingFile);
    sessions->add_flag("--check", arguments->check,
                       "stores nothing: shows the first rows as they would be");
    sessions->add_option("FILE", arguments->files, "CSV (plain, gzip, zstd, -) or *.parquet")
        ->required();

    CLI::App* smartsight = leaf(*group, chosen, "smartsight", "Sessions of a SmartSight API",
                                arguments, import_smartsight);
    add_smartsight(*smartsight, arguments);
}

}  // namespace playhead::app
