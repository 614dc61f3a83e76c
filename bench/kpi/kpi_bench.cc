// API path against hand-written SQL on the same store; see README.md.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "hand_written.h"
#include "query/engine.h"
#include "query/envelope.h"
#include "store/chdb/chdb_store.h"
#include "store/chdb/engine_library.h"

namespace playhead::bench {
namespace {

constexpr int kRunsDefault = 11;
constexpr std::int64_t kPeriod_s = 30 * 86400;

double milliseconds(const std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
        .count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

query::Parameters parameters_of(const std::string& text) {
    query::Parameters out;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('&', at), text.size());
        const auto piece = text.substr(at, end - at);
        const auto equals = piece.find('=');
        out.emplace_back(piece.substr(0, equals), piece.substr(equals + 1));
        at = end + 1;
    }
    return out;
}

struct Subject {
    store::Store& store;
    const query::Engine& engine;
    std::uint64_t customer_id;
    std::string period;
};

/// What the endpoint does for a request; the size of the answer, 0 = failed.
std::size_t ask_api(const Subject& subject, const KpiQuery& query) {
    auto parameters = parameters_of(query.parameters);
    parameters.emplace_back("period", subject.period);
    const auto request =
        subject.engine.parse(parameters, query.list_sessions ? query::Endpoint::ListSessions
                                                             : query::Endpoint::MetricQuery);
    if (!request) {
        std::fprintf(stderr, "%s: %s\n", query.name.c_str(), request.error().message.c_str());
        return 0;
    }
    const auto answer = subject.engine.run(*request, subject.customer_id);
    if (!answer) {
        std::fprintf(stderr, "%s: %s\n", query.name.c_str(), answer.error().message.c_str());
        return 0;
    }
    return query::envelope_json(*answer).size();
}

bool ask_by_hand(const Subject& subject, const KpiQuery& query) {
    for (const auto& sql : query.sql) {
        const auto table = subject.store.query({sql, {}}, {});
        if (table) continue;
        std::fprintf(stderr, "%s: %s\n", query.name.c_str(), table.error().message.c_str());
        return false;
    }
    return true;
}

bool measure(const Subject& subject, const KpiQuery& query, int runs) {
    std::vector<double> api_ms, hand_ms;
    for (int run = 0; run <= runs; ++run) {
        auto begin = std::chrono::steady_clock::now();
        if (ask_api(subject, query) == 0) return false;
        const double api = milliseconds(begin);
        begin = std::chrono::steady_clock::now();
        if (!ask_by_hand(subject, query)) return false;
        const double hand = milliseconds(begin);
        // The first round warms caches.
        if (run == 0) continue;
        api_ms.push_back(api);
        hand_ms.push_back(hand);
    }
    const double api = median(api_ms);
    const double hand = median(hand_ms);
    fmt::print("{:<24} {:>10.1f} {:>10.1f} {:>7.2f}\n", query.name, api, hand, api / hand);
    std::fflush(stdout);
    return true;
}

int fail_with(const std::string& message) {
    std::fprintf(stderr, "kpi_bench: %s\n", message.c_str());
    return 1;
}

int run(const std::string& data_dir, int runs) {
    if (const auto ready = store::chdb::prepare_process(); !ready) {
        return fail_with(ready.error().message);
    }
    store::chdb::ChdbOptions options;
    options.directory = std::filesystem::absolute(data_dir + "/store").string();
    auto store = store::chdb::open_chdb_store(options);
    if (!store) return fail_with(store.error().message);
    if (const auto done = (*store)->migrate(); !done) return fail_with(done.error().message);
    const auto facts = (*store)->query(
        {"SELECT customerid, sum(sign) AS rows, toInt64(toUnixTimestamp(max(start_time))) FROM "
         "sessions GROUP BY customerid ORDER BY rows DESC LIMIT 1",
         {}},
        {});
    if (!facts) return fail_with(facts.error().message);
    if (facts->rows.empty()) return fail_with("the store has no sessions");
    const auto& row = facts->rows.front();
    const auto number = [&](std::size_t column) {
        return std::visit(
            [](const auto& value) -> std::int64_t {
                if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>) {
                    return static_cast<std::int64_t>(value);
                }
                return 0;
            },
            row[column]);
    };
    const auto dictionary = query::Dictionary::load();
    if (!dictionary) return fail_with(dictionary.error().message);
    const std::int64_t to_s = (number(2) / 3600 + 1) * 3600;
    const std::int64_t from_s = to_s - kPeriod_s;
    const SystemClock clock;
    const query::Engine engine(**store, *dictionary, clock, {});
    const Subject subject{**store, engine, static_cast<std::uint64_t>(number(0)),
                          fmt::format("start={},end={}", from_s, to_s)};
    fmt::print("customer {}, {} sessions, 30 days, {} runs\n", number(0), number(1), runs);
    fmt::print("{:<24} {:>10} {:>10} {:>7}\n", "query", "api ms", "hand ms", "ratio");
    bool good = true;
    for (const auto& query : kpi_queries(subject.customer_id, from_s, to_s)) {
        good = measure(subject, query, runs) && good;
    }
    return good ? 0 : 1;
}

}  // namespace
}  // namespace playhead::bench

int main(int argc, char** argv) {
    if (argc < 2 || argc > 3) {
        std::fprintf(stderr, "usage: kpi_bench DATA_DIR [RUNS]\n");
        return 2;
    }
    const int runs = argc == 3 ? std::atoi(argv[2]) : playhead::bench::kRunsDefault;
    if (runs < 1) return 2;
    return playhead::bench::run(argv[1], runs);
}
