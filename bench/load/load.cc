// See README.md beside this file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>

#include "base/clock.h"
#include "load/client.h"
#include "load/sessions.h"

namespace {

using namespace playhead;

struct Options {
    std::string to;
    double rate = 5000;
    std::uint64_t requests = 50'000;
    std::uint64_t records = 1;
    std::size_t connections = 32;
    std::uint64_t patterns = 400;
    std::uint64_t customer_id = 900100200;
    std::uint64_t seed = 1;
    int pid = 0;
    double settle_s = 0;
    double warm_s = 0;  ///< sent before anything is measured
};

double cpu_s(int pid) {
    clockid_t clock{};
    timespec time{};
    if (pid == 0 || clock_getcpuclockid(pid, &clock) != 0) return 0;
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// Address of the pattern's network with the session's own last octet.
std::string address_of(const bench::Pattern& pattern, unsigned octet) {
    return pattern.address.substr(0, pattern.address.rfind('.') + 1) + std::to_string(octet);
}

void build(bench::Audience& audience, const Options& options, std::string& body,
           std::string& request) {
    body.clear();
    unsigned octet = 1;
    const bench::Pattern* pattern = nullptr;
    if (options.records > 1) body += '[';
    for (std::uint64_t record = 0; record < options.records; ++record) {
        if (record > 0) body += ',';
        pattern = &audience.take(body, octet);
    }
    if (options.records > 1) body += ']';
    request.clear();
    fmt::format_to(std::back_inserter(request),
                   "POST /produce HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\n"
                   "X-Forwarded-For: {}\r\nContent-Type: application/json\r\n"
                   "Content-Length: {}\r\n\r\n{}",
                   options.to, pattern->user_agent, address_of(*pattern, octet), body.size(), body);
}

float quantile(std::vector<float>& sorted, double share) {
    if (sorted.empty()) return 0;
    return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

void run(const Options& options) {
    const SystemClock clock;
    const auto patterns = bench::make_patterns(options.seed, options.customer_id, options.patterns);
    bench::Audience audience(patterns, options.rate * static_cast<double>(options.records),
                             static_cast<std::uint64_t>(clock.now_ms()), clock.now_ms());
    const auto port = std::stoul(options.to.substr(options.to.rfind(':') + 1));
    bench::Client client(static_cast<std::uint16_t>(port), options.connections);
    std::string body;
    std::string request;
    std::uint64_t bytes = 0;
    const auto send_all = [&](std::uint64_t requests) {
        const auto began = std::chrono::steady_clock::now();
        const auto passed_s = [&] {
            return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        };
        const std::uint64_t answered = client.answered() + requests;
        std::uint64_t sent = 0;
        while (client.answered() < answered) {
            while (sent < requests && client.has_free() &&
                   static_cast<double>(sent) <= passed_s() * options.rate) {
                build(audience, options, body, request);
                client.send(request);
                bytes += body.size();
                ++sent;
            }
            const bool must_wait = sent == requests || !client.has_free();
            client.poll(must_wait ? 1000 : 1);
        }
        return passed_s();
    };
    send_all(static_cast<std::uint64_t>(options.warm_s * options.rate));
    client.answer_ms().clear();
    bytes = 0;
    const double cpu_before = cpu_s(options.pid);
    const double own_before = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
    const double seconds = send_all(options.requests);
    const double own = static_cast<double>(std::clock()) / CLOCKS_PER_SEC - own_before;
    const double cpu_sent = cpu_s(options.pid) - cpu_before;
    std::this_thread::sleep_for(std::chrono::duration<double>(options.settle_s));
    auto& answers = client.answer_ms();
    std::sort(answers.begin(), answers.end());
    const auto records = static_cast<double>(options.requests * options.records);
    fmt::print(
        "{{\"requests\":{},\"records\":{},\"refused\":{},\"sessions\":{},\"seconds\":{:.3f},"
        "\"requests_per_s\":{:.0f},\"records_per_s\":{:.0f},\"bytes_per_record\":{:.0f},"
        "\"answer_ms_p50\":{:.2f},\"answer_ms_p95\":{:.2f},\"answer_ms_p99\":{:.2f},"
        "\"client_cpu_s\":{:.3f},\"cpu_s\":{:.4f},\"cpu_settled_s\":{:.4f}}}\n",
        options.requests, records, client.refused(), audience.size(), seconds,
        static_cast<double>(options.requests) / seconds, records / seconds,
        static_cast<double>(bytes) / records, quantile(answers, 0.5), quantile(answers, 0.95),
        quantile(answers, 0.99), own, cpu_sent, cpu_s(options.pid) - cpu_before);
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("Beacons of many sessions, at a set rate, to a server on loopback");
    app.add_option("--to", options.to, "127.0.0.1:port")->required();
    app.add_option("--rate", options.rate, "requests per second")->capture_default_str();
    app.add_option("--requests", options.requests)->capture_default_str();
    app.add_option("--records", options.records, "per request")->capture_default_str();
    app.add_option("--connections", options.connections)->capture_default_str();
    app.add_option("--patterns", options.patterns, "simulated sessions")->capture_default_str();
    app.add_option("--customer", options.customer_id)->capture_default_str();
    app.add_option("--seed", options.seed)->capture_default_str();
    app.add_option("--pid", options.pid, "process whose CPU time is measured");
    app.add_option("--warm", options.warm_s, "seconds of load before anything is measured");
    app.add_option("--settle", options.settle_s, "seconds after the last answer, for the CPU time");
    CLI11_PARSE(app, argc, argv);
    run(options);
    return 0;
}
