/// `playhead simulate`: seeded traffic with known truth, to a server or into a data directory.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include "app/commands.h"
#include "app/control_plane.h"
#include "app/offline_ingest.h"
#include "app/senders.h"
#include "base/json_writer.h"
#include "net/http_client.h"
#include "simulator/live_load.h"
#include "simulator/traffic.h"
#include "simulator/truth.h"
#include "store/chdb/engine_library.h"

namespace playhead::app {

namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
    std::string to;
    std::string data_dir;
    std::string record_file;
    std::uint64_t customer_id = 900100200;
    std::uint64_t sessions = 1000;
    std::uint64_t seed = 1;
    std::string truth_file;
    std::string from;
    double hours = 1;
    std::int64_t block_minutes = 0;
    std::string incidents_file;
    std::string wire = "mix";
    bool live = false;
    std::uint32_t concurrent = 50;
    std::size_t connections = 8;
    double live_seconds = 0;
};

std::int64_t now_ms() {
    return SystemClock().now_ms();
}

/// Epoch seconds or milliseconds, or "-6h", "-2d"; empty: so that the traffic ends now.
Result<std::int64_t> parse_from(const Arguments& arguments) {
    if (arguments.from.empty()) {
        return now_ms() - static_cast<std::int64_t>(arguments.hours * 3'600'000);
    }
    char* end = nullptr;
    const double number = std::strtod(arguments.from.c_str(), &end);
    const std::string unit = end;
    if (end != arguments.from.c_str() && number < 0 && (unit == "h" || unit == "d")) {
        return now_ms() +
               static_cast<std::int64_t>(number * (unit == "d" ? 86'400'000 : 3'600'000));
    }
    if (end != arguments.from.c_str() && unit.empty() && number > 0) {
        return static_cast<std::int64_t>(number < 1e11 ? number * 1000 : number);
    }
    return fail_parameter("--from", arguments.from, "epoch seconds, -6h or -7d",
                          fmt::format("--from: '{}' is no time", arguments.from));
}

/// All sessions in one wire format, or the default mixture.
simulator::WireMix mix_of(const std::string& wire) {
    if (wire == "compact") return {1, 0, 0, 0};
    if (wire == "long") return {0, 1, 0, 0};
    if (wire == "cmcd-event") return {0, 0, 1, 0};
    if (wire == "cmcd-query") return {0, 0, 0, 1};
    return {};
}

/// Minutes in the file count from `options.from_ms`.
Result<void> read_incidents(const Arguments& arguments, simulator::TrafficOptions& options) {
    if (arguments.incidents_file.empty()) return {};
    std::ifstream file(arguments.incidents_file);
    std::ostringstream text;
    text << file.rdbuf();
    auto incidents = simulator::parse_incidents(text.str(), options.from_ms);
    if (!incidents) return fail(incidents.error());
    options.incidents = std::move(*incidents);
    return {};
}

Result<simulator::TrafficOptions> traffic_options(const Arguments& arguments) {
    auto from = parse_from(arguments);
    if (!from) return fail(from.error());
    simulator::TrafficOptions options;
    options.seed = arguments.seed;
    options.sessions = arguments.sessions;
    options.from_ms = *from;
    options.until_ms = *from + static_cast<std::int64_t>(arguments.hours * 3'600'000);
    options.writer.customer_id = arguments.customer_id;
    options.mix = mix_of(arguments.wire);
    if (auto read = read_incidents(arguments, options); !read) return fail(read.error());
    return options;
}

/// One line about every two seconds.
class Progress {
public:
    void tick(std::uint64_t requests, std::uint64_t sessions) {
        if (Clock::now() - said_ < std::chrono::seconds(2)) return;
        said_ = Clock::now();
        fmt::print(stderr, "simulate: {} sessions, {} requests\n", sessions, requests);
    }

private:
    Clock::time_point said_ = Clock::now();
};

/// As a line of what `playhead replay` reads.
std::string recorded_line(const simulator::Request& request) {
    std::string line;
    JsonWriter json(line);
    json.begin_object();
    json.member("t", request.send_ms);
    json.member("method", request.method);
    json.member("url", request.path);
    json.key("headers");
    json.begin_object();
    for (const auto& [name, value] : client_request(request).headers) json.member(name, value);
    json.end_object();
    json.member("body", request.body);
    json.end_object();
    return line + "\n";
}

/// Sessions arriving now, until the time is up.
int simulate_live(const Arguments& arguments) {
    const SystemClock clock;
    const simulator::World world({.seed = arguments.seed});
    simulator::LiveLoadOptions options;
    options.traffic.seed = arguments.seed;
    options.traffic.writer.customer_id = arguments.customer_id;
    options.traffic.mix = mix_of(arguments.wire);
    options.traffic.from_ms = clock.now_ms();
    if (auto read = read_incidents(arguments, options.traffic); !read) {
        return complain(read.error());
    }
    options.concurrent_sessions = arguments.concurrent;
    simulator::LiveLoad load(world, options, clock);
    net::HttpClient client(arguments.to);
    const auto until = Clock::now() + std::chrono::milliseconds(
                                          static_cast<std::int64_t>(arguments.live_seconds * 1000));
    simulator::Request request;
    std::uint64_t sent = 0;
    while (arguments.live_seconds <= 0 || Clock::now() < until) {
        if (!load.next(request)) {
            std::this_thread::sleep_for(
                std::chrono::milliseconds(std::max<std::int64_t>(1, load.wait_ms())));
            continue;
        }
        if (auto done = send(client, request); !done) return complain(done.error());
        ++sent;
    }
    fmt::print("{} requests sent\n", sent);
    return 0;
}

