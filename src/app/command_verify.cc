/// `playhead verify`: simulates an audience, ingests it and compares sessions and every metric with
/// the truth.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "app/commands.h"
#include "app/control_plane.h"
#include "app/offline_ingest.h"
#include "app/verify_metrics.h"
#include "app/verify_sessions.h"
#include "simulator/traffic.h"
#include "store/chdb/engine_library.h"

namespace playhead::app {

namespace {

/// When simulated sessions begin to arrive: fixed, so that a seed names one run for ever.
/// 2026-11-23 00:00 UTC.
constexpr std::int64_t kFromMs = 1'795'392'000'000;

struct Arguments {
    std::string data_dir;
    std::uint64_t customer_id = 900100200;
    std::uint64_t sessions = 2000;
    std::uint64_t seed = 1;
    double hours = 6;
};

/// A line about every two seconds.
class Progress {
public:
    void tick(const std::string& what) {
        const auto now = std::chrono::steady_clock::now();
        if (now - said_ < std::chrono::seconds(2)) return;
        said_ = now;
        fmt::print(stderr, "verify: {}\n", what);
    }

private:
    std::chrono::steady_clock::time_point said_ = std::chrono::steady_clock::now();
};

simulator::TrafficOptions traffic_options(const Arguments& arguments) {
    simulator::TrafficOptions options;
    options.seed = arguments.seed;
    options.sessions = arguments.sessions;
    options.from_ms = kFromMs;
    options.until_ms = kFromMs + static_cast<std::int64_t>(arguments.hours * 3'600'000);
    options.writer.customer_id = arguments.customer_id;
    options.faults.duplicate_share = 0.05;
    options.faults.delay_share = 0.10;
    return options;
}

/// What is there would be counted as well.
Result<void> check_fresh(const std::string& data_dir) {
    std::error_code error;
    if (std::filesystem::exists(data_dir, error) && !std::filesystem::is_empty(data_dir, error)) {
        return fail_parameter("--data-dir", data_dir, "a directory that is empty or not there yet",
                              fmt::format("{} has data already; verify needs a directory of its "
                                          "own",
                                          data_dir));
    }
    return {};
}

Result<std::uint64_t> ingest_traffic(const Arguments& arguments, const simulator::World& world,
                                     SessionVerifier& sessions, OfflineIngest& ingest) {
    simulator::Traffic traffic(world, traffic_options(arguments));
    traffic.on_truth([&](const simulator::Truth& truth) { sessions.expect(truth); });
    Progress progress;
    simulator::Request request;
    std::uint64_t requests = 0;
    while (traffic.next(request)) {
        if (auto taken = ingest.take(request, arguments.customer_id); !taken) {
            return fail(taken.error());
        }
        ++requests;
        progress.tick(fmt::format("{} of {} sessions begun, {} requests",
                                  traffic.started_sessions(), arguments.sessions, requests));
    }
    if (auto finished = ingest.finish(); !finished) return fail(finished.error());
    return requests;
}

void print_fields(const SessionVerifier& sessions) {
    fmt::print("{:<34} {:>10} {:>10} {:>12} {:>9}\n", "sessions: field", "compared", "differing",
               "largest", "allowed");
    for (const auto& [name, field] : sessions.fields()) {
        fmt::print("{:<34} {:>10} {:>10} {:>12} {:>9}", name, field.compared, field.differing,
                   field.largest, field.tolerance);
        for (std::size_t wire = 0; wire < field.differing_by_wire.size(); ++wire) {
            if (field.differing_by_wire[wire] == 0) continue;
            fmt::print("  {} {}", simulator::name_of(static_cast<simulator::Wire>(wire)),
                       field.differing_by_wire[wire]);
        }
        fmt::print("\n");
    }
    fmt::print(
        "allowed: the SDKs state the wait of a seek from its BUFFERING event, 1 ms after the "
        "SEEK:\n1 ms per such wait of the session. Counters that a wire does not carry are "
        "not compared.\n");
}

void print_differences(const Differences& differences) {
    for (const std::string& text : differences.shown()) fmt::print("DIFFERENT {}\n", text);
    if (differences.count() > differences.shown().size()) {
        fmt::print("… and {} more\n", differences.count() - differences.shown().size());
    }
}

int verify(const Arguments& arguments) {
    if (auto fresh = check_fresh(arguments.data_dir); !fresh) return complain(fresh.error());
    if (auto prepared = store::chdb::prepare_process(); !prepared) {
        return complain(prepared.error());
    }
    OfflineOptions options;
    options.data_dir = arguments.data_dir;
    options.from_ms = kFromMs;
    const auto codes = simulator::business_error_codes();
    options.business_errors.insert(codes.begin(), codes.end());
    auto ingest = OfflineIngest::open(options);
    if (!ingest) return complain(ingest.error());
    const simulator::World world({.seed = arguments.seed});
    SessionVerifier sessions(world, arguments.customer_id);
    const auto requests = ingest_traffic(arguments, world, sessions, **ingest);
    if (!requests) return complain(requests.error());
    fmt::print(
        "seed {}: {} sessions, {} requests over {} h from 2026-11-23, 5 % sent twice, 10 % "
        "held back\n\n",
        arguments.seed, sessions.sessions().size(), *requests, arguments.hours);
    if (auto compared = sessions.compare((*ingest)->store()); !compared) {
        return complain(compared.error());
    }
    print_fields(sessions);
    print_differences(sessions.differences());
    MetricVerifier metrics((*ingest)->engine(), sessions.sessions(), arguments.customer_id);
    if (auto compared = metrics.compare(); !compared) return complain(compared.error());
    metrics.print();
    print_differences(metrics.differences());
    const std::uint64_t differences =
        sessions.differences().count() + metrics.differences().count();
    fmt::print("\n{} metrics, {} groups, {} sessions compared: {} differences\n",
               metrics.metric_count(), metrics.group_count(), sessions.sessions().size(),
               differences);
    return differences == 0 ? 0 : 1;
}

}  // namespace

void add_verify_command(CLI::App& root, Chosen& chosen) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = root.add_subcommand(
        "verify", "Simulates, ingests and compares every metric with the truth; 1 if one differs");
    command->add_option("--data-dir", arguments->data_dir, "a fresh directory, kept for inspection")
        ->required();
    command->add_option("--sessions", arguments->sessions, "how many sessions")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    command->add_option("--seed", arguments->seed, "same seed, same run")->capture_default_str();
    command->add_option("--hours", arguments->hours, "over how long sessions arrive")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    command->add_option("--customer", arguments->customer_id, "customer id")->capture_default_str();
    command->callback(
        [arguments, &chosen] { chosen = [arguments] { return verify(*arguments); }; });
}

}  // namespace playhead::app
