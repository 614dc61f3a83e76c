/// `playhead replay`: sends recorded requests to a running server.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <thread>

#include "app/commands.h"
#include "app/control_plane.h"
#include "app/recorded_request.h"

namespace playhead::app {

namespace {

struct Arguments {
    std::string to;
    double speed = 0;
    /// The captures of the SDKs name this one; those of CMCD players name none.
    std::uint64_t customer_id = 900100200;
    std::vector<std::string> files;
};

struct Tally {
    std::uint64_t sent = 0;
    std::uint64_t skipped = 0;
    std::uint64_t refused = 0;
    std::map<int, std::uint64_t> by_status;
};

/// Says how far it is, about every two seconds.
class Progress {
public:
    void tick(const Tally& tally) {
        const auto now = std::chrono::steady_clock::now();
        if (now - said_ < std::chrono::seconds(2)) return;
        said_ = now;
        fmt::print(stderr, "replay: {} requests sent\n", tally.sent);
    }

private:
    std::chrono::steady_clock::time_point said_ = std::chrono::steady_clock::now();
};

/// Sleeps until a recorded moment is due; `speed` 0 never does.
class Pace {
public:
    explicit Pace(double speed) : speed_(speed) {}
    void wait_for(std::int64_t sent_ms) {
        if (speed_ <= 0) return;
        if (first_ms_ == 0) first_ms_ = sent_ms;
        const double offset_ms =
            static_cast<double>(std::max<std::int64_t>(0, sent_ms - first_ms_));
        std::this_thread::sleep_until(begun_ + std::chrono::microseconds(static_cast<std::int64_t>(
                                                   offset_ms * 1000 / speed_)));
    }

private:
    double speed_;
    std::int64_t first_ms_ = 0;
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

Result<void> replay_file(const std::string& path, const Arguments& arguments,
                         net::HttpClient& client, Tally& tally, Progress& progress) {
    std::ifstream file(path);
    if (!file) return fail(ErrorCode::NotFound, fmt::format("cannot read {}", path));
    Pace pace(arguments.speed);
    std::string line;
    for (std::uint64_t number = 1; std::getline(file, line); ++number) {
        if (line.empty()) continue;
        auto recorded = read_recorded(line, arguments.customer_id);
        if (!recorded) {
            return fail(ErrorCode::InvalidArgument,
                        fmt::format("{}:{}: {}", path, number, recorded.error().message));
        }
        if (!*recorded) {
            ++tally.skipped;
            continue;
        }
        pace.wait_for((*recorded)->sent_ms);
        auto answer = client.send((*recorded)->request);
        if (!answer) return fail(answer.error());
        ++tally.sent;
        ++tally.by_status[answer->status];
        if (answer->status / 100 != 2) {
            ++tally.refused;
            fmt::print(stderr, "{}:{}: {} {} answered {}: {}\n", path, number,
                       (*recorded)->request.method, (*recorded)->request.target, answer->status,
                       answer->body.substr(0, 300));
        }
        progress.tick(tally);
    }
    return {};
}

int replay(const Arguments& arguments) {
    net::HttpClient client(arguments.to);
    Tally tally;
    Progress progress;
    for (const std::string& path : arguments.files) {
        if (auto done = replay_file(path, arguments, client, tally, progress); !done) {
            return complain(done.error());
        }
    }
    std::string statuses;
    for (const auto& [status, count] : tally.by_status) {
        statuses += fmt::format(", {} x {}", count, status);
    }
    fmt::print("{} requests sent{}; {} lines not for a collector\n", tally.sent, statuses,
               tally.skipped);
    return tally.refused == 0 ? 0 : 1;
}

}  // namespace

void add_replay_command(CLI::App& root, Chosen& chosen) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command =
        root.add_subcommand("replay", "Sends recorded requests to a running server");
    command->add_option("--to", arguments->to, "the server, http://host:port")->required();
    command
        ->add_option("--speed", arguments->speed, "0: at once; 1: as recorded; N: N times faster")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    command
        ->add_option("--customer", arguments->customer_id,
                     "customer for CMCD, whose recordings name none")
        ->capture_default_str();
    command->add_option("FILE", arguments->files, "recorded requests, one JSON a line")
        ->required()
        ->check(CLI::ExistingFile);
    command->callback(
        [arguments, &chosen] { chosen = [arguments] { return replay(*arguments); }; });
}

}  // namespace playhead::app