template <class Take>
Result<std::uint64_t> run_traffic(const Arguments& arguments, const simulator::World& world,
                                  const simulator::TrafficOptions& options, Take take) {
    std::ofstream truth;
    if (!arguments.truth_file.empty()) {
        truth.open(arguments.truth_file);
        if (!truth) {
            return fail(ErrorCode::Unavailable,
                        fmt::format("cannot write the truth to {}", arguments.truth_file));
        }
    }
    simulator::Traffic traffic(world, options);
    traffic.on_truth([&](const simulator::Truth& session) {
        if (truth.is_open()) truth << simulator::to_json(session, world) << '\n';
    });
    Progress progress;
    simulator::Request request;
    std::uint64_t count = 0;
    while (traffic.next(request)) {
        if (auto done = take(request); !done) return fail(done.error());
        progress.tick(++count, traffic.started_sessions());
    }
    if (truth.is_open() && !truth.flush()) {
        return fail(ErrorCode::Unavailable,
                    fmt::format("the truth file {} could not be written", arguments.truth_file));
    }
    return count;
}

int simulate(const Arguments& arguments) {
    const int targets = (arguments.to.empty() ? 0 : 1) + (arguments.data_dir.empty() ? 0 : 1) +
                        (arguments.record_file.empty() ? 0 : 1);
    if (targets != 1) {
        return complain(Error{
            ErrorCode::InvalidArgument, "give one of --to, --data-dir and --record", {}, {}, {}});
    }
    if (arguments.live) {
        if (arguments.to.empty()) {
            return complain(Error{ErrorCode::InvalidArgument, "--live needs --to", {}, {}, {}});
        }
        return simulate_live(arguments);
    }
    auto options = traffic_options(arguments);
    if (!options) return complain(options.error());
    const simulator::World world({.seed = arguments.seed});
    Result<std::uint64_t> sent = 0;
    if (!arguments.to.empty()) {
        Senders senders(arguments.to, arguments.connections);
        sent = run_traffic(arguments, world, *options, [&](const simulator::Request& request) {
            return senders.send(request);
        });
        if (auto finished = senders.finish(); sent && !finished) sent = fail(finished.error());
    } else if (!arguments.record_file.empty()) {
        std::ofstream file(arguments.record_file);
        sent = run_traffic(arguments, world, *options, [&](const simulator::Request& request) {
            file << recorded_line(request);
            return Result<void>();
        });
        if (!file.flush()) {
            sent =
                fail(ErrorCode::Unavailable, fmt::format("cannot write {}", arguments.record_file));
        }
    } else {
        if (auto prepared = store::chdb::prepare_process(); !prepared) {
            return complain(prepared.error());
        }
        OfflineOptions offline;
        offline.data_dir = arguments.data_dir;
        offline.from_ms = options->from_ms;
        offline.block_interval_ms = std::clamp<std::int64_t>(
            static_cast<std::int64_t>(arguments.hours * 3'600'000 / 200), 60'000, 3'600'000);
        if (arguments.block_minutes > 0) {
            offline.block_interval_ms = arguments.block_minutes * 60'000;
        }
        auto ingest = OfflineIngest::open(offline);
        if (!ingest) return complain(ingest.error());
        sent = run_traffic(arguments, world, *options, [&](const simulator::Request& request) {
            return (*ingest)->take(request, arguments.customer_id);
        });
        if (sent) {
            if (auto finished = (*ingest)->finish(); !finished) return complain(finished.error());
        }
    }
    if (!sent) return complain(sent.error());
    fmt::print("{} sessions, {} requests\n", arguments.sessions, *sent);
    return 0;
}

}  // namespace

void add_simulate_command(CLI::App& root, Chosen& chosen) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = root.add_subcommand(
        "simulate", "Seeded traffic with known truth, to a server or into a data directory");
    command->add_option("--to", arguments->to, "a running server, http://host:port");
    command->add_option("--data-dir", arguments->data_dir, "a data directory that is not in use");
    command->add_option("--record", arguments->record_file,
                        "a file of the requests, for playhead replay");
    command->add_option("--customer", arguments->customer_id, "customer id")->capture_default_str();
    command->add_option("--sessions", arguments->sessions, "how many sessions")
        ->capture_default_str();
    command->add_option("--seed", arguments->seed, "same seed, same bytes")->capture_default_str();
    command->add_option("--truth", arguments->truth_file, "writes what really happened, NDJSON");
    command->add_option("--from", arguments->from,
                        "first arrivals: epoch seconds, -6h, -7d; default: so that they end now");
    command->add_option("--hours", arguments->hours, "over how long sessions arrive")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    command
        ->add_option("--block-minutes", arguments->block_minutes,
                     "with --data-dir: simulated time between blocks; 0: a 200th of --hours")
        ->check(CLI::Range(0, 60));
    command->add_option("--incidents", arguments->incidents_file, "scripted trouble, YAML")
        ->check(CLI::ExistingFile);
    command->add_option("--wire", arguments->wire, "mix, compact, long, cmcd-event or cmcd-query")
        ->check(CLI::IsMember({"mix", "compact", "long", "cmcd-event", "cmcd-query"}))
        ->capture_default_str();
    command
        ->add_option("--connections", arguments->connections,
                     "with --to: requests at once; those of one viewer stay in order")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    command->add_flag("--live", arguments->live, "sessions that happen now, at their own pace");
    command->add_option("--concurrent", arguments->concurrent, "sessions at once, with --live")
        ->capture_default_str();
    command->add_option("--seconds", arguments->live_seconds, "how long, with --live; 0: for ever");
    command->callback(
        [arguments, &chosen] { chosen = [arguments] { return simulate(*arguments); }; });
}

}  // namespace playhead::app
