// API path against hand-written SQL on the same store; see README.md.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "hand_written.h"
#include "query/engine.h"
#include "query/envelope.h"
#include "query/series.h"
#include "query/smart/smart_query.h"
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

struct Path {
    store::Store& store;
    const query::Engine& engine;
    Subject subject;
};

Result<query::Answer> answer_of(const Path& path, const KpiQuery& query,
                                const query::Parameters& parameters) {
    const auto customer_id = path.subject.customer_id;
    if (query.asked == Asked::Smart) {
        const auto request = query::smart::parse(parameters, path.engine);
        if (!request) return fail(request.error());
        return query::smart::run(*request, {path.engine, customer_id, path.subject.to_s});
    }
    const auto endpoint = query.asked == Asked::Sessions ? query::Endpoint::ListSessions
                          : query.asked == Asked::Errors ? query::Endpoint::Error
                                                         : query::Endpoint::MetricQuery;
    const auto request = path.engine.parse(parameters, endpoint);
    if (!request) return fail(request.error());
    return path.engine.run(*request, customer_id);
}

/// What the endpoint does for a request; the size of the answer, 0 = failed.
std::size_t ask_api(const Path& path, const KpiQuery& query) {
    auto parameters = parameters_of(query.parameters);
    const auto& subject = path.subject;
    const auto from_s = query.length_s == 0 ? subject.from_s : subject.to_s - query.length_s;
    parameters.emplace_back("period", fmt::format("start={},end={}", from_s, subject.to_s));
    const auto answer = answer_of(path, query, parameters);
    if (!answer) {
        std::fprintf(stderr, "%s: %s\n", query.name.c_str(), answer.error().message.c_str());
        return 0;
    }
    return query::envelope_json(*answer).size();
}

bool ask_by_hand(const Path& path, const KpiQuery& query) {
    for (const auto& sql : query.sql) {
        const auto table = path.store.query({sql, {}}, {});
        if (table) continue;
        std::fprintf(stderr, "%s: %s\n", query.name.c_str(), table.error().message.c_str());
        return false;
    }
    return true;
}

bool measure(const Path& path, const KpiQuery& query, int runs) {
    std::vector<double> api_ms, hand_ms;
    for (int run = 0; run <= runs; ++run) {
        auto begin = std::chrono::steady_clock::now();
        if (ask_api(path, query) == 0) return false;
        const double api = milliseconds(begin);
        begin = std::chrono::steady_clock::now();
        if (!ask_by_hand(path, query)) return false;
        const double hand = milliseconds(begin);
        // The first round warms caches.
        if (run == 0) continue;
        api_ms.push_back(api);
        hand_ms.push_back(hand);
    }
    const double api = median(api_ms);
    const double hand = median(hand_ms);
    fmt::print("{:<28} {:>10.1f} {:>10.1f} {:>7.2f}\n", query.name, api, hand, api / hand);
    std::fflush(stdout);
    return true;
}

int fail_with(const std::string& message) {
    std::fprintf(stderr, "kpi_bench: %s\n", message.c_str());
    return 1;
}

int run(const std::string& data_dir, int runs, bool dashboards) {
    if (const auto ready = store::chdb::prepare_process(); !ready) {
        return fail_with(ready.error().message);
    }
    store::chdb::ChdbOptions options;
    options.directory = std::filesystem::absolute(data_dir + "/store").string();
    auto store = store::chdb::open_chdb_store(options);
    if (!store) return fail_with(store.error().message);
    if (const auto done = (*store)->migrate(); !done) return fail_with(done.error().message);
    // With the most watched asset that has a length, and a subscriber of whom one in a hundred has
    // more sessions.
    const auto facts = (*store)->query(
        {"SELECT customerid, sum(sign) AS rows, toInt64(toUnixTimestamp(max(start_time))), "
         "(SELECT toString(assetid) FROM sessions WHERE progress_percent >= 0 GROUP BY assetid "
         "ORDER BY sum(plays) DESC, assetid LIMIT 1), (SELECT groupArray(subscriberid)[intDiv("
         "count(), 100)] FROM (SELECT subscriberid FROM sessions WHERE subscriberid != '' GROUP BY "
         "subscriberid ORDER BY count() DESC, subscriberid)) "
         "FROM sessions GROUP BY customerid ORDER BY rows DESC LIMIT 1",
         {}},
        {});
    if (!facts) return fail_with(facts.error().message);
    if (facts->rows.empty()) return fail_with("the store has no sessions");
    const auto& row = facts->rows.front();
    const auto number = [&](std::size_t column) {
        return static_cast<std::int64_t>(query::number_of(row[column], 0));
    };
    const auto text = [&](std::size_t column) { return std::get<std::string>(row[column]); };
    const auto dictionary = query::Dictionary::load();
    if (!dictionary) return fail_with(dictionary.error().message);
    const std::int64_t to_s = (number(2) / 3600 + 1) * 3600;
    const std::int64_t from_s = to_s - kPeriod_s;
    const SystemClock clock;
    const query::Engine engine(**store, *dictionary, clock, {});
    const Path path{
        **store, engine, {static_cast<std::uint64_t>(number(0)), from_s, to_s, text(3), text(4)}};
    fmt::print("customer {}, {} sessions, 30 days, {} runs\n", number(0), number(1), runs);
    fmt::print("{:<28} {:>10} {:>10} {:>7}\n", "query", "api ms", "hand ms", "ratio");
    bool good = true;
    auto queries = kpi_queries(path.subject);
    if (dashboards) {
        for (auto& query : dashboard_queries(path.subject)) queries.push_back(std::move(query));
    }
    for (const auto& query : queries) good = measure(path, query, runs) && good;
    return good ? 0 : 1;
}

}  // namespace
}  // namespace playhead::bench

int main(int argc, char** argv) {
    const bool dashboards = argc > 2 && std::string_view(argv[argc - 1]) == "dashboards";
    const int words = dashboards ? argc - 1 : argc;
    if (words < 2 || words > 3) {
        std::fprintf(stderr, "usage: kpi_bench DATA_DIR [RUNS] [dashboards]\n");
        return 2;
    }
    const int runs = words == 3 ? std::atoi(argv[2]) : playhead::bench::kRunsDefault;
    if (runs < 1) return 2;
    return playhead::bench::run(argv[1], runs, dashboards);
}
